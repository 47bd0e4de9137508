// SPDX-License-Identifier: MIT
/* nearest.h - "did you mean ...": the known word that is closest to one that is not known. Pure.
 *
 * Offer the known words one by one; `best` is the closest so far, NULL while none is close enough.
 */
#ifndef PENSTOCK_NEAREST_H
#define PENSTOCK_NEAREST_H

#include "base/str.h"

struct nearest {
	struct str word; /* what was written */
	const char *best;
	unsigned distance; /* of best */
};

void nearest_offer(struct nearest *n, const char *known);

/* Letters to change, add, drop or swap with a neighbour to get from a to b (optimal string alignment);
 * UINT_MAX if one is longer than 64 bytes. */
unsigned nearest_distance(struct str a, struct str b);

#endif
