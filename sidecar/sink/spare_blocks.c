// SPDX-License-Identifier: MIT
/* spare_blocks.c - see spare_blocks.h. What a thread keeps hangs on the thread itself, so nothing is shared. */
#include "sink/spare_blocks.h"

#include "base/small_blocks.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

	return block != NULL ? block : small_blocks_alloc(size);
}

void *
spare_blocks_again(void *block, size_t size)
{
	return block != NULL ? small_blocks_resize(block, size) : spare_blocks_take(size);
}

char *
spare_blocks_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = spare_blocks_take(size);

	return copy != NULL ? memcpy(copy, text, size) : NULL;
}

/* Anonymous pages that are given back are zeros when they are touched again. */
static void
clear(char *block, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t head = (page - (uintptr_t)block % page) % page, tail = (uintptr_t)(block + size) % page;

	if (head + tail >= size || madvise(block + head, size - head - tail, MADV_DONTNEED) != 0) {
		memset(block, 0, size);
		return;
	}
	memset(block, 0, head);
	memset(block + size - tail, 0, tail);
}

void *
spare_blocks_zeroed(size_t count, size_t size)
{
	size_t bytes = count * size;
	char *block;

	if (size > 0 && count > SIZE_MAX / size)
		return NULL;
	if (bytes < SPARE_ZEROED_LEAST)
		return small_blocks_zeroed(bytes);
	block = spare_blocks_take(bytes);
	if (block != NULL)
		clear(block, bytes);
	return block;
}

void
spare_blocks_give(void *block)
{
	struct spares *spares;
	size_t has;

	if (block == NULL) /* most of what libcurl frees is not there */
		return;
	if (small_blocks_keep(block))
		return;
	has = malloc_usable_size(block);
	spares = is_kept(has) ? spares_of_thread() : NULL;
	if (spares != NULL && spares->n < SPARE_BLOCKS_MAX)
		spares->blocks[spares->n++] = block;
	else
		free(block);
}
