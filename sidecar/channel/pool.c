// SPDX-License-Identifier: MIT
/* pool.c - see pool.h.
 *
 * The budget says how many chunks may still be reserved; two stacks hold those that nobody owns: the hot ones have been
 * used, the cold ones have no pages. A chunk is pushed before it is counted and counted off before it is popped, so there
 * are never fewer chunks on the stacks than reservations, and a draw cannot fail. Each is a Treiber stack of indices with
 * a tag against ABA.
 *
 * Both counts of the budget (free, and reserved for POOL_KEEP) share one word: a reservation takes from both or
 * from neither. Taking one and putting it back when the other is short would refuse a third party for a moment,
 * who would then wait for a wake-up that nobody sends. */
#include "channel/pool.h"

#include "base/mem.h"
#include "base/must.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define MIN_CHUNKS 16u
#define UPLOAD_KEEPS                                                                                               \
	4u /* chunks that a simple upload needs of POOL_KEEP: a transfer's, and one for what it keeps */
#define TRIES_MAX 1000000u /* no thread is so unlucky: then the budget is wrong */

#define KEPT_UNIT ((uint64_t)1 << 32) /* of `budget`: one chunk that is kept */

struct pool {
	size_t total;
	size_t keep_max;
	char *arena;
	struct chunk *chunks; /* zeroed; pages of this, too, are touched only when a chunk of theirs is drawn */
	struct pool_waiter *waiters;
	struct stack {
		_Alignas(64) _Atomic uint64_t top; /* tag << 32 | index of the first chunk; `total`: none */
	} hot, cold;
	_Alignas(64) _Atomic uint64_t budget;  /* reserved for POOL_KEEP << 32 | not reserved at all */
	_Alignas(64) _Atomic unsigned n_armed; /* at least as many as waiters whose flag is set */
};

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

/* -- chunks ----------------------------------------------------------------------------------------- */

static uint64_t
tagged(uint64_t old, uint32_t index)
{
	return ((old >> 32) + 1) << 32 | index;
}

/* `next` is stored relative to the chunk's own neighbour: zero, as memory begins, is "the one after me", and a
 * fresh pool is a whole list without a byte of it being written. */
static uint32_t
neighbour(const struct pool *pool, const struct chunk *chunk)
{
	return (uint32_t)(chunk - pool->chunks) + 1;
}

