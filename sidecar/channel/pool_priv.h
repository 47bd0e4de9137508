// SPDX-License-Identifier: MIT
/* pool_priv.h - what pool.c (the budget, and who waits for it) and pool_chunks.c (the chunks themselves) share. */
#ifndef PENSTOCK_POOL_PRIV_H
#define PENSTOCK_POOL_PRIV_H

#include "channel/pool.h"

#include <stdatomic.h>

struct pool {
	size_t total;
	size_t keep_max;
	char *arena;
	struct chunk *chunks; /* zeroed; pages of this, too, are touched only when a chunk of theirs is drawn */
	struct pool_waiter *waiters;
	struct stack {
		_Alignas(64) _Atomic uint64_t top; /* tag << 32 | index of the first chunk; `total`: none */
	} hot, cold;
	_Alignas(64) _Atomic uint64_t budget;  /* reserved for POOL_KEEP << 32 | not reserved at all */
	_Alignas(64) _Atomic unsigned n_armed; /* at least as many as waiters whose flag is set */
};

#endif
