// SPDX-License-Identifier: MIT
/* pool.h - the memory budget: every body byte that waits in penstock lies in a chunk of this pool (the buffers that
 * libmicrohttpd and libcurl read into and send from are their own).
 *
 * One arena of `memory` bytes cut into chunks of CHUNK_SIZE. Pages are touched when first used; free chunks
 * are a last-in-first-out list, so the next one handed out is the one most likely still in the cache.
 * Lock-free, shared by all threads.
 *
 * To reserve and to draw are two steps, so that no work is begun that could not be finished for want of a chunk:
 * pool_reserve() takes n chunks off the budget (or says no), pool_draw() then hands them out one by one
 * and cannot fail; what was not drawn is returned by pool_unreserve().
 *
 * There are two uses. POOL_STREAM chunks are on their way to a destination and come back by themselves. POOL_KEEP
 * chunks are held until their request's commit, or until the object turns out to be long and is streamed after all. Some of
 * these are only set aside: they stand for memory that lies elsewhere and is held for as long (a transfer's buffer, what is known
 * of thousands of parts). POOL_KEEP may take at most three quarters of the pool, so that streams always move, and no form waits
 * for memory that only its own end would free.
 */
#ifndef PENSTOCK_POOL_H
#define PENSTOCK_POOL_H

#include "base/error.h"
#include "loop/mailbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_SIZE 32768u

enum pool_use { POOL_STREAM, POOL_KEEP };

/* A piece of body. Its owner may read and write everything but the fields marked as the pool's. An owner remembers by itself how
 * far it has read: once pool_share() was called a chunk has several owners, and they only read it. */
struct chunk {
	char *data;              /* CHUNK_SIZE bytes */
	struct chunk *link;      /* free for the owner's own lists */
	struct chunk *back;      /* the same */
	uint64_t free_units;     /* the same; blocks.h */
	uint32_t end;            /* data[0..end) is content */
	_Atomic uint32_t next;   /* the pool's */
	uint16_t use;            /* the pool's */
	_Atomic uint8_t sharers; /* the pool's: how many owners it has beside the one that asks */
	bool has_pages;          /* the pool's: it may have been written to */
};

struct pool;

struct pool *pool_new(uint64_t memory, struct error *err); /* at least 16 chunks */
void pool_free(struct pool *pool);                         /* every chunk must be back; NULL is fine */

bool pool_reserve(struct pool *pool, size_t n, enum pool_use use);   /* [any] false: not now */
struct chunk *pool_draw(struct pool *pool, enum pool_use use);       /* [any] one of the reserved; end = 0 */
void pool_unreserve(struct pool *pool, size_t n, enum pool_use use); /* [any] wakes waiters */
void pool_give(struct pool *pool, struct chunk *chunk);              /* [any] back to the budget; wakes waiters */

/* [the only owner] From now on the chunk has `n` owners (1..256), and none of them writes to it. Each calls pool_give() once; with
 * the last call it is back. */
void pool_share(struct chunk *chunk, unsigned n);
bool pool_is_shared(
	const struct chunk *chunk); /* [an owner] false: the caller is the only one left, and may write to it */

/* [any] Gives the chunk back but keeps its reservation, for which the caller may draw another one. */
void pool_undraw(struct pool *pool, struct chunk *chunk);

/* [the only owner of both] Two chunks exchange their uses: so a full chunk that came through a channel (for POOL_STREAM, or for
 * POOL_KEEP where it had been kept before) may be held in place of an empty one of POOL_KEEP that was reserved for that, and
 * nothing is copied. */
void pool_swap_uses(struct chunk *full, struct chunk *kept);

/* [any] n chunks of POOL_KEEP stand for memory that somebody has beside the pool: they are put in front of *list, and have
 * no pages as long as they are there, so that pool and that memory together stay within the budget. False: not now. */
bool pool_set_aside(struct pool *pool, size_t n, struct chunk **list);
void pool_draw_aside(
	struct pool *pool, size_t n, struct chunk **list); /* [any] the same of what is reserved: cannot fail */
void pool_take_back(
	struct pool *pool, struct chunk **list); /* [any] all of them, which leaves NULL; wakes waiters */
void pool_take_back_some(struct pool *pool, size_t n, struct chunk **list); /* [any] the first n of them */

size_t pool_cool(
	struct pool *pool); /* [any] gives the pages of free chunks back to the system: of so many chunks */

/* [any] Reserves n chunks of POOL_KEEP for a form that is about to begin, and leaves so many that the pool is not short afterwards:
 * what is under way still finds the little that it needs. False: not now. More than pool_most_ahead() can never be had. */
bool pool_reserve_ahead(struct pool *pool, size_t n);
size_t pool_most_ahead(const struct pool *pool);
size_t pool_lack_ahead(
	const struct pool *pool, size_t n); /* how many would have to come back before that; 0: none */

size_t pool_total(const struct pool *pool);     /* chunks */
size_t pool_streams(const struct pool *pool);   /* of these, what POOL_KEEP cannot take */
size_t pool_available(const struct pool *pool); /* [any] chunks that could be reserved for POOL_STREAM now */
size_t pool_keepable(const struct pool *pool);  /* [any] chunks that could be reserved for POOL_KEEP now */

/* [any] What an upload that begins now would find. Used up: it would be refused on its way, or wait for all others, so none is let
 * in. Short: the pool is nearly used up, so clients that hold memory and bring nothing are given up; pool_shortage() says how many
 * chunks have to come back until it is not short any more, 0: it is not. */
bool pool_is_used_up(const struct pool *pool);
size_t pool_shortage(const struct pool *pool);

/* One loop that wants to hear when chunks have come back. At most one per loop, registered at the start and never taken out. It
 * must live until every thread that may give chunks back has ended, though its own may end before. */
struct pool_waiter {
	struct mailbox *box;
	struct mail *mail;  /* posted with bits 1 when chunks came back after pool_wait() */
	_Atomic bool armed; /* the pool's */
	struct pool_waiter *next;
};

void pool_add_waiter(struct pool *pool, struct pool_waiter *waiter); /* [main] before the threads run */

/* [waiter's thread] Arms the waiter. The caller then tries pool_reserve() once more, because chunks may
 * have come back in between; if that fails too, the mail will come. */
void pool_wait(struct pool *pool, struct pool_waiter *waiter);

#endif
