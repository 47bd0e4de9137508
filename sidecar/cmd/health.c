// SPDX-License-Identifier: MIT
/* health.c - `penstock health`. */
#include "cmd/commands.h"

#include "cmd/healthcheck.h"
#include "config/load.h"

#include <stdio.h>

static int
ask_running(const struct config *config, bool ready)
{
	struct buf answer = { 0 };
	struct error err = { 0 };
	enum healthcheck_result result = healthcheck(&config->admin, ready ? "/readyz" : "/livez", &answer, &err);

	if (result == HEALTHCHECK_NOBODY)
		command_fail(&err, EXIT_RUNTIME);
	else if (answer.len > 0)
		fwrite(answer.data, 1, answer.len, result == HEALTHCHECK_GOOD ? stdout : stderr);
	buf_free(&answer);
	return result == HEALTHCHECK_GOOD ? EXIT_GOOD : EXIT_RUNTIME;
}

/* Does not read the secrets of destinations, because a health check may run without them. */
int
command_health(const struct options *options)
{
	static char usual[] = "/etc/penstock";
	char *const usual_paths[] = { usual };
	struct findings findings = { 0 };
	bool is_given = options->n_arguments > 0;
	struct config *config = config_load_routes(
		is_given ? options->arguments : usual_paths, is_given ? options->n_arguments : 1, &findings);
	int code = EXIT_USAGE;

	if (config == NULL)
		command_print_findings(&findings);
	else if (config->admin.n_listen == 0)
		fputs("penstock: nobody to ask: the route files have no admin: { listen: [...] }\n", stderr);
	else
		code = ask_running(config, options->ready);
	config_free(config);
	findings_free(&findings);
	return code;
}
