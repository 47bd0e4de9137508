// SPDX-License-Identifier: MIT
/* reserve.h - places of `limits.concurrent` that the agent has promised to uploads which have not arrived yet.
 *
 * The agent counts such an upload in as if it had begun, and puts the key of its place here. The thread that meets the
 * upload takes the key out: it has the place then, and gives it back when the request is over, or at once if it is
 * refused. A key that nobody takes is taken out by the agent itself (spoa/promises.h). Whoever takes a key out, the other
 * one no longer finds it: that is all that passes between them. Plain data, no locks, nothing to free.
 */
#ifndef PENSTOCK_RESERVE_H
#define PENSTOCK_RESERVE_H

#include "base/counter.h"
#include "base/str.h"

#define RESERVE_SLOTS 1024u
#define RESERVE_TRIES 8u /* slots that a key may be in: with one, any two of 1024 would want the same */

struct reserve {
	struct counter slots[RESERVE_SLOTS]; /* a key, or 0; zeroed: empty */
};

/* [any] Of a request's id and the counter of its route, so that a key is good for that counter alone. Never 0. */
size_t reserve_key(struct str id, const struct counter *counter);

bool reserve_put(struct reserve *reserve, size_t key); /* [agent] false: it is there, or no slot is free */
bool reserve_take(
	struct reserve *reserve, size_t key); /* [any] true: it was there, and the place is the caller's */

#endif
