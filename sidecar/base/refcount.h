// SPDX-License-Identifier: MIT
/* refcount.h - how many hold on to something that any thread may let go of; the last one frees it. */
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

/* Only by who holds it already, or was handed it: then it cannot go away meanwhile, and nothing needs ordering. */
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
