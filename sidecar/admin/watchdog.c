// SPDX-License-Identifier: MIT
/* watchdog.c - see watchdog.h. A beat has two mails, of which only one is under way at a time, so neither is ever posted twice. */
#include "admin/watchdog.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"

#include <string.h>

struct beat {
	struct watchdog *watchdog;
	struct watchdog_target target;
	struct mail there, back;
	bool is_away;    /* sent, and not answered */
	unsigned missed; /* ticks since it was sent */
};

struct watchdog {
	struct loop *observer;
	struct timer tick;
	size_t n;
	struct beat beats[];
};

/* [target] */
static void
on_there(struct mail *mail, unsigned bits)
{
	struct beat *beat = container_of(mail, struct beat, there);

	mailbox_post(loop_mailbox(beat->watchdog->observer), &beat->back, bits);
}

/* [observer] */
static void
on_back(struct mail *mail, unsigned bits)
{
	struct beat *beat = container_of(mail, struct beat, back);

	(void)bits;
	beat->is_away = false;
	beat->missed = 0;
}

static void
on_tick(struct timer *timer)
{
	struct watchdog *watchdog = container_of(timer, struct watchdog, tick);

	for (size_t i = 0; i < watchdog->n; i++) {
		struct beat *beat = &watchdog->beats[i];

		if (beat->is_away) {
			beat->missed++;
			continue;
		}
		beat->is_away = true;
		mailbox_post(loop_mailbox(beat->target.loop), &beat->there, 1);
	}
	loop_set_timer(watchdog->observer, timer, clock_after(loop_now_ms(watchdog->observer), WATCHDOG_TICK_MS));
}

struct watchdog *
watchdog_new(struct loop *observer, const struct watchdog_target *targets, size_t n, struct error *err)
{
	struct watchdog *watchdog = mem_zalloc(sizeof *watchdog + n * sizeof watchdog->beats[0]);

	if (watchdog == NULL || !loop_set_timer(observer, &watchdog->tick, 1)) {
		mem_free(watchdog);
		error_nomem(err);
		return NULL;
	}
	watchdog->observer = observer;
	watchdog->tick.fire = on_tick;
	watchdog->n = n;
	for (size_t i = 0; i < n; i++) {
		struct beat *beat = &watchdog->beats[i];

		beat->watchdog = watchdog;
		beat->target = targets[i];
		mail_init(&beat->there, on_there);
		mail_init(&beat->back, on_back);
	}
	return watchdog;
}

static bool
has_ended(const struct watchdog_target *target)
{
	return target->ended != NULL && counter_read(target->ended) > 0;
}

bool
watchdog_is_good(const struct watchdog *watchdog, struct buf *why)
{
	bool good = true;

	for (size_t i = 0; i < watchdog->n; i++) {
		const struct beat *beat = &watchdog->beats[i];

		if (beat->missed < WATCHDOG_MISSES || has_ended(&beat->target))
			continue;
		good = false;
		if (why != NULL)
			buf_addf(why, "%s: its loop has not answered for %u s\n", beat->target.name,
				beat->missed * WATCHDOG_TICK_MS / 1000);
	}
	return good;
}

void
watchdog_stop(struct watchdog *watchdog)
{
	loop_clear_timer(watchdog->observer, &watchdog->tick);
}

void
watchdog_free(struct watchdog *watchdog)
{
	if (watchdog == NULL)
		return;
	watchdog_stop(watchdog);
	for (size_t i = 0; i < watchdog->n; i++)
		must(!watchdog->beats[i].is_away);
	mem_free(watchdog);
}
