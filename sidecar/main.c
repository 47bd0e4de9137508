// SPDX-License-Identifier: MIT
/* main.c - command line -> command; exit codes, also of output that could not be written; nothing else. */
#include "cmd/commands.h"

#include <stdio.h>

static int
dispatch(const struct options *options)
{
	switch (options->command) {
	case COMMAND_RUN:
		return command_run(options);
	case COMMAND_CHECK:
		return command_check(options);
	case COMMAND_PROBE:
		return command_probe(options);
	case COMMAND_SCHEMA:
		return command_schema(options);
	case COMMAND_EXPLAIN:
		return command_explain(options);
	case COMMAND_SINK:
		return command_sink(options);
	case COMMAND_TRY:
		return command_try(options);
	case COMMAND_HAPROXY:
		return command_haproxy(options);
	case COMMAND_HEALTH:
		return command_health(options);
	case COMMAND_MAN:
		return command_man(options);
	case COMMAND_VERSION:
		return command_version();
	case COMMAND_HELP:
		break;
	}
	return command_help(options);
}

/* What could not be written is no success, whichever command it was. */
static int
finish_output(int code)
{
	bool is_written = fflush(stdout) == 0;

	if (is_written && ferror(stdout) == 0)
		return code;
	fputs("penstock: the output could not be written\n", stderr);
	return code != EXIT_GOOD ? code : EXIT_RUNTIME;
}

int
main(int argc, char **argv)
{
	struct options options;

	if (!options_read(argc, argv, &options))
		return EXIT_USAGE;
	return finish_output(dispatch(&options));
}
