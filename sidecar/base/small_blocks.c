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

/* Of one size. */
struct size {
	struct link *first;
	unsigned n, n_asked; /* how many are kept; how often one was asked for since it was looked at */
};

struct kept {
	struct size sizes[N_SIZES];
	size_t bytes;
	uint64_t look_at_ms;
};

static pthread_key_t key;
static bool has_key;
static _Thread_local struct kept *mine;

static void
free_size(struct kept *kept, size_t i)
{
	struct size *size = &kept->sizes[i];

	for (struct link *link = size->first, *next; link != NULL; link = next) {
		next = link->next;
		free(link);
	}
	kept->bytes -= size->n * (i * STEP + EXTRA);
	size->first = NULL;
	size->n = 0;
}

static void
free_kept(void *arg)
{
	mine = NULL;
	for (size_t i = 0; i < N_SIZES; i++)
		free_size(arg, i);
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
small_blocks_take(size_t bytes)
{
	size_t i = index_for(bytes);
	struct size *size;
	struct link *link;

	if (mine == NULL || i >= N_SIZES)
		return NULL;
	size = &mine->sizes[i];
	size->n_asked++;
	link = size->first;
	if (link == NULL)
		return NULL;
	size->first = link->next;
	size->n--;
	mine->bytes -= i * STEP + EXTRA;
	return link;
}

bool
small_blocks_keep(void *block)
{
	size_t has = malloc_usable_size(block);
	size_t i = has > STEP + EXTRA ? (has - EXTRA) / STEP : has == STEP + EXTRA, bytes = i * STEP + EXTRA;
	struct link *link = block;
	struct size *size;

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	return false;
#endif
	if (mine == NULL || i == 0 || i >= N_SIZES || mine->bytes + bytes > SMALL_BLOCKS_KEPT)
		return false;
	size = &mine->sizes[i];
	link->next = size->first;
	size->first = link;
	size->n++;
	mine->bytes += bytes;
	return true;
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

static void
free_unasked(struct kept *kept)
{
	for (size_t i = 0; i < N_SIZES; i++) {
		if (kept->sizes[i].n_asked < kept->sizes[i].n)
			free_size(kept, i);
		kept->sizes[i].n_asked = 0;
	}
}

uint64_t
small_blocks_rest(uint64_t now_ms)
{
	struct kept *kept = kept_of_thread();

	if (kept == NULL)
		return CLOCK_NEVER;
	if (now_ms >= kept->look_at_ms) {
		free_unasked(kept);
		kept->look_at_ms = clock_after(now_ms, SMALL_BLOCKS_REST_MS);
	}
	return kept->bytes > 0 ? kept->look_at_ms : CLOCK_NEVER;
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
