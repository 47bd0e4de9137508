// SPDX-License-Identifier: MIT
/* s3_open.h - what the destinations of one route table need open: for each the keys that sign its requests, and the counts of what
 * was asked of it. The first four functions are as sink.h says. */
#ifndef PENSTOCK_S3_OPEN_H
#define PENSTOCK_S3_OPEN_H

#include "base/error.h"
#include "base/str.h"
#include "config/route.h"

struct s3_counts;
struct s3_keyring;
struct state;
struct table;

void *s3_open(const struct config *config, const void *before, struct state *state, struct error *err);
void s3_close(void *opened);
bool s3_is_good(const void *opened, const struct config *config, struct buf *why);
void s3_metrics(const void *opened, const struct config *config, struct buf *out);

/* [any] The destination's; valid as long as the table is held. */
struct s3_keyring *s3_open_keyring(const struct table *table, const struct destination *to);
struct s3_counts *s3_open_counts(const struct table *table, const struct destination *to);
struct state *s3_open_state(const struct table *table); /* the journal of commits; NULL: there is none */

#endif
