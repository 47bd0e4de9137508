// SPDX-License-Identifier: MIT
/* cors.h - the values of a route's `cors`, and what holds between them. */
#ifndef PENSTOCK_CONFIG_CORS_H
#define PENSTOCK_CONFIG_CORS_H

#include "config/loading.h"

#define CORS_NAMES_MAX 32u        /* names of one list ... */
#define CORS_NAMES_BYTES_MAX 512u /* ... and bytes of the header line that says them */

#define CORS_ORIGIN_PATTERN "^(\\*|[A-Za-z][A-Za-z0-9+.-]*://(\\*\\.)?[-A-Za-z0-9._:\\[\\]]+)$"
#define CORS_NAME_PATTERN "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$"

/* What is wrong with an origin of the list; NULL: nothing. It is of one byte at least. */
const char *cors_judge_origin(struct str origin);

/* Reader of KEY_HEADER_NAMES, as read.h has it. */
void cors_read_names(struct loading *l, const struct key *key, const struct node *node, void *base);

/* Whether the keys of a route's `cors` fit each other and its `match`. */
void cors_check(struct loading *l, size_t route);

#endif