/* NULL: none is there at the moment. */
static struct chunk *
pop(struct pool *pool, struct stack *stack)
{
	/* acquire (here and on failure): pairs with the release in push(), for chunks[].next */
	uint64_t top = atomic_load_explicit(&stack->top, memory_order_acquire);
	struct chunk *chunk;
	uint32_t next;

	do {
		if ((uint32_t)top >= pool->total)
			return NULL;
		chunk = &pool->chunks[(uint32_t)top];
		/* Relaxed: another thread may pop this chunk and push it again meanwhile; then the tag has
		 * changed and what was read here is thrown away. */
		next = neighbour(pool, chunk) + atomic_load_explicit(&chunk->next, memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(
		&stack->top, &top, tagged(top, next), memory_order_acq_rel, memory_order_acquire));
	return chunk;
}

static void
push(struct pool *pool, struct stack *stack, struct chunk *chunk)
{
	uint32_t index = (uint32_t)(chunk - pool->chunks);
	uint64_t top = atomic_load_explicit(&stack->top, memory_order_relaxed);

	do
		atomic_store_explicit(&chunk->next, (uint32_t)top - neighbour(pool, chunk), memory_order_relaxed);
	/* release: publishes chunk->next; acquire: keeps the chain of pushes before us visible to whoever
	 * pops after us; pairs with pop() */
	while (!atomic_compare_exchange_weak_explicit(
		&stack->top, &top, tagged(top, index), memory_order_acq_rel, memory_order_relaxed));
}

/* There is one, for it is reserved; while we look at one stack it may come to lie on the other. */
static struct chunk *
take(struct pool *pool, struct stack *first, struct stack *second, enum pool_use use)
{
	struct chunk *chunk = NULL;

	for (unsigned tries = 0; chunk == NULL; tries++) {
		must(tries < TRIES_MAX);
		chunk = pop(pool, first);
		if (chunk == NULL)
			chunk = pop(pool, second);
	}
	chunk->data = pool->arena + (size_t)(chunk - pool->chunks) * CHUNK_SIZE;
	chunk->end = 0;
	chunk->link = NULL;
	chunk->use = (uint16_t)use;
	return chunk;
}

struct chunk *
pool_draw(struct pool *pool, enum pool_use use)
{
	struct chunk *chunk = take(pool, &pool->hot, &pool->cold, use);

	chunk->has_pages = true;
	return chunk;
}

void
pool_share(struct chunk *chunk, unsigned n)
{
	must(n >= 1 && n <= UINT8_MAX + 1u && !pool_is_shared(chunk));
	/* Relaxed: whoever hands it over after this (channel_push) publishes it. */
	atomic_store_explicit(&chunk->sharers, (uint8_t)(n - 1), memory_order_relaxed);
}

bool
pool_is_shared(const struct chunk *chunk)
{
	/* acquire: pairs with the release in is_last(), so that the reads of the others come before our writes */
	return atomic_load_explicit(&chunk->sharers, memory_order_acquire) > 0;
}

/* Is nobody left who has it beside the caller? A chunk that is not shared costs no more than a look. */
static bool
is_last(struct chunk *chunk)
{
	if (!pool_is_shared(chunk))
		return true;
	/* release: we have read what we wanted; acquire: so have those before us */
	if (atomic_fetch_sub_explicit(&chunk->sharers, 1, memory_order_acq_rel) > 0)
		return false;
	/* The others left between our look and our count, which went below zero: nobody will look at it any more. */
	atomic_store_explicit(&chunk->sharers, 0, memory_order_relaxed);
	return true;
}

void
pool_give(struct pool *pool, struct chunk *chunk)
{
	enum pool_use use;

	if (!is_last(chunk))
		return;
	use = (enum pool_use)chunk->use; /* before somebody else draws it */
	push(pool, &pool->hot, chunk);
	pool_unreserve(pool, 1, use);
}

void
pool_undraw(struct pool *pool, struct chunk *chunk)
{
	must(!pool_is_shared(chunk));
	push(pool, chunk->has_pages ? &pool->hot : &pool->cold, chunk);
}

/* The budget counts uses, not chunks, so it does not change. A chunk without pages would not know that it has some now. */
void
pool_swap_uses(struct chunk *full, struct chunk *kept)
{
	must(kept->use == POOL_KEEP && kept->has_pages);
	must(!pool_is_shared(full) && !pool_is_shared(kept));
	kept->use = full->use;
	full->use = POOL_KEEP;
}

/* -- chunks that stand for other memory ------------------------------------------------------------- */

void
pool_draw_aside(struct pool *pool, size_t n, struct chunk **list)
{
	while (n-- > 0) {
		struct chunk *chunk = take(pool, &pool->cold, &pool->hot, POOL_KEEP);

		if (chunk->has_pages)
			madvise(chunk->data, CHUNK_SIZE, MADV_DONTNEED);
		chunk->has_pages = false;
		chunk->link = *list;
		*list = chunk;
	}
}

bool
pool_set_aside(struct pool *pool, size_t n, struct chunk **list)
{
	if (!pool_reserve(pool, n, POOL_KEEP))
		return false;
	pool_draw_aside(pool, n, list);
	return true;
}

void
pool_take_back_some(struct pool *pool, size_t n, struct chunk **list)
{
	size_t done = 0;

	for (; done < n && *list != NULL; done++) {
		struct chunk *chunk = *list;

		*list = chunk->link;
		push(pool, &pool->cold, chunk);
	}
	pool_unreserve(pool, done, POOL_KEEP);
}

void
pool_take_back(struct pool *pool, struct chunk **list)
{
	pool_take_back_some(pool, SIZE_MAX, list);
}
