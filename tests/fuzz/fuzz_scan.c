// SPDX-License-Identifier: MIT
/* fuzz_scan.c - any body, any limits, cut anywhere: the filter's scanner says the same for every cut, and never refuses
 * what the form takes (agree.h). The first four bytes choose cuts and limits, the rest is a body with boundary "B". */
#include "lib/agree.h"

#include <stdio.h>
#include <stdlib.h>

static const struct boundary boundary = { "B", 1 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error err = { 0 };

	(void)argc;
	(void)argv;
	return form_setup(&err) ? 0 : -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf why = { 0 };
	struct limits limits = { 0 };
	struct cut cut;

	if (size < 4)
		return 0;
	cut = (struct cut){ data[0], data[1] % 64u + 1 };
	limits.parts = data[2] % 16u;
	limits.part_head = data[2] * 2u + 32;
	limits.body = data[3] == 0 ? LIMIT_NONE : data[3] * 16u;
	if (!agree(&boundary, &limits, (struct str){ (const char *)data + 4, size - 4 }, cut, &why)) {
		fprintf(stderr, "%s\n", why.data);
		abort();
	}
	buf_free(&why);
	return 0;
}
