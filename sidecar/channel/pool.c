// SPDX-License-Identifier: MIT
/* pool.c - see pool.h: the budget, which says how many chunks may still be reserved, and who waits for some. The chunks
 * themselves are pool_chunks.c's.
 *
 * Both counts of the budget (free, and reserved for POOL_KEEP) share one word: a reservation takes from both or
 * from neither. Taking one and putting it back when the other is short would refuse a third party for a moment,
 * who would then wait for a wake-up that nobody sends. */
#include "channel/pool.h"

#include "base/mem.h"
#include "base/must.h"
#include "channel/pool_priv.h"

#include <sys/mman.h>

#define MIN_CHUNKS 16u
#define UPLOAD_KEEPS                                                                                               \
	4u /* chunks that a simple upload needs of POOL_KEEP: a transfer's, and one for what it keeps */

#define KEPT_UNIT ((uint64_t)1 << 32) /* of `budget`: one chunk that is kept */

/* -- set-up ----------------------------------------------------------------------------------------- */

/* Never-used pages cost nothing as long as they stay small pages. */
static char *
map_arena(size_t size)
{
	void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (arena == MAP_FAILED)
		return NULL;
	madvise(arena, size, MADV_NOHUGEPAGE);
	return arena;
}

struct pool *
pool_new(uint64_t memory, struct error *err)
{
	struct pool *pool = mem_aligned(64, sizeof *pool);
	uint64_t total = memory / CHUNK_SIZE > MIN_CHUNKS ? memory / CHUNK_SIZE : MIN_CHUNKS;

	if (pool == NULL || total >= UINT32_MAX) {
		error_set(err, ERR_NOMEM, "memory: no room for the chunk pool");
		mem_free(pool);
		return NULL;
	}
	pool->total = (size_t)total;
	pool->keep_max = pool->total / 4 * 3;
	pool->arena = map_arena(pool->total * CHUNK_SIZE);
	pool->chunks = mem_array(pool->total, sizeof *pool->chunks);
	if (pool->arena == NULL || pool->chunks == NULL) {
		error_set(err, ERR_NOMEM, "memory: no room for the chunk pool");
		pool_free(pool);
		return NULL;
	}
	atomic_init(&pool->hot.top, pool->total);
	atomic_init(&pool->cold.top, 0);
	atomic_init(&pool->budget, pool->total);
	atomic_init(&pool->n_armed, 0);
	return pool;
}

void
pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	if (pool->arena != NULL && pool->chunks != NULL)
		must(atomic_load_explicit(&pool->budget, memory_order_acquire) == pool->total); /* all is back */
	if (pool->arena != NULL)
		munmap(pool->arena, pool->total * CHUNK_SIZE);
	mem_free(pool->chunks);
	mem_free(pool);
}

size_t
pool_total(const struct pool *pool)
{
	return pool->total;
}

size_t
pool_streams(const struct pool *pool)
{
	return pool->total - pool->keep_max;
}

/* Relaxed: a figure to steer by, out of date as soon as it is read. */
size_t
pool_available(const struct pool *pool)
{
	return (uint32_t)atomic_load_explicit(&pool->budget, memory_order_relaxed);
}

static size_t
keepable(const struct pool *pool, uint64_t budget)
{
	size_t free = (uint32_t)budget, room = pool->keep_max - (size_t)(budget / KEPT_UNIT);

	return free < room ? free : room;
}

size_t
pool_keepable(const struct pool *pool)
{
	return keepable(pool, atomic_load_explicit(&pool->budget, memory_order_relaxed));
}

bool
pool_is_used_up(const struct pool *pool)
{
	uint64_t budget = atomic_load_explicit(&pool->budget, memory_order_relaxed);

	return (uint32_t)budget < pool->total / 8 || keepable(pool, budget) < UPLOAD_KEEPS;
}

static size_t
lack(size_t have, size_t want)
{
	return have < want ? want - have : 0;
}

/* If n more were kept. */
static size_t
shortage(const struct pool *pool, uint64_t budget, size_t n)
{
	size_t of_streams = lack((uint32_t)budget, pool->total / 8 + UPLOAD_KEEPS + n);
	size_t of_kept = lack(keepable(pool, budget), pool->keep_max / 8 + UPLOAD_KEEPS + n);

	return of_streams > of_kept ? of_streams : of_kept;
}

