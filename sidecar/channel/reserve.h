// SPDX-License-Identifier: MIT
/* reserve.h - memory of the pool that one form has for itself, from before its body is asked for until its end. The transfers that
 * carry its objects away take what they hold out of it, and put it back when it is no longer needed.
 *
 * Transfers may be on other threads than their form. There is one lock, held for a few instructions and to wake who waits.
 *
 * A transfer takes at once all that it will hold before it puts any back: two that had half each would wait for each other for
 * ever. A reserve is large enough for one of the objects that come one after the other, and for each object that gets bytes all
 * along (form_memory of config/kind.h). So a transfer that waits does so only for one that has all it wants, and whose bytes are
 * here already or come before its own: that one gets done.
 */
#ifndef PENSTOCK_RESERVE_H
#define PENSTOCK_RESERVE_H

#include "channel/channel.h"
#include "channel/pool.h"

struct reserve;

/* [any] Takes over n chunks of POOL_KEEP that the caller has reserved. NULL: out of memory, and they are still the caller's. */
struct reserve *reserve_new(struct pool *pool, size_t n);
struct reserve *reserve_acquire(struct reserve *reserve); /* [any] returns it; NULL is fine */

/* [any] With the last release all of it goes back to the pool; whatever was taken out must have been put back by then. NULL is
 * fine. */
void reserve_release(struct reserve *reserve);

size_t reserve_size(const struct reserve *reserve); /* [any] chunks, taken or not */

/* One transfer that takes from it. Zeroed but for `channel`, through which it is told that chunks were put back. */
struct reserve_user {
	struct channel *channel;
	struct reserve_user *next; /* the reserve's */
	bool waits;                /* the same */
};

/* [consumer] True: n more chunks of POOL_KEEP are the consumer's, to pool_draw() or pool_draw_aside(). False: not now. Then its
 * channel is told CHANNEL_DATA when some have been put back, and the consumer asks again. */
bool reserve_take(struct reserve *reserve, struct reserve_user *user, size_t n);

void reserve_put(struct reserve *reserve, size_t n);             /* [any] n that were taken and are not drawn */
void reserve_give(struct reserve *reserve, struct chunk *chunk); /* [the only owner] one that was drawn */
void reserve_take_back(
	struct reserve *reserve, struct chunk **list); /* [any] all of pool_draw_aside(); leaves NULL */

/* [consumer] It waits no more. To be called once, before the consumer reports CHANNEL_ENDED. */
void reserve_forget(struct reserve *reserve, struct reserve_user *user);

#endif
