// SPDX-License-Identifier: MIT
/* formats.c - see format.h: all formats. */
#include "source/format.h"

#include "base/must.h"

#include <stddef.h>

#define SOURCE(name) extern const struct source_format name##_format;
#include "source/sources.def"
#undef SOURCE

#define SOURCE(name) &name##_format,
const struct source_format *const source_formats[] = {
#include "source/sources.def"
	NULL
};
#undef SOURCE

const struct source_format *
source_format_of(const struct route *route)
{
	size_t i = 0;

	while (source_formats[i] != NULL && !source_formats[i]->is_of(route))
		i++;
	must(source_formats[i] != NULL); /* the key table has no route without one */
	return source_formats[i];
}
