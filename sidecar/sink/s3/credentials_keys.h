// SPDX-License-Identifier: MIT
/* credentials_keys.h - how snapshots of keys are made; credentials.h has what they are. [any] */
#ifndef PENSTOCK_S3_CREDENTIALS_KEYS_H
#define PENSTOCK_S3_CREDENTIALS_KEYS_H

#include "sink/s3/credentials.h"

/* The longest of each. A session token of STS has some hundreds of bytes to a few thousand; it is sent in a header line. */
#define S3_KEY_MAX 16384u

/* What a source has given, borrowed. */
struct s3_keys_parts {
	struct str access, secret;
	struct str token; /* absent or empty: none */
	int64_t obtained_s, expires_s;
};

/* Copies, held once by the caller. NULL: err says why: one of them is missing, too long, or holds what no header line may
 * (ERR_UPSTREAM), or out of memory. */
struct s3_keys *s3_keys_new(const struct s3_keys_parts *parts, struct error *err);

struct s3_keys *s3_keys_acquire(struct s3_keys *keys); /* by who holds it, or was handed it */

/* What s3_keys_new() would complain of: a constant. NULL: nothing. */
const char *s3_keys_fault(const struct s3_keys_parts *parts);

void s3_keys_free_text(char *text); /* a copy of a secret: wipes it. NULL is fine */

#endif
