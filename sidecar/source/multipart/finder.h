// SPDX-License-Identifier: MIT
/* finder.h - finds "--" and the boundary in a stream of bytes, wherever it stands and however the stream is cut.
 *
 * Most of a piece is skipped in blocks, many bytes at a time. Linear in the bytes, whatever they and the boundary are.
 * Pure; one thread. */
#ifndef PENSTOCK_FINDER_H
#define PENSTOCK_FINDER_H

#include "source/multipart/form.h"

#define FINDER_TEXT_MAX (FORM_BOUNDARY_MAX + 2)

struct finder {
	char text[FINDER_TEXT_MAX + 1]; /* "--" boundary */
	size_t len;
	uint64_t beginning;      /* its first eight bytes, as they stand in memory ... */
	uint64_t beginning_mask; /* ... and which of them it has */
	/* How much of the text is left of its first n bytes if the next one does not fit: the longest beginning that those
	 * end with (Knuth, Morris, Pratt). */
	unsigned char shorter[FINDER_TEXT_MAX + 1];
	size_t under_way; /* bytes of the text that what has passed ends with */
};

void finder_init(struct finder *finder, const struct boundary *boundary);

/* First place in [p, end) where the text stands whole; `end`: nowhere. Adds to *returns how many carriage returns there are
 * in the blocks that it has skipped. */
const char *finder_find(const struct finder *finder, const char *p, const char *end, size_t *returns);

/* Tells the finder which bytes pass. Not 0: a text that had begun in the bytes before them ends with that many of these. A text that
 * lies in them whole is for finder_find() to find. */
size_t finder_pass(struct finder *finder, const char *data, size_t len);

/* Tells it the same. Where the first text ends that ends in [p, end), begun there or before; NULL: none does. */
const char *finder_pass_to_end(struct finder *finder, const char *p, const char *end);

void finder_forget(struct finder *finder); /* what comes next does not go on where the last bytes ended */

#endif
