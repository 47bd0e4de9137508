// SPDX-License-Identifier: MIT
/* watchdog.c - see watchdog.h. Of a beat's two mails one at a time is under way, so neither is ever posted twice. */
#include "admin/watchdog.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"

#include <string.h>

struct beat {
	struct pulse *pulse;
	struct pulse_target target;
	struct mail there, back;
	bool is_away;    /* sent, and not answered */
	unsigned missed; /* ticks since then */
};

struct pulse {
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

	mailbox_post(loop_mailbox(beat->pulse->observer), &beat->back, bits);
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
	struct pulse *pulse = container_of(timer, struct pulse, tick);

	for (size_t i = 0; i < pulse->n; i++) {
		struct beat *beat = &pulse->beats[i];

		if (beat->is_away) {
			beat->missed++;
			continue;
		}
		beat->is_away = true;
		mailbox_post(loop_mailbox(beat->target.loop), &beat->there, 1);
	}
	loop_set_timer(pulse->observer, timer, clock_after(loop_now_ms(pulse->observer), PULSE_TICK_MS));
}

struct pulse *
pulse_new(struct loop *observer, const struct pulse_target *targets, size_t n, struct error *err)
{
	struct pulse *pulse = mem_zalloc(sizeof *pulse + n * sizeof pulse->beats[0]);

	if (pulse == NULL || !loop_set_timer(observer, &pulse->tick, 1)) {
		mem_free(pulse);
		error_nomem(err);
		return NULL;
	}
	pulse->observer = observer;
	pulse->tick.fire = on_tick;
	pulse->n = n;
	for (size_t i = 0; i < n; i++) {
		struct beat *beat = &pulse->beats[i];

		beat->pulse = pulse;
		beat->target = targets[i];
		mail_init(&beat->there, on_there);
		mail_init(&beat->back, on_back);
	}
	return pulse;
}

static bool
has_ended(const struct pulse_target *target)
{
	return target->ended != NULL && counter_read(target->ended) > 0;
}

bool
pulse_is_good(const struct pulse *pulse, struct buf *why)
{
	bool good = true;

	for (size_t i = 0; i < pulse->n; i++) {
		const struct beat *beat = &pulse->beats[i];

		if (beat->missed < PULSE_MISSES || has_ended(&beat->target))
			continue;
		good = false;
		if (why != NULL)
			buf_addf(why, "%s: its loop has not answered for %u s\n", beat->target.name,
				beat->missed * PULSE_TICK_MS / 1000);
	}
	return good;
}

void
pulse_stop(struct pulse *pulse)
{
	loop_clear_timer(pulse->observer, &pulse->tick);
}

void
pulse_free(struct pulse *pulse)
{
	if (pulse == NULL)
		return;
	pulse_stop(pulse);
	for (size_t i = 0; i < pulse->n; i++)
		must(!pulse->beats[i].is_away);
	mem_free(pulse);
}
