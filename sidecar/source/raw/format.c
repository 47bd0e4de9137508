// SPDX-License-Identifier: MIT
/* format.c - bodies that are one file, as far as a head tells them: see source/format.h.
 *
 * Any type is one file's, but that of a form: somebody has sent it to the wrong place, and it would be stored with its delimiters
 * and heads as a file that nobody can open. What curl calls the bytes of --data-binary if it is not told their type
 * (application/x-www-form-urlencoded) is a file. */
#include "source/format.h"

extern const struct source_format raw_format;

static bool
is_of(const struct route *route)
{
	return route->raw != NULL;
}

static bool
accepts(struct str content_type, struct error *err)
{
	return !str_starts_nocase(content_type, "multipart/form-data") ||
		error_set(err, ERR_MEDIA_TYPE,
			"Content-Type: this route takes the bytes of one file, no form; send the file alone (curl -T)");
}

const struct source_format raw_format = { .is_of = is_of, .accepts = accepts };
