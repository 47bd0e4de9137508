// SPDX-License-Identifier: MIT
/* media_type.c - see media_type.h. */
#include "config/media_type.h"

#include <string.h>

static bool
is_printable(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] > 0x7e)
			return false;
	return true;
}

struct str
media_type_essence(struct str s)
{
	const char *slash = s.len > 0 ? memchr(s.data, '/', s.len) : NULL;
	size_t type = slash != NULL ? (size_t)(slash - s.data) : 0, end = type + 1;
	struct str rest;

	if (slash == NULL || !str_is_token((struct str){ s.data, type }))
		return STR_NONE;
	while (end < s.len && str_is_token_char(s.data[end]))
		end++;
	rest = str_trim((struct str){ s.data + end, s.len - end });
	if (end == type + 1 || (rest.len > 0 && rest.data[0] != ';') || !is_printable(rest))
		return STR_NONE;
	return (struct str){ s.data, end };
}
