// SPDX-License-Identifier: MIT
/* blocks.c - see blocks.h.
 *
 * A chunk that is cut up has 64 units, and a bit for each that is in use. Chunks with room stand in lists by the longest
 * run of free units in them, rounded down to a power of two: what is asked for is taken out of the shortest run that is
 * long enough, so long ones stay for large blocks. */
#include "channel/blocks.h"

#include "base/mem.h"
#include "base/must.h"

#include <string.h>

#define N_LISTS 7 /* runs of 1, 2, 4 ... 64 units */
#define FULL N_LISTS
#define ALL_FREE UINT64_MAX

struct blocks {
	struct pool *pool;
	struct chunk *lists[N_LISTS]; /* linked by chunk->link and chunk->back */
	size_t n_cut;                 /* chunks that are cut up */
	size_t charged;               /* bytes ... */
	size_t n_aside;               /* ... and chunks that stand for them */
	struct chunk *aside;
};

struct blocks *
blocks_new(struct pool *pool)
{
	struct blocks *blocks = mem_zalloc(sizeof *blocks);

	if (blocks != NULL)
		blocks->pool = pool;
	return blocks;
}

void
blocks_free(struct blocks *blocks)
{
	if (blocks == NULL)
		return;
	must(blocks->n_cut == 0 && blocks->n_aside == 0);
	mem_free(blocks);
}

struct pool *
blocks_pool(struct blocks *blocks)
{
	return blocks->pool;
}

/* -- runs of free units ----------------------------------------------------------------------------- */

/* Of these units, those at which a run of n free ones begins. */
static uint64_t
runs_of(uint64_t free, unsigned n)
{
	for (unsigned have = 1; have < n;) {
		unsigned more = have < n - have ? have : n - have;

		free &= free >> more;
		have += more;
	}
	return free;
}

static uint64_t
mask_of(unsigned at, unsigned n)
{
	return ALL_FREE >> (64 - n) << at;
}

/* FULL: no list. */
static unsigned
list_of(const struct chunk *chunk)
{
	for (unsigned i = N_LISTS; i-- > 0;)
		if (runs_of(chunk->free_units, 1u << i) != 0)
			return i;
	return FULL;
}

static void
link_in(struct blocks *blocks, struct chunk *chunk)
{
	unsigned i = list_of(chunk);

	if (i == FULL)
		return;
	chunk->back = NULL;
	chunk->link = blocks->lists[i];
	if (chunk->link != NULL)
		chunk->link->back = chunk;
	blocks->lists[i] = chunk;
}

static void
link_out(struct blocks *blocks, struct chunk *chunk)
{
	unsigned i = list_of(chunk);

	if (i == FULL)
		return;
	if (chunk->back != NULL)
		chunk->back->link = chunk->link;
	else
		blocks->lists[i] = chunk->link;
	if (chunk->link != NULL)
		chunk->link->back = chunk->back;
}

/* -- blocks ----------------------------------------------------------------------------------------- */

static unsigned
units_for(size_t size)
{
	return (unsigned)((size + sizeof(struct block) + BLOCK_UNIT - 1) / BLOCK_UNIT);
}

/* In the first list that may have it only the first chunk is looked at; in those after it every chunk has room enough. */
static struct chunk *
find_room(struct blocks *blocks, unsigned n)
{
	for (unsigned i = 0; i < N_LISTS; i++)
		if (2u << i > n && blocks->lists[i] != NULL && runs_of(blocks->lists[i]->free_units, n) != 0)
			return blocks->lists[i];
	return NULL;
}

static struct chunk *
cut_another(struct blocks *blocks)
{
	struct chunk *chunk;

	if (!pool_reserve(blocks->pool, 1, POOL_KEEP))
		return NULL;
	chunk = pool_draw(blocks->pool, POOL_KEEP);
	chunk->free_units = ALL_FREE;
	blocks->n_cut++;
	link_in(blocks, chunk);
	return chunk;
}

struct block *
blocks_take(struct blocks *blocks, size_t size)
{
	unsigned n = units_for(size), at;
	struct chunk *chunk = find_room(blocks, n);
	struct block *block;

	must(size >= 1 && size <= BLOCK_MAX);
	if (chunk == NULL)
		chunk = cut_another(blocks);
	if (chunk == NULL)
		return NULL;
	at = (unsigned)__builtin_ctzll(runs_of(chunk->free_units, n));
	link_out(blocks, chunk);
	chunk->free_units &= ~mask_of(at, n);
	link_in(blocks, chunk);
	block = (struct block *)(void *)(chunk->data + at * BLOCK_UNIT);
	*block = (struct block){ .chunk = chunk, .size = n * BLOCK_UNIT - (uint32_t)sizeof *block };
	return block;
}

void
blocks_give(struct blocks *blocks, struct block *block)
{
	struct chunk *chunk = block->chunk;
	unsigned at = (unsigned)(((char *)block - chunk->data) / BLOCK_UNIT);

	link_out(blocks, chunk);
	chunk->free_units |= mask_of(at, units_for(block->size));
	if (chunk->free_units != ALL_FREE) {
		link_in(blocks, chunk);
		return;
	}
	blocks->n_cut--;
	chunk->link = NULL;
	pool_give(blocks->pool, chunk);
}

struct chunk *
blocks_part_with(struct blocks *blocks, struct block *block)
{
	struct chunk *chunk = block->chunk;
	uint32_t end = block->end;

	must(block->size == BLOCK_MAX);
	blocks->n_cut--;
	memmove(chunk->data, block->data, end); /* over what says that it is a block */
	chunk->link = NULL;
	chunk->end = end;
	return chunk;
}

/* -- charges ---------------------------------------------------------------------------------------- */

static size_t
chunks_for(size_t bytes)
{
	return (bytes + CHUNK_SIZE - 1) / CHUNK_SIZE;
}

bool
blocks_charge(struct blocks *blocks, size_t size)
{
	size_t need = chunks_for(blocks->charged + size);

	if (need > blocks->n_aside) {
		if (!pool_set_aside(blocks->pool, need - blocks->n_aside, &blocks->aside))
			return false;
		blocks->n_aside = need;
	}
	blocks->charged += size;
	return true;
}

/* One more than is needed stays until nothing is, so that requests that come and go do not ask the pool each time. */
void
blocks_discharge(struct blocks *blocks, size_t size)
{
	size_t need;

	must(size <= blocks->charged);
	blocks->charged -= size;
	need = blocks->charged > 0 ? chunks_for(blocks->charged) + 1 : 0;
	if (blocks->n_aside <= need)
		return;
	pool_take_back_some(blocks->pool, blocks->n_aside - need, &blocks->aside);
	blocks->n_aside = need;
}
