// SPDX-License-Identifier: MIT
/* timers.h - the deadlines of one loop: a binary heap of borrowed struct timer. One thread. */
#ifndef PENSTOCK_TIMERS_H
#define PENSTOCK_TIMERS_H

#include "loop/loop.h"

struct timers {
	struct timer **heap; /* heap[0] is the earliest */
	size_t n, cap;
	uint64_t round;     /* calls of timers_fire() so far */
	uint64_t firing_ms; /* the time of the one that runs, else 0 */
};

bool timers_set(struct timers *timers, struct timer *timer, uint64_t at_ms); /* false: out of memory */
void timers_clear(struct timers *timers, struct timer *timer);
uint64_t timers_next(const struct timers *timers); /* CLOCK_NEVER: none is set */

/* Fires what is due, earliest first; a timer that is set anew to a time already past fires in the next call. */
void timers_fire(struct timers *timers, uint64_t now_ms);
void timers_fini(struct timers *timers);

#endif