size_t
pool_shortage(const struct pool *pool)
{
	return pool_lack_ahead(pool, 0);
}

size_t
pool_lack_ahead(const struct pool *pool, size_t n)
{
	return shortage(pool, atomic_load_explicit(&pool->budget, memory_order_relaxed), n);
}

size_t
pool_most_ahead(const struct pool *pool)
{
	return pool->keep_max - pool->keep_max / 8 - UPLOAD_KEEPS;
}

/* -- waiters ---------------------------------------------------------------------------------------- */

void
pool_add_waiter(struct pool *pool, struct pool_waiter *waiter)
{
	atomic_init(&waiter->armed, false);
	waiter->next = pool->waiters;
	pool->waiters = waiter;
}

/* Counted first, flag set second; wake_waiters() clears the flag first and counts off second. So n_armed is
 * never less than the number of flags that are set, whoever is in between, and "0" means that nobody waits. */
void
pool_wait(struct pool *pool, struct pool_waiter *waiter)
{
	/* seq_cst, like the look at n_armed in wake_waiters() and all that touches `budget`: either the giver sees
	 * our count, or our caller's next pool_reserve() sees his chunks. */
	atomic_fetch_add_explicit(&pool->n_armed, 1, memory_order_seq_cst);
	/* acq_rel: a giver who saw the count but came too early for the flag has written "false" over it in
	 * wake_waiters(); reading that, we see his chunks. */
	if (atomic_exchange_explicit(&waiter->armed, true, memory_order_acq_rel))
		atomic_fetch_sub_explicit(&pool->n_armed, 1, memory_order_relaxed); /* was armed, was counted */
}

static void
wake_waiters(struct pool *pool)
{
	if (atomic_load_explicit(&pool->n_armed, memory_order_seq_cst) == 0) /* pairs with pool_wait() */
		return;
	for (struct pool_waiter *w = pool->waiters; w != NULL; w = w->next) {
		/* An exchange even if the flag is not set: see pool_wait(), its partner. */
		if (!atomic_exchange_explicit(&w->armed, false, memory_order_acq_rel))
			continue;
		atomic_fetch_sub_explicit(&pool->n_armed, 1, memory_order_relaxed);
		mailbox_post(w->box, w->mail, 1);
	}
}

/* -- budget ----------------------------------------------------------------------------------------- */

static bool
can_afford(const struct pool *pool, uint64_t budget, size_t n, enum pool_use use)
{
	size_t kept = (size_t)(budget / KEPT_UNIT);

	if ((uint32_t)budget < n)
		return false;
	return use != POOL_KEEP || (n <= pool->keep_max && kept <= pool->keep_max - n);
}

/* At least acquire, pairing with pool_unreserve(), so that the chunks counted are on the stack for our pop;
 * seq_cst for pool_wait(). Where the exchange fails, relaxed is enough: what it has read is newer still. */
static bool
reserve(struct pool *pool, size_t n, enum pool_use use, bool ahead)
{
	uint64_t have = atomic_load_explicit(&pool->budget, memory_order_seq_cst), left;

	do {
		if (!can_afford(pool, have, n, use) || (ahead && shortage(pool, have, n) > 0))
			return false;
		left = have - n + (use == POOL_KEEP ? n * KEPT_UNIT : 0);
	} while (!atomic_compare_exchange_weak_explicit(
		&pool->budget, &have, left, memory_order_seq_cst, memory_order_relaxed));
	return true;
}

bool
pool_reserve(struct pool *pool, size_t n, enum pool_use use)
{
	return reserve(pool, n, use, false);
}

bool
pool_reserve_ahead(struct pool *pool, size_t n)
{
	return reserve(pool, n, POOL_KEEP, true);
}

void
pool_unreserve(struct pool *pool, size_t n, enum pool_use use)
{
	if (n == 0)
		return;
	/* At least release: after the push of pool_give(), pairing with pool_reserve(); seq_cst for pool_wait(). */
	atomic_fetch_add_explicit(&pool->budget, n - (use == POOL_KEEP ? n * KEPT_UNIT : 0), memory_order_seq_cst);
	wake_waiters(pool);
}
