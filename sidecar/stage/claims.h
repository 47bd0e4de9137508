// SPDX-License-Identifier: MIT
/* claims.h - the digests that a part says of its own bytes, in its head: Content-Digest and Repr-Digest (RFC 9530), and Content-MD5
 * (RFC 1864). Both digests of RFC 9530 are of the same bytes here, because no part and no body is encoded.
 *
 * Who asks that they are compared does not want to hear that they could not be: what cannot be read, or names no digest that is known
 * here, is refused. Beside a known one others are passed over. Pure. */
#ifndef PENSTOCK_CLAIMS_H
#define PENSTOCK_CLAIMS_H

#include "stage/stage.h"

#define CLAIMS_MAX 11u      /* of one part: five of each header of RFC 9530, and Content-MD5 */
#define CLAIM_BYTES_MAX 64u /* of a digest */

struct claim {
	enum digest digest;
	const char *header; /* that says it */
	unsigned char bytes[CLAIM_BYTES_MAX];
	size_t len;
};

struct claims { /* zeroed: none */
	struct claim list[CLAIMS_MAX];
	size_t n;
	unsigned digests; /* of enum digest: those that are said */
};

/* Reads what the part's head says in the headers that its rule names. False: ERR_RULE, in a sentence without the field's name. */
bool claims_read(struct claims *claims, const struct stage_part *part, struct error *err);

/* Has every claim of that digest these bytes? False: ERR_RULE, likewise; `name`: of the digest. */
bool claims_are_so(const struct claims *claims, enum digest digest, const char *name, const unsigned char *bytes,
	size_t len, struct error *err);

#endif
