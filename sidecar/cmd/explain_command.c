// SPDX-License-Identifier: MIT
/* explain_command.c - `penstock explain`. */
#include "cmd/commands.h"

#include "cmd/explain.h"
#include "config/load.h"

int
command_explain(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load(options->arguments, 1, &findings);
	struct explain_options how = { .split = options->split,
		.human = options->human,
		.grants = options->grants,
		.n_grants = options->n_grants };
	struct error err = { 0 };
	int code = EXIT_USAGE;

	if (config == NULL)
		command_print_findings(&findings);
	else
		code = explain_run(config, options->arguments[1], &how, &err) ? EXIT_GOOD
									      : command_fail(&err, EXIT_RUNTIME);
	config_free(config);
	findings_free(&findings);
	return code;
}
