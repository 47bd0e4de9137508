// SPDX-License-Identifier: MIT
/* loop.c - see loop.h.
 *
 * The mailbox's descriptor only ends the sleep; the mail itself is delivered in every turn, so a hook that always
 * wants the next turn at once (0) keeps the loop from sleeping, but never from looking at descriptors. What is
 * ready is fetched in batches, in each turn as many as it takes to see every watch once; epoll puts those it has reported at the
 * end of its list, so none is left out. */
#include "loop/loop.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/small_blocks.h"
#include "loop/timers.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 128

struct loop {
	int epoll_fd;
	struct mailbox *box;
	struct watch box_watch;
	struct timers timers;
	struct hook *hooks;
	uint64_t hooks_want_ms; /* the earliest turn that a hook asked for */
	uint64_t now_ms;
	bool stopping;
	struct epoll_event ready[BATCH]; /* of this turn; a watch that goes away is taken out */
	int n_ready, next_ready;
	size_t n_watches;
};

/* -- set-up ----------------------------------------------------------------------------------------- */

/* It only has to end the sleep: mail is delivered in every turn. */
static void
on_mailbox(struct watch *watch, uint32_t events)
{
	struct loop *loop = container_of(watch, struct loop, box_watch);

	(void)events;
	mailbox_empty_fd(loop->box);
}

static bool
watch_mailbox(struct loop *loop, struct error *err)
{
	loop->box_watch = (struct watch){ .fd = mailbox_fd(loop->box), .ready = on_mailbox };
	return loop_watch(loop, &loop->box_watch, EPOLLIN, err);
}

struct loop *
loop_new(struct error *err)
{
	struct loop *loop = mem_zalloc(sizeof *loop);

	if (loop == NULL) {
		error_nomem(err);
		return NULL;
	}
	loop->now_ms = clock_now_ms();
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->box = loop->epoll_fd >= 0 ? mailbox_new(err) : NULL;
	if (loop->box == NULL || !watch_mailbox(loop, err)) {
		error_set(err, ERR_SYSTEM, "epoll: %s", strerror(errno));
		loop_free(loop);
		return NULL;
	}
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->box != NULL)
		loop_unwatch(loop, &loop->box_watch);
	must(loop->n_watches == 0);
	timers_fini(&loop->timers);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	mailbox_free(loop->box);
	mem_free(loop);
}

struct mailbox *
loop_mailbox(struct loop *loop)
{
	return loop->box;
}

bool
loop_is_mine(const struct loop *loop)
{
	return mailbox_is_mine(loop->box);
}

uint64_t
loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

/* -- descriptors ------------------------------------------------------------------------------------ */

static bool
control(struct loop *loop, int how, struct watch *watch, uint32_t epoll_events)
{
	struct epoll_event event = { .events = epoll_events, .data.ptr = watch };

	return epoll_ctl(loop->epoll_fd, how, watch->fd, &event) == 0;
}

bool
loop_watch(struct loop *loop, struct watch *watch, uint32_t epoll_events, struct error *err)
{
	must(!watch->is_watched);
	if (!control(loop, EPOLL_CTL_ADD, watch, epoll_events))
		return error_set(err, ERR_SYSTEM, "epoll_ctl: %s", strerror(errno));
	watch->is_watched = true;
	loop->n_watches++;
	return true;
}

bool
loop_rewatch(struct loop *loop, struct watch *watch, uint32_t epoll_events)
{
	must(watch->is_watched);
	return control(loop, EPOLL_CTL_MOD, watch, epoll_events);
}

bool
loop_unwatch(struct loop *loop, struct watch *watch)
{
	if (!watch->is_watched)
		return true;
	watch->is_watched = false;
	loop->n_watches--;
	for (int i = loop->next_ready; i < loop->n_ready; i++)
		if (loop->ready[i].data.ptr == watch)
			loop->ready[i].data.ptr = NULL;
	return control(loop, EPOLL_CTL_DEL, watch, 0);
}

/* -- deadlines and hooks ---------------------------------------------------------------------------- */

bool
loop_set_timer(struct loop *loop, struct timer *timer, uint64_t at_ms)
{
	return timers_set(&loop->timers, timer, at_ms);
}

void
loop_clear_timer(struct loop *loop, struct timer *timer)
{
	timers_clear(&loop->timers, timer);
}

void
loop_add_hook(struct loop *loop, struct hook *hook)
{
	struct hook **end = &loop->hooks;

	while (*end != NULL)
		end = &(*end)->next;
	hook->next = NULL;
	*end = hook;
}

static void
run_hooks(struct loop *loop)
{
	loop->hooks_want_ms = CLOCK_NEVER;
	for (struct hook *hook = loop->hooks; hook != NULL; hook = hook->next) {
		uint64_t want_ms = hook->turn(hook, loop->now_ms);

		if (want_ms < loop->hooks_want_ms)
			loop->hooks_want_ms = want_ms;
	}
}

/* -- the turn --------------------------------------------------------------------------------------- */

static int
sleep_ms(const struct loop *loop)
{
	uint64_t until = timers_next(&loop->timers), rest = small_blocks_rest(loop->now_ms), now;

	if (rest < until)
		until = rest;
	if (loop->hooks_want_ms < until)
		until = loop->hooks_want_ms;
	if (until == CLOCK_NEVER)
		return -1;
	now = clock_now_ms();
	if (until <= now)
		return 0;
	return until - now > 60000 ? 60000 : (int)(until - now);
}

static void
fetch(struct loop *loop, int timeout)
{
	int n = epoll_wait(loop->epoll_fd, loop->ready, BATCH, timeout);

	must(n >= 0 || errno == EINTR);
	loop->n_ready = n > 0 ? n : 0;
}

static void
wait_for_events(struct loop *loop)
{
	int timeout = sleep_ms(loop);
	bool sleeps = timeout != 0 && mailbox_sleep_begin(loop->box);

	fetch(loop, sleeps ? timeout : 0);
	if (sleeps)
		mailbox_sleep_end(loop->box);
	loop->now_ms = clock_now_ms();
}

static void
dispatch(struct loop *loop)
{
	for (loop->next_ready = 0; loop->next_ready < loop->n_ready;) {
		const struct epoll_event *event = &loop->ready[loop->next_ready++];
		struct watch *watch = event->data.ptr;

		if (watch != NULL)
			watch->ready(watch, event->events);
	}
	loop->n_ready = loop->next_ready = 0;
}

/* All that is ready, and not the first of it alone: hooks take all that is there for them, and what comes in would outrun what
 * goes out. */
static void
dispatch_all(struct loop *loop)
{
	size_t batches = loop->n_watches / BATCH;

	while (loop->n_ready == BATCH && batches-- > 0) {
		dispatch(loop);
		fetch(loop, 0);
	}
	dispatch(loop);
}

void
loop_run(struct loop *loop)
{
	mailbox_own(loop->box);
	loop->stopping = false;
	loop->hooks_want_ms = 0; /* every hook gets a turn before the first sleep */
	while (!loop->stopping) {
		wait_for_events(loop);
		dispatch_all(loop);
		mailbox_deliver(loop->box);
		timers_fire(&loop->timers, loop->now_ms);
		run_hooks(loop);
	}
	mailbox_own(NULL); /* another thread may run it next, and would have to be woken by us too */
}

void
loop_deliver_rest(struct loop *loop)
{
	while (mailbox_deliver(loop->box) > 0) {
		/* what was delivered may have posted more */
	}
}

void
loop_stop(struct loop *loop)
{
	loop->stopping = true;
}
