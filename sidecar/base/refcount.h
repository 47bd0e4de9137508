// SPDX-License-Identifier: MIT
/* refcount.h - how many holders an object has. Any thread may release its hold; who releases the last one frees the object. */
#ifndef PENSTOCK_REFCOUNT_H
#define PENSTOCK_REFCOUNT_H

#include "base/must.h"

#include <stdatomic.h>
#include <stdbool.h>

struct refcount {
	_Atomic unsigned n;
};

static inline void
refcount_init(struct refcount *refs) /* held once, by whoever made it */
{
	atomic_init(&refs->n, 1);
}

/* The caller holds the object already, or was handed a hold of it. So it cannot be freed meanwhile, and no ordering is needed. */
static inline void
refcount_acquire(struct refcount *refs)
{
	must(atomic_fetch_add_explicit(&refs->n, 1, memory_order_relaxed) > 0);
}

/* True: that was the last one, and the caller frees it. acq_rel: what each holder did with it happens before the
 * last one's release (the releases of all pair with the acquire of the last). */
static inline bool
refcount_release(struct refcount *refs)
{
	unsigned before = atomic_fetch_sub_explicit(&refs->n, 1, memory_order_acq_rel);

	must(before > 0);
	return before == 1;
}

#endif
