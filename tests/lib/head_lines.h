// SPDX-License-Identifier: MIT
/* head_lines.h - the headers of a request, as a test has them in a text of lines. */
#ifndef PENSTOCK_TEST_HEAD_LINES_H
#define PENSTOCK_TEST_HEAD_LINES_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* struct head's `header`. `arg`: lines "name: value\n", the text ends behind the last one. */
static inline bool
head_lines_nth(const void *arg, struct str name, size_t nth, struct str *value)
{
	const char *line = arg;

	for (; *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t colon = strcspn(line, ":"), end = strcspn(line, "\n");

		if (!str_equal_nocase((struct str){ line, colon }, name) || nth-- > 0)
			continue;
		*value = str_trim((struct str){ line + colon + 1, end - colon - 1 });
		return true;
	}
	return false;
}

#endif
