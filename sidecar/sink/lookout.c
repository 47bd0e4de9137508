// SPDX-License-Identifier: MIT
/* lookout.c - see lookout.h. */
#include "sink/lookout.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop_thread.h"
#include "sink/sinks.h"

#define STOP_MS 1000u

/* RESTING ─due▶ LOOKING (`looked_at` is the thread's) ─done▶ RESTING */
struct lookout {
	struct loop *main, *loop;
	struct loop_thread thread;
	struct table *table;     /* in force; held */
	struct table *looked_at; /* LOOKING: held; NULL: RESTING */
	struct timer due;
	struct mail go, done, stop;
	bool is_over;
};

static void
on_go(struct mail *mail, unsigned bits)
{
	struct lookout *lookout = container_of(mail, struct lookout, go);

	(void)bits;
	sinks_look(lookout->looked_at);
	mailbox_post(loop_mailbox(lookout->main), &lookout->done, 1);
}

static void
on_due(struct timer *timer)
{
	struct lookout *lookout = container_of(timer, struct lookout, due);

	lookout->looked_at = table_acquire(lookout->table);
	mailbox_post(loop_mailbox(lookout->loop), &lookout->go, 1);
}

static void
on_done(struct mail *mail, unsigned bits)
{
	struct lookout *lookout = container_of(mail, struct lookout, done);

	(void)bits;
	table_release(lookout->looked_at);
	lookout->looked_at = NULL;
	if (!lookout->is_over)
		loop_set_timer(lookout->main, &lookout->due, clock_after(clock_now_ms(), LOOKOUT_EVERY_MS));
}

static void
on_stop(struct mail *mail, unsigned bits)
{
	struct lookout *lookout = container_of(mail, struct lookout, stop);

	(void)bits;
	loop_stop(lookout->loop);
}

struct lookout *
lookout_new(struct loop *loop, struct table *table, struct error *err)
{
	struct lookout *lookout = mem_zalloc(sizeof *lookout);

	if (lookout == NULL) {
		error_nomem(err);
		return NULL;
	}
	lookout->main = loop;
	lookout->table = table_acquire(table);
	lookout->due.fire = on_due;
	mail_init(&lookout->go, on_go);
	mail_init(&lookout->done, on_done);
	mail_init(&lookout->stop, on_stop);
	lookout->loop = loop_new(err);
	if (lookout->loop != NULL && !loop_set_timer(loop, &lookout->due, clock_now_ms()))
		error_nomem(err);
	else if (lookout->loop != NULL && loop_thread_start(&lookout->thread, lookout->loop, "folders", err))
		return lookout;
	lookout_free(lookout);
	return NULL;
}

void
lookout_set_table(struct lookout *lookout, struct table *table)
{
	table_release(lookout->table);
	lookout->table = table;
}

bool
lookout_stop(struct lookout *lookout)
{
	if (lookout == NULL)
		return true;
	lookout->is_over = true;
	loop_clear_timer(lookout->main, &lookout->due);
	mailbox_post(loop_mailbox(lookout->loop), &lookout->stop, 1);
	if (loop_thread_join_within(&lookout->thread, STOP_MS))
		return true;
	log_event(LOG_WARN, "sink", "a folder does not answer; its thread ends with the process", NULL, 0);
	return false;
}

void
lookout_free(struct lookout *lookout)
{
	if (lookout == NULL)
		return;
	loop_clear_timer(lookout->main, &lookout->due);
	table_release(lookout->looked_at);
	table_release(lookout->table);
	loop_free(lookout->loop);
	mem_free(lookout);
}
