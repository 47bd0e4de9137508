// SPDX-License-Identifier: MIT
/* part_head.h - the head of one part, from its bytes to what they mean (RFC 7578 section 4).
 *
 * Reads what browsers and HTTP clients send, quoted and unquoted, and refuses what two parsers could read
 * differently. Pure; one thread. */
#ifndef PENSTOCK_PART_HEAD_H
#define PENSTOCK_PART_HEAD_H

#include "form/form.h"

/* The decoded head of the part under way, with the memory it points into. Zeroed: empty. */
struct head_reader {
	struct part_head head;
	struct part_header headers[FORM_HEADERS_MAX];
	struct buf field, filename;
};

/* Reads `text`, the lines of a head each with its CRLF, without the empty line; `offset` is the body byte of
 * its first one. `text` must stay as long as reader->head is used. False: ERR_MALFORMED with the offset of
 * the line that is wrong, or ERR_NOMEM. head.number, offset and data_offset are the caller's to set. */
bool part_head_read(struct head_reader *reader, struct str text, uint64_t offset, struct error *err);

void part_head_free(struct head_reader *reader);

#endif
