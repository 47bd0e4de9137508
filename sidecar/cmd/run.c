// SPDX-License-Identifier: MIT
/* run.c - `penstock run` and `penstock try`. */
#include "cmd/commands.h"

#include "cmd/try.h"
#include "daemon/sidecar.h"
#include "http/listener.h"

#include <unistd.h>

/* Takes the configuration over. */
static int
serve(struct config *config, char *const *paths, size_t n_paths)
{
	struct error err = { 0 };

	log_setup(config->log_level, config->log_format);
	return sidecar_run(config, paths, n_paths, &err) ? EXIT_GOOD : command_fail(&err, EXIT_RUNTIME);
}

int
command_run(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load(options->arguments, options->n_arguments, &findings);
	int code = EXIT_USAGE;

	command_print_findings(&findings);
	findings_free(&findings);
	if (options->take_over)
		listeners_take_over();
	log_to(STDOUT_FILENO); /* the log is this command's output; on stderr it says what keeps it from running */
	if (config != NULL)
		code = serve(config, options->arguments, options->n_arguments);
	return code;
}

int
command_try(const struct options *options)
{
	struct findings findings = { 0 };
	struct error err = { 0 };
	struct config *config = try_config(options->arguments[0], &findings, &err);
	int code = EXIT_USAGE;

	if (config != NULL)
		code = serve(config, NULL, 0);
	else if (error_is_set(&err))
		code = command_fail(&err, EXIT_RUNTIME);
	else
		command_print_findings(&findings);
	findings_free(&findings);
	return code;
}
