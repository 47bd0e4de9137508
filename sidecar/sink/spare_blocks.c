// SPDX-License-Identifier: MIT
/* spare_blocks.c - see spare_blocks.h. What a thread keeps hangs on the thread itself, so nothing is shared. */
#include "sink/spare_blocks.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

struct spares {
	void *blocks[SPARE_BLOCKS_MAX];
	size_t n;
};

static pthread_key_t key;
static bool has_key;

static void
free_spares(void *arg)
{
	struct spares *spares = arg;

	while (spares->n > 0)
		free(spares->blocks[--spares->n]);
	free(spares);
}

static void
make_key(void)
{
	has_key = pthread_key_create(&key, free_spares) == 0;
}

bool
spare_blocks_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	return pthread_once(&once, make_key) == 0 && has_key;
}

/* NULL: out of memory. */
static struct spares *
spares_of_thread(void)
{
	struct spares *spares = pthread_getspecific(key);

	if (spares != NULL)
		return spares;
	spares = calloc(1, sizeof *spares);
	if (spares == NULL || pthread_setspecific(key, spares) == 0)
		return spares;
	free(spares);
	return NULL;
}

static bool
is_kept(size_t size)
{
	return size >= SPARE_BLOCK_LEAST && size <= SPARE_BLOCK_LARGEST;
}

/* One that is not much too large. */
static void *
take_spare(size_t size)
{
	struct spares *spares = pthread_getspecific(key);

	for (size_t i = spares != NULL ? spares->n : 0; i > 0; i--) {
		void *block = spares->blocks[i - 1];
		size_t has = malloc_usable_size(block);

		if (has < size || has / 2 > size)
			continue;
		spares->blocks[i - 1] = spares->blocks[--spares->n];
		return block;
	}
	return NULL;
}

void *
spare_blocks_take(size_t size)
{
	void *block = is_kept(size) ? take_spare(size) : NULL;

	return block != NULL ? block : malloc(size);
}

void
spare_blocks_give(void *block)
{
	struct spares *spares = block != NULL && is_kept(malloc_usable_size(block)) ? spares_of_thread() : NULL;

	if (spares != NULL && spares->n < SPARE_BLOCKS_MAX)
		spares->blocks[spares->n++] = block;
	else
		free(block);
}
