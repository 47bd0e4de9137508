// SPDX-License-Identifier: MIT
/* canonical.h - pure: query and lines of a request in the one form in which both sides sign them (sign.h). Each function
 * appends to a struct buf, whose `failed` says that there was no memory.
 *
 * [any] */
#ifndef PENSTOCK_S3_CANONICAL_H
#define PENSTOCK_S3_CANONICAL_H

#include "sink/s3/sign.h"

/* The query (without '?') sorted by names, then by values; a name alone gets its '='. */
void s3_canonical_query(struct str query, struct buf *out);

/* By name; of several with one name the first stays first, for their values are signed in that order. */
void s3_canonical_sort(struct s3_sign_line *lines, size_t n);

/* Of sorted lines the names, each once: "host;x-amz-date". */
void s3_canonical_names(const struct s3_sign_line *lines, size_t n, struct buf *out);

/* Of sorted lines "name:value,value" and a line feed for each name: without blanks at a value's ends, and with one space for
 * each run of them. */
void s3_canonical_lines(const struct s3_sign_line *lines, size_t n, struct buf *out);

#endif
