// SPDX-License-Identifier: MIT
/* part_head.h - the head of one part, from its bytes to what they mean (RFC 7578 section 4).
 *
 * Reads what browsers and HTTP clients send, quoted and unquoted, and refuses what two parsers could read
 * differently. Pure; one thread. */
#ifndef PENSTOCK_PART_HEAD_H
#define PENSTOCK_PART_HEAD_H

#include "source/multipart/disposition.h"
#include "source/multipart/form.h"

/* The decoded head of the part under way, with the memory it points into, which is kept for the next one. Zeroed: no
 * part yet. */
struct head_reader {
	struct part_head head;
	struct part_header headers[FORM_HEADERS_MAX];
	struct disposition disposition;
	uint64_t n_parts;
};

/* Reads the head of the next part: `text` is its lines each with its CRLF, without the empty line, and must stay as long
 * as reader->head is used. The offsets are the body's, of the part's delimiter and of its first line. The sidecar and the
 * filter inside HAProxy both ask it, so they refuse a part for the same reason. False: ERR_TOO_LARGE with limit "parts",
 * ERR_MALFORMED with the offset of the line that is wrong, or ERR_NOMEM. */
bool part_head_next(struct head_reader *reader, const struct form_limits *limits, struct str text,
	uint64_t delimiter_offset, uint64_t head_offset, struct error *err);

size_t part_head_memory(const struct head_reader *reader); /* bytes that it holds */
void part_head_free(struct head_reader *reader);

#endif
