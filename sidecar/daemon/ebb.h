// SPDX-License-Identifier: MIT
/* ebb.h - gives memory back to the system when a burst of uploads is over. What is free stays with the process otherwise: pages of
 * chunks, and of what was allocated, are warm for the next upload.
 *
 * Once a second it compares what is resident with what is in use. A count of requests would not do: a burst may come and go between
 * two looks, and what it has left is seen afterwards all the same. [main] */
#ifndef PENSTOCK_EBB_H
#define PENSTOCK_EBB_H

#include "base/error.h"
#include "channel/pool.h"
#include "loop/loop.h"

struct ebb {
	struct loop *loop;
	struct timer look;
	struct pool *pool;
	int statm;     /* what is resident, as the kernel says; -1: nobody says, so nothing is given back */
	uint64_t left; /* see ebb_is_due() */
};

/* All is the caller's and outlives it. False: out of memory. */
bool ebb_start(struct ebb *ebb, struct loop *loop, struct pool *pool, struct error *err);
void ebb_stop(struct ebb *ebb); /* also where it was not started */

/* Is enough resident (bytes) beside what is used, to be given back? *left is how much of that could not be given back the last time,
 * which stacks have, and buffers of connections: so much more is not worth another try. It shrinks from look to look, for some of
 * it may have become free. */
bool ebb_is_due(uint64_t *left, uint64_t resident, uint64_t used);

#endif
