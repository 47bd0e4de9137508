// SPDX-License-Identifier: MIT
/* loop.h - one thread's event loop: descriptors (epoll), deadlines (a heap), a mailbox, and hooks for the
 * libraries that bring an event loop of their own. Knows nothing of uploads.
 *
 * One turn:  sleep until something is due ─▶ ready descriptors ─▶ mail ─▶ due timers ─▶ hooks
 *
 * Everything here belongs to the thread in loop_run() (or to the thread that sets the loop up before
 * that), except loop_mailbox(), which any thread may post to.
 */
#ifndef PENSTOCK_LOOP_H
#define PENSTOCK_LOOP_H

#include "base/clock.h"
#include "base/error.h"
#include "loop/mailbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/* A descriptor that is watched. Embedded in its owner, who keeps it until loop_unwatch(). Level-triggered
 * unless `events` has EPOLLET. `ready` may watch, unwatch or free any watch, itself included: events of
 * this turn for a watch that is gone are dropped. */
struct watch {
	int fd;
	void (*ready)(struct watch *watch, uint32_t epoll_events);
	bool is_watched; /* loop's own */
};

/* A deadline. Embedded in its owner; zeroed means "not set". Fires once. */
struct timer {
	uint64_t at_ms;
	void (*fire)(struct timer *timer);
	size_t slot;    /* loop's own: index in the heap + 1, 0: not set */
	uint64_t round; /* loop's own: when it was set */
};

/* Called at the end of every turn, in the order in which hooks were added. Returns the latest time at which it wants the next
 * turn: a time of clock_now_ms(), 0 for "at once", CLOCK_NEVER for "no matter when". */
struct hook {
	uint64_t (*turn)(struct hook *hook, uint64_t now_ms);
	struct hook *next; /* loop's own */
};

struct loop *loop_new(struct error *err);
void loop_free(struct loop *loop); /* no watch or timer may be left; NULL is fine */

/* Owns the mailbox until it returns, after loop_stop(). May be called again then, on any thread: what was
 * watched, set or posted meanwhile is found in the first turn. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop); /* [owner] the turn that runs is the last one */

/* After the loop's last turn, on any thread: delivers the mail that came too late for that turn, until there is none. */
void loop_deliver_rest(struct loop *loop);

struct mailbox *loop_mailbox(struct loop *loop); /* [any] */
bool loop_is_mine(const struct loop *loop);      /* [any] is this the thread that runs it? */
uint64_t loop_now_ms(const struct loop *loop);   /* time at the start of this turn's work */

bool loop_watch(struct loop *loop, struct watch *watch, uint32_t epoll_events, struct error *err);
bool loop_rewatch(struct loop *loop, struct watch *watch, uint32_t epoll_events); /* change events */
/* Not watched: nothing. Before close(fd): false, if it was closed already, and its number may be another's. */
bool loop_unwatch(struct loop *loop, struct watch *watch);

/* Sets or moves the deadline. False: out of memory (only when the heap must grow). */
bool loop_set_timer(struct loop *loop, struct timer *timer, uint64_t at_ms);
void loop_clear_timer(struct loop *loop, struct timer *timer);

void loop_add_hook(struct loop *loop, struct hook *hook);

#endif
