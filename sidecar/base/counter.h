// SPDX-License-Identifier: MIT
/* counter.h - a number that any thread may change and read. All accesses are relaxed: they say nothing about other memory. So a
 * reader learns roughly how many there are; exact for it is only what its own thread has added and taken away. */
#ifndef PENSTOCK_COUNTER_H
#define PENSTOCK_COUNTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct counter {
	_Atomic size_t n;
};

static inline void
counter_add(struct counter *counter, size_t n)
{
	atomic_fetch_add_explicit(&counter->n, n, memory_order_relaxed);
}

static inline void
counter_sub(struct counter *counter, size_t n)
{
	atomic_fetch_sub_explicit(&counter->n, n, memory_order_relaxed);
}

/* Adds one if that makes it no more than `most`. False: it is that many already. */
static inline bool
counter_take(struct counter *counter, size_t most)
{
	size_t n = atomic_load_explicit(&counter->n, memory_order_relaxed);

	while (n < most)
		if (atomic_compare_exchange_weak_explicit(
			    &counter->n, &n, n + 1, memory_order_relaxed, memory_order_relaxed))
			return true;
	return false;
}

/* For a figure that is set as a whole, and not counted up and down. */
static inline void
counter_set(struct counter *counter, size_t n)
{
	atomic_store_explicit(&counter->n, n, memory_order_relaxed);
}

static inline size_t
counter_read(const struct counter *counter)
{
	return atomic_load_explicit(&counter->n, memory_order_relaxed);
}

#endif
