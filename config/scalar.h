// SPDX-License-Identifier: MIT
/* scalar.h - the values of a route file that are numbers: `10`, `64MiB`, `30s`; and true and false. Pure.
 *
 * The readers return false with a sentence that says what is wrong with the text as written. Ranges are
 * not theirs: the key table has them.
 */
#ifndef PENSTOCK_SCALAR_H
#define PENSTOCK_SCALAR_H

#include "base/error.h"
#include "base/str.h"

/* For the JSON Schema: what the readers accept. */
#define SCALAR_SIZE_PATTERN "^[0-9]+(B|KiB|MiB|GiB|TiB|PiB|EiB)?$"
#define SCALAR_TIME_PATTERN "^[0-9]+(ms|s|m|h)$"
#define SCALAR_RATE_PATTERN "^[0-9]+(B|KiB|MiB|GiB|TiB|PiB|EiB)?/s$"

bool scalar_count(struct str text, uint64_t *out, struct error *err);
bool scalar_size(struct str text, uint64_t *out, struct error *err); /* bytes; a plain number is bytes */
bool scalar_time(struct str text, uint64_t *out, struct error *err); /* milliseconds; needs its unit */
bool scalar_rate(struct str text, uint64_t *out, struct error *err); /* bytes a second: a size and "/s" */
bool scalar_bool(struct str text, bool *out, struct error *err);

/* Appends a value as a person would write it: the largest unit without a remainder. */
void scalar_add_size(struct buf *out, uint64_t bytes);
void scalar_add_time(struct buf *out, uint64_t ms);
void scalar_add_rate(struct buf *out, uint64_t per_second);

#endif
