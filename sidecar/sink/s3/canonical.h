// SPDX-License-Identifier: MIT
/* canonical.h - pure: query and lines of a request in the canonical form, which both sides sign (sign.h). Each function appends to
 * a struct buf, whose `failed` says that there was no memory.
 *
 * [any] */
#ifndef PENSTOCK_S3_CANONICAL_H
#define PENSTOCK_S3_CANONICAL_H

#include "sink/s3/sign.h"

/* Appends the query (without '?'), sorted by names, then by values; a name alone gets a '='. */
void s3_canonical_query(struct str query, struct buf *out);

/* Sorts by name. Lines of one name stay in their order, because their values are signed in it. */
void s3_canonical_sort(struct s3_sign_line *lines, size_t n);

/* Appends the names of sorted lines, each once: "host;x-amz-date". */
void s3_canonical_names(const struct s3_sign_line *lines, size_t n, struct buf *out);

/* Appends for each name of sorted lines "name:value,value" and a line feed. Blanks at the ends of a value are left out, and each
 * run of blanks in it becomes one space. */
void s3_canonical_lines(const struct s3_sign_line *lines, size_t n, struct buf *out);

#endif
