// SPDX-License-Identifier: MIT
/* header_lines.h - header lines that a route file adds to what penstock sends, as plain data: a piece of route.h. */
#ifndef PENSTOCK_HEADER_LINES_H
#define PENSTOCK_HEADER_LINES_H

#include <stddef.h>

struct template;

struct header_line {
	char *name;
	char *value;           /* may be a secret: never logged, never shown; NULL: it is made ... */
	struct template *made; /* ... of this, for each object; NULL: `value` */
};

struct header_lines {
	struct header_line *items;
	size_t n;
};

#endif
