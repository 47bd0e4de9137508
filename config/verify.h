// SPDX-License-Identifier: MIT
/* verify.h - `verify` of a rule: the digests that a part says of itself have to be those of its bytes. */
#ifndef PENSTOCK_VERIFY_H
#define PENSTOCK_VERIFY_H

#include "config/loading.h"

#define VERIFY_FIELD_MAX 255u /* bytes */

/* Those that the length of what is said tells apart. */
#define VERIFY_FIELD_DIGESTS                                                                                       \
	((unsigned)DIGEST_SHA256 | (unsigned)DIGEST_SHA512 | (unsigned)DIGEST_SHA1 | (unsigned)DIGEST_MD5)

extern const struct key_table verify_keys;

void verify_check(struct loading *l, size_t route);

#endif
