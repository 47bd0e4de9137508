// SPDX-License-Identifier: MIT
/* names.h - the names that the objects of one form are to get: no two of them may be the same, or the second would
 * take the first one's place, whatever the destinations are called (config/route.h, `at`). `penstock check` finds what templates show; what clients put into them is seen here.
 * Names with a {uuid} differ anyway, and of those sent by POST the upstream makes its own. One thread. */
#ifndef PENSTOCK_NAMES_H
#define PENSTOCK_NAMES_H

#include "txn/delivery.h"

#define NAMES_BUCKETS 64

struct names {
	struct delivery *buckets[NAMES_BUCKETS];
};

/* Takes in the delivery's target. False: another one of the form has it. */
bool names_add(struct names *names, struct delivery *delivery);

#endif
