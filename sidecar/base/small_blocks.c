// SPDX-License-Identifier: MIT
/* small_blocks.c - see small_blocks.h. For each size there is a list, last in, first out, through the blocks themselves. Sizes are those
 * that glibc's malloc makes: eight bytes more than a multiple of sixteen. */
#include "base/small_blocks.h"

#include "base/clock.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STEP 16u
#define EXTRA 8u
#define N_SIZES (SMALL_BLOCK_MAX / STEP)

struct link {
	struct link *next;
};

struct kept {
	struct link *first[N_SIZES];
	bool was_asked[N_SIZES]; /* for one of that size, since unasked ones were freed the last time */
	size_t n_refused;        /* since then */
	size_t n, bytes;
	size_t n_asked; /* for any, since small_blocks_rest() looked */
	uint64_t look_at_ms;
};

static pthread_key_t key;
static bool has_key;
static _Thread_local struct kept *mine;

static void
free_all_of(struct kept *kept, size_t i)
{
	while (kept->first[i] != NULL) {
		struct link *link = kept->first[i];

		kept->first[i] = link->next;
		kept->bytes -= i * STEP + EXTRA;
		kept->n--;
		free(link);
	}
}

static void
free_all(struct kept *kept)
{
	for (size_t i = 0; i < N_SIZES; i++)
		free_all_of(kept, i);
}

static void
free_kept(void *arg)
{
	mine = NULL;
	free_all(arg);
	free(arg);
}

void
small_blocks_start(void)
{
	has_key = has_key || pthread_key_create(&key, free_kept) == 0;
}

/* The least i of which a block has i * STEP + EXTRA bytes or more. */
static size_t
index_for(size_t size)
{
	return size <= STEP + EXTRA ? 1 : (size + STEP - EXTRA - 1) / STEP;
}

/* What malloc is to be asked for, so that the block can serve all of its size afterwards. */
static size_t
whole(size_t size)
{
	return size <= SMALL_BLOCK_MAX ? index_for(size) * STEP + EXTRA : size;
}

void *
small_blocks_take(size_t size)
{
	size_t i = index_for(size);
	struct link *link;

	if (mine == NULL || i >= N_SIZES)
		return NULL;
	mine->was_asked[i] = true;
	mine->n_asked++;
	link = mine->first[i];
	if (link == NULL)
		return NULL;
	mine->first[i] = link->next;
	mine->bytes -= i * STEP + EXTRA;
	mine->n--;
	return link;
}

/* NULL: out of memory. */
static struct kept *
kept_of_thread(void)
{
	if (mine != NULL || !has_key)
		return mine;
	mine = calloc(1, sizeof *mine);
	if (mine != NULL && pthread_setspecific(key, mine) != 0) {
		free(mine);
		mine = NULL;
	}
	return mine;
}

/* Sizes that nobody asks for any more would fill it for ever. To look for them takes as long as some blocks do to be freed. */
static bool
has_room(struct kept *kept, size_t bytes)
{
	if (kept->bytes + bytes <= SMALL_BLOCKS_KEPT)
		return true;
	if (++kept->n_refused < N_SIZES)
		return false;
	for (size_t i = 0; i < N_SIZES; i++) {
		if (!kept->was_asked[i])
			free_all_of(kept, i);
		kept->was_asked[i] = false;
	}
	kept->n_refused = 0;
	return kept->bytes + bytes <= SMALL_BLOCKS_KEPT;
}

bool
small_blocks_keep(void *block)
{
	size_t has = malloc_usable_size(block);
	size_t i = has > STEP + EXTRA ? (has - EXTRA) / STEP : has == STEP + EXTRA, bytes = i * STEP + EXTRA;
	struct link *link = block;
	struct kept *kept;

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	return false;
#endif
	if (i == 0 || i >= N_SIZES)
		return false;
	kept = kept_of_thread();
	if (kept == NULL || !has_room(kept, bytes))
		return false;
	link->next = kept->first[i];
	kept->first[i] = link;
	kept->bytes += bytes;
	kept->n++;
	return true;
}

uint64_t
small_blocks_rest(uint64_t now_ms)
{
	struct kept *kept = mine;

	if (kept == NULL || kept->n == 0)
		return CLOCK_NEVER;
	if (now_ms < kept->look_at_ms)
		return kept->look_at_ms;
	if (kept->look_at_ms != 0 && kept->n_asked < kept->n) {
		free_all(kept);
		kept->look_at_ms = 0; /* a new second begins with the next block */
		return CLOCK_NEVER;
	}
	kept->n_asked = 0;
	kept->look_at_ms = clock_after(now_ms, SMALL_BLOCKS_REST_MS);
	return kept->look_at_ms;
}

/* -- as a heap ---------------------------------------------------------------------------------------- */

void *
small_blocks_alloc(size_t size)
{
	void *block = small_blocks_take(size);

	return block != NULL ? block : malloc(whole(size));
}

void *
small_blocks_zeroed(size_t size)
{
	void *block = small_blocks_take(size);

	return block != NULL ? memset(block, 0, size) : calloc(1, whole(size));
}

void *
small_blocks_resize(void *block, size_t size)
{
	size_t has = block != NULL ? malloc_usable_size(block) : 0;
	void *larger;

	if (has >= SMALL_BLOCK_MAX)
		return realloc(block, size);
	if (block != NULL && has >= size)
		return block;
	larger = small_blocks_alloc(size);
	if (larger == NULL || block == NULL)
		return larger;
	memcpy(larger, block, has);
	small_blocks_free(block);
	return larger;
}

void
small_blocks_free(void *block)
{
	if (block != NULL && !small_blocks_keep(block))
		free(block);
}
