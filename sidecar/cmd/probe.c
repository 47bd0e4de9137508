// SPDX-License-Identifier: MIT
/* probe.c - `penstock probe`. */
#include "cmd/commands.h"

#include "cmd/probe_report.h"
#include "config/load.h"

int
command_probe(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load(options->arguments, options->n_arguments, &findings);
	struct probe_report_options how = { .json = options->json, .hold_ms = options->hold_ms };
	struct error err = { 0 };
	bool good = false;
	int code = EXIT_USAGE;

	command_print_findings(&findings);
	if (config != NULL && !probe_report(config, &how, &good, &err))
		code = command_fail(&err, EXIT_RUNTIME);
	else if (config != NULL)
		code = good ? EXIT_GOOD : EXIT_RUNTIME;
	config_free(config);
	findings_free(&findings);
	return code;
}
