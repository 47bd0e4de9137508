// SPDX-License-Identifier: MIT
/* reserve.h - memory of the pool that one form has for itself, from before its body is asked for until its end: whoever carries
 * its objects away takes of it what he holds, and gives that back when it is no longer needed.
 *
 * Its users may be on other threads than its form. One lock, held for a few instructions and, where somebody waits, to wake him.
 *
 * Whoever takes of it takes at once all that he will hold before he gives some back: two that have half each would wait for each
 * other for ever. It has so much for one of a form's objects that come one after the other, and for each that gets bytes all along
 * (form_memory of config/kind.h). So whoever waits does so for one that has all it wants, and whose bytes are here already, or come
 * before his own.
 */
#ifndef PENSTOCK_RESERVE_H
#define PENSTOCK_RESERVE_H

#include "channel/channel.h"
#include "channel/pool.h"

struct reserve;

/* [any] Takes n chunks of POOL_KEEP over that are reserved. NULL: out of memory, they are still the caller's. */
struct reserve *reserve_new(struct pool *pool, size_t n);
struct reserve *reserve_acquire(struct reserve *reserve); /* [any] returns it; NULL is fine */

/* [any] With the last one all of it goes back to the pool; whatever was taken must be back by then. NULL is fine. */
void reserve_release(struct reserve *reserve);

size_t reserve_size(const struct reserve *reserve); /* [any] chunks, taken or not */

/* One consumer of a channel who takes from it. Zeroed but for `channel`, which is where he is told that something came back. */
struct reserve_user {
	struct channel *channel;
	struct reserve_user *next; /* the reserve's */
	bool waits;                /* the same */
};

/* [consumer] True: n more chunks of POOL_KEEP are his, to pool_draw() or pool_draw_aside(). False: not now, and his channel
 * is told CHANNEL_DATA when some came back, upon which he asks again. */
bool reserve_take(struct reserve *reserve, struct reserve_user *user, size_t n);

void reserve_put(struct reserve *reserve, size_t n);             /* [any] n that were taken and are not drawn */
void reserve_give(struct reserve *reserve, struct chunk *chunk); /* [the only owner] one that was drawn */
void reserve_take_back(
	struct reserve *reserve, struct chunk **list); /* [any] all of pool_draw_aside(); leaves NULL */

/* [consumer] He does not wait any more; once, before he reports CHANNEL_ENDED. */
void reserve_forget(struct reserve *reserve, struct reserve_user *user);

#endif
