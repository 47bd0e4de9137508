// SPDX-License-Identifier: MIT
/* safe_name_priv.h - what safe_name.c, safe_name_write.c and long_name.c share: the bytes of a name before it is written, with a mark
 * for each that says who gave it. One thread. */
#ifndef PENSTOCK_SAFE_NAME_PRIV_H
#define PENSTOCK_SAFE_NAME_PRIV_H

#include "config/kind.h"
#include "sink/safe_name.h"

enum mark {
	MARK_TEXT,      /* stands as it was written; in a key escaped where a URL wants that */
	MARK_PLAIN,     /* stands as it is */
	MARK_SLASH,     /* the same, and ends a segment */
	MARK_UNCOUNTED, /* the same, and has no length: more of a stand-in than what it stands for has */
	MARK_UNSEEN,    /* has a length, and is not written: less of a stand-in */
	MARK_ESCAPED,   /* of the template, written there as %XX */
	MARK_VALUE,     /* and above: givers[mark - MARK_VALUE] */
};

/* It is sent in a URL. */
static inline bool
is_http(const struct safe_name *name)
{
	return name->to->kind->style != TEMPLATE_FOR_FILE;
}

/* The template's own text stands for itself, and is escaped here. */
static inline bool
is_key(const struct safe_name *name)
{
	return name->to->kind->style == TEMPLATE_FOR_KEY;
}

static inline int
mark_at(const struct safe_name *name, size_t at)
{
	return (unsigned char)name->marks.data[at];
}

/* '/' and '\\', control bytes, overlong forms of UTF-8 (RFC 3629 section 3): what is wrong with the first byte; NULL: nothing. */
const char *safe_name_unsafe_byte(struct str rest);

/* -- safe_name_write.c ---------------------------------------------------------------------------------- */

/* Bytes that are written together or not at all, from `at` on: a character, one byte that is of none, or its escape. */
size_t safe_name_unit(const struct safe_name *name, size_t at, size_t end);

/* Appends what bytes [from, end) are written as. */
void safe_name_write(const struct safe_name *name, size_t from, size_t end, struct buf *out);

/* What they count: as written, or in a key as they are meant. */
size_t safe_name_length(struct safe_name *name, size_t from, size_t end);

/* Where the segment of a folder ends that begins at `from`. */
size_t safe_name_segment_end(const struct safe_name *name, size_t from);

/* -- long_name.c ------------------------------------------------------------------------------------------- */

/* Cuts values until the name is as short as its destination wants; where they are too short for that it stays too long. */
void long_name_shorten(struct safe_name *name);

#endif
