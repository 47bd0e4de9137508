// SPDX-License-Identifier: MIT
/* credentials_keys.h - makes snapshots of keys; credentials.h says what they are. [any] */
#ifndef PENSTOCK_S3_CREDENTIALS_KEYS_H
#define PENSTOCK_S3_CREDENTIALS_KEYS_H

#include "sink/s3/credentials.h"

/* Bytes of each text at most. A session token of STS has some hundreds of bytes to a few thousand; it is sent in a header line. */
#define S3_KEY_MAX 16384u

/* What a source has given. Borrowed. */
struct s3_keys_parts {
	struct str access, secret;
	struct str token; /* absent or empty: none */
	int64_t obtained_s, expires_s;
};

/* Copies them; the caller gets the first reference. NULL: err says why: one of them is missing, too long, or has a byte that no
 * header line may have (ERR_UPSTREAM), or out of memory. */
struct s3_keys *s3_keys_new(const struct s3_keys_parts *parts, struct error *err);

struct s3_keys *s3_keys_acquire(struct s3_keys *keys); /* the caller holds it, or was handed it */

/* Why s3_keys_new() would refuse them: a constant. NULL: it would not. */
const char *s3_keys_fault(const struct s3_keys_parts *parts);

void s3_keys_free_text(char *text); /* wipes and frees a copy of a secret. NULL is fine */

#endif
