// SPDX-License-Identifier: MIT
/* timers.c - see timers.h. timer->slot is its place in the heap + 1, so a zeroed timer is not set.
 *
 * A timer remembers the round (the call of timers_fire()) in which it was set. One that is set while others fire
 * is due in the next round at the earliest, and stands behind those of this round, however early its time: so it
 * can neither hold the loop nor keep another from firing. */
#include "loop/timers.h"

#include "base/mem.h"
#include "base/must.h"

static void
place(struct timers *timers, size_t at, struct timer *timer)
{
	timers->heap[at] = timer;
	timer->slot = at + 1;
}

static bool
is_before(const struct timer *a, const struct timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->round < b->round;
}

static void
sift_up(struct timers *timers, size_t at)
{
	struct timer *timer = timers->heap[at];

	while (at > 0 && is_before(timer, timers->heap[(at - 1) / 2])) {
		place(timers, at, timers->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(timers, at, timer);
}

static void
sift_down(struct timers *timers, size_t at)
{
	struct timer *timer = timers->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < timers->n && is_before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (child >= timers->n || !is_before(timers->heap[child], timer))
			break;
		place(timers, at, timers->heap[child]);
		at = child;
	}
	place(timers, at, timer);
}

static bool
grow(struct timers *timers)
{
	size_t cap = timers->cap > 0 ? timers->cap * 2 : 64;
	struct timer **heap = mem_resize(timers->heap, cap, sizeof(struct timer *));

	if (heap == NULL)
		return false;
	timers->heap = heap;
	timers->cap = cap;
	return true;
}

static void
set_time(const struct timers *timers, struct timer *timer, uint64_t at_ms)
{
	timer->at_ms = at_ms > timers->firing_ms ? at_ms : timers->firing_ms;
	timer->round = timers->round;
}

bool
timers_set(struct timers *timers, struct timer *timer, uint64_t at_ms)
{
	if (timer->slot == 0) {
		if (timers->n == timers->cap && !grow(timers))
			return false;
		set_time(timers, timer, at_ms);
		place(timers, timers->n++, timer);
		sift_up(timers, timer->slot - 1);
		return true;
	}
	must(timers->heap[timer->slot - 1] == timer);
	set_time(timers, timer, at_ms);
	sift_up(timers, timer->slot - 1);
	sift_down(timers, timer->slot - 1);
	return true;
}

void
timers_clear(struct timers *timers, struct timer *timer)
{
	size_t at = timer->slot - 1;
	struct timer *last;

	if (timer->slot == 0)
		return;
	must(timers->heap[at] == timer);
	timer->slot = 0;
	last = timers->heap[--timers->n];
	if (last == timer)
		return;
	place(timers, at, last);
	sift_up(timers, at);
	sift_down(timers, last->slot - 1);
}

uint64_t
timers_next(const struct timers *timers)
{
	return timers->n > 0 ? timers->heap[0]->at_ms : CLOCK_NEVER;
}

void
timers_fire(struct timers *timers, uint64_t now_ms)
{
	timers->round++;
	timers->firing_ms = now_ms;
	while (timers_next(timers) <= now_ms && timers->heap[0]->round != timers->round) {
		struct timer *timer = timers->heap[0];

		timers_clear(timers, timer);
		timer->fire(timer);
	}
	timers->firing_ms = 0;
}

void
timers_fini(struct timers *timers)
{
	must(timers->n == 0);
	mem_free(timers->heap);
}
