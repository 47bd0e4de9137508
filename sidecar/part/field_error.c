// SPDX-License-Identifier: MIT
/* field_error.c - see field_error.h. */
#include "part/field_error.h"

#include <stdio.h>

/* Never in the middle of a character of UTF-8. */
static struct str
cut(struct str s, size_t max)
{
	if (s.len <= max)
		return s;
	while (max > 0 && ((unsigned char)s.data[max] & 0xc0) == 0x80)
		max--;
	return (struct str){ s.data, max };
}

void
field_error_name(struct error *err, struct str field)
{
	struct str kept = cut(field, sizeof err->field - 1);

	snprintf(err->field, sizeof err->field, "%.*s", STR_ARG(kept));
}

bool
field_error(struct error *err, struct str field)
{
	struct str shown = cut(field, FIELD_SHOWN_MAX);

	error_wrap(err, "field \"%.*s%s\"", STR_ARG(shown), shown.len < field.len ? "..." : "");
	field_error_name(err, field);
	return false;
}
