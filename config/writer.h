// SPDX-License-Identifier: MIT
/* writer.h - JSON with indentation, into a buffer. For the schema: text is ASCII of our own, and only '"'
 * and '\\' are escaped. `name` NULL: an entry of an array, or the whole. */
#ifndef PENSTOCK_WRITER_H
#define PENSTOCK_WRITER_H

#include "base/str.h"

struct writer {
	struct buf *out;
	unsigned depth;
	bool more; /* a comma is due before the next entry */
};

void writer_open(struct writer *w, const char *name, char bracket); /* '{' or '[' */
void writer_close(struct writer *w, char bracket);                  /* '}' or ']' */
void writer_text(struct writer *w, const char *name, const char *value);
void writer_number(struct writer *w, const char *name, uint64_t value);
void writer_bool(struct writer *w, const char *name, bool value);

#endif
