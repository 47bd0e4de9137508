// SPDX-License-Identifier: MIT
/* format.c - forms (RFC 7578), as far as a head tells them: see source/format.h. */
#include "source/format.h"

#include "source/multipart/form.h"

extern const struct source_format multipart_format;

static bool
is_of(const struct route *route)
{
	return route->raw == NULL;
}

static bool
accepts(struct str content_type, struct error *err)
{
	struct boundary boundary;

	if (content_type.data == NULL)
		return error_set(err, ERR_MEDIA_TYPE, "no Content-Type");
	return boundary_read(content_type, &boundary, err);
}

const struct source_format multipart_format = { .is_of = is_of, .accepts = accepts, .has_delimiters = true };
