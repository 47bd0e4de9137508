// SPDX-License-Identifier: MIT
/* mem.c - see mem.h. The fault counter is an atomic so that tests may run threads. */
#include "base/mem.h"

#include "base/small_blocks.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Atomic bool counts;      /* mem_fail() was called: else no thread writes what all threads share */
static _Atomic size_t made;      /* allocations since mem_fail() */
static _Atomic size_t fail_from; /* 0: never */
static _Atomic size_t fail_count;

/* Relaxed everywhere: the counter orders nothing but itself. */
static bool
must_fail_now(void)
{
	size_t n, from;

	if (!atomic_load_explicit(&counts, memory_order_relaxed))
		return false;
	n = atomic_fetch_add_explicit(&made, 1, memory_order_relaxed) + 1;
	from = atomic_load_explicit(&fail_from, memory_order_relaxed);
	return from != 0 && n >= from && n - from < atomic_load_explicit(&fail_count, memory_order_relaxed);
}

size_t
mem_fail(size_t nth, size_t count)
{
	size_t before = atomic_exchange_explicit(&made, 0, memory_order_relaxed);

	atomic_store_explicit(&counts, true, memory_order_relaxed);
	atomic_store_explicit(&fail_count, count, memory_order_relaxed);
	atomic_store_explicit(&fail_from, nth, memory_order_relaxed);
	return before;
}

void *
mem_alloc(size_t size)
{
	return must_fail_now() ? NULL : small_blocks_alloc(size);
}

void *
mem_zalloc(size_t size)
{
	return mem_array(1, size);
}

void *
mem_array(size_t count, size_t size)
{
	if (must_fail_now() || (size > 0 && count > SIZE_MAX / size))
		return NULL;
	return small_blocks_zeroed(count * size);
}

void *
mem_resize(void *p, size_t count, size_t size)
{
	if (must_fail_now() || (size > 0 && count > SIZE_MAX / size))
		return NULL;
	return small_blocks_resize(p, count * size);
}

void *
mem_aligned(size_t alignment, size_t size)
{
	size_t whole = (size + alignment - 1) / alignment * alignment;
	void *p = must_fail_now() ? NULL : aligned_alloc(alignment, whole);

	if (p != NULL)
		memset(p, 0, whole);
	return p;
}

void
mem_free(void *p)
{
	small_blocks_free(p);
}

void
mem_trim(void)
{
	malloc_trim(0);
}

size_t
mem_used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}
