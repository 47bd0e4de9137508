// SPDX-License-Identifier: MIT
/* object_digest.h - the digests of a part -> the Content-Digest that goes with its object (RFC 9530). */
#ifndef PENSTOCK_OBJECT_DIGEST_H
#define PENSTOCK_OBJECT_DIGEST_H

#include "stage/facts.h"
#include "txn/delivery.h"

#define OBJECT_DIGEST_MAX 256u /* bytes of it, and of what it lies in */

/* When the part is whole, and before its delivery is finished: sets digest of the delivery and of its order, if that says one. `facts`: of
 * the part, with sha256, sha512 or both. False: out of memory. */
bool object_digest_say(struct delivery *delivery, const struct facts *facts);

#endif
