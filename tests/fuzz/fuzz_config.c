// SPDX-License-Identifier: MIT
/* fuzz_config.c - any text as a route file: a configuration or findings, never a crash, and never both silent. */
#include "config/load.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct findings findings = { 0 };
	struct config *config = config_load_text("fuzz.yaml", (struct str){ (const char *)data, size }, &findings);

	if ((config == NULL) != (findings.errors > 0))
		abort();
	config_free(config);
	findings_free(&findings);
	return 0;
}
