// SPDX-License-Identifier: MIT
/* pool_chunks.c - the chunks of pool.h.
 *
 * Two stacks hold those that nobody owns: the hot ones have been used, the cold ones have no pages. A chunk is pushed before it is
 * counted and counted off before it is popped, so there are never fewer chunks on the stacks than reservations, and a draw
 * cannot fail. Each is a Treiber stack of indices with a tag against ABA. */
#include "base/must.h"
#include "channel/pool_priv.h"

#include <sys/mman.h>

#define TRIES_MAX 1000000u /* no thread is so unlucky: then the budget is wrong */

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

static void
drop_pages(struct chunk *chunk)
{
	if (chunk->has_pages)
		madvise(chunk->data, CHUNK_SIZE, MADV_DONTNEED);
	chunk->has_pages = false;
}

/* It is reserved as long as it lies on no stack, so that nobody who has a reservation looks for it. */
static bool
cool_one(struct pool *pool)
{
	struct chunk *chunk;

	if (!pool_reserve(pool, 1, POOL_STREAM))
		return false;
	chunk = pop(pool, &pool->hot);
	if (chunk != NULL) {
		drop_pages(chunk);
		push(pool, &pool->cold, chunk);
	}
	pool_unreserve(pool, 1, POOL_STREAM);
	return chunk != NULL;
}

size_t
pool_cool(struct pool *pool)
{
	size_t n = 0;

	while (n < pool->total && cool_one(pool))
		n++;
	return n;
}

/* -- chunks that stand for other memory ------------------------------------------------------------- */

void
pool_draw_aside(struct pool *pool, size_t n, struct chunk **list)
{
	while (n-- > 0) {
		struct chunk *chunk = take(pool, &pool->cold, &pool->hot, POOL_KEEP);

		drop_pages(chunk);
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
