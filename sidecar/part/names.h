// SPDX-License-Identifier: MIT
/* names.h - the names that the objects of one form are to get. No two may be the same at one place (config/route.h, `at`), also
 * if two destinations lead there: the second object would replace the first. `penstock check` finds templates that collide by
 * themselves; this finds names that collide by what clients put into them. Names with a {uuid} are not compared, because they
 * differ anyway, nor are those of POST, because the upstream makes names of its own. One thread. */
#ifndef PENSTOCK_NAMES_H
#define PENSTOCK_NAMES_H

#include "txn/delivery.h"

#define NAMES_BUCKETS 64

struct names {
	struct delivery *buckets[NAMES_BUCKETS];
};

/* Adds the delivery's target to the names. False: another delivery of the form has the same. */
bool names_add(struct names *names, struct delivery *delivery);

#endif
