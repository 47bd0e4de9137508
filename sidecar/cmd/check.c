// SPDX-License-Identifier: MIT
/* check.c - `penstock check`. */
#include "cmd/commands.h"

#include "config/load.h"
#include "config/memory.h"
#include "sink/sinks.h"
#include "stage/tools.h"

#include <stdio.h>

static void
tell_memory(const struct config *config)
{
	struct buf out = { 0 };

	memory_tell(config, &out);
	if (!out.failed && out.len > 0)
		fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

int
command_check(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load(options->arguments, options->n_arguments, &findings);
	struct error err = { 0 };

	if (config != NULL)
		findings.warnings += sinks_check(config, &findings.text);
	command_print_findings(&findings);
	if (config != NULL && !stage_tools_check(config, &err)) {
		fprintf(stderr, "error: %s\n", err.message);
		findings.errors++;
		config_free(config);
		config = NULL;
	}
	if (config != NULL)
		tell_memory(config);
	if (config != NULL)
		printf("good: %zu route%s, %zu destination%s, %u warning%s\n", config->n_routes,
			PLURAL(config->n_routes), config->n_destinations, PLURAL(config->n_destinations),
			findings.warnings, PLURAL(findings.warnings));
	else
		fprintf(stderr, "%u error%s, %u warning%s\n", findings.errors, PLURAL(findings.errors),
			findings.warnings, PLURAL(findings.warnings));
	config_free(config);
	findings_free(&findings);
	return config != NULL ? EXIT_GOOD : EXIT_USAGE;
}
