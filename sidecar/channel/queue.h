// SPDX-License-Identifier: MIT
/* queue.h - the line of forms that wait for memory which they need before their body is read. One line for all workers: first
 * come, first served.
 *
 *   OUT ─queue_enter▶ WAITS ─memory is there, and nobody is before it▶ GRANTED ─queue_fetch▶ OUT, with its chunks reserved
 *    ▲  └─at once, with its chunks                └──────────queue_leave──────────┘│
 *    └─────────────────────────────────────────────────────────────────────────────┘
 *
 * No form may overtake another one, however little it wants, so that a large one is not kept out for ever. Memory is granted by
 * pool_reserve_ahead(). There is one lock, which is never held for longer than it takes to grant.
 */
#ifndef PENSTOCK_QUEUE_H
#define PENSTOCK_QUEUE_H

#include "channel/pool.h"
#include "loop/mailbox.h"

struct queue;

enum queue_state { QUEUE_OUT, QUEUE_WAITS, QUEUE_GRANTED };

/* One thread whose forms wait here. It must live until every thread that has places in the queue has ended. */
struct queue_side {
	struct mailbox *box;
	struct mail *mail;                         /* posted with bits 1: ask queue_fetch() */
	struct queue_place *granted, *granted_end; /* the queue's */
};

struct queue_place { /* zeroed; all of it is the queue's, but for `state`, which its side may read to know whether it is OUT */
	enum queue_state state;
	struct queue_side *side;
	size_t n;
	struct queue_place *next, *before;
};

struct queue *queue_new(struct pool *pool, struct error *err); /* NULL: err says why */
void queue_free(struct queue *queue);                          /* nobody is in it; NULL is fine */

/* [side] True: n chunks of POOL_KEEP (at most pool_most_ahead()) are reserved, and the place is OUT again. False: it waits. */
bool queue_enter(struct queue *queue, struct queue_side *side, struct queue_place *place, size_t n);

/* [side] Takes the place out of the line; what it was granted goes back to the pool. A place that is OUT is fine. */
void queue_leave(struct queue *queue, struct queue_place *place);

/* [side] The next of its places whose chunks are reserved now; it is OUT. NULL: none. */
struct queue_place *queue_fetch(struct queue *queue, struct queue_side *side);

/* [any] Grants what can be granted now. A side that has places that wait must see to it, by pool_wait(), that this is called
 * when chunks have come back to the pool. */
void queue_serve(struct queue *queue);

size_t queue_length(struct queue *queue); /* [any] how many wait */
size_t queue_wants(struct queue *queue);  /* [any] chunks that the first one wants; 0: none waits */

#endif
