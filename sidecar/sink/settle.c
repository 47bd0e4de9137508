// SPDX-License-Identifier: MIT
/* settle.c - see settle.h. */
#include "sink/settle.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "sink/settle_priv.h"

#define LOOK_MS 3000u /* for files of processes that have died since */

/* An object for which there is no memory waits for the next start. */
void
settle_take_all(struct settle *settle)
{
	struct dead_object *object;

	while ((object = state_take_dead(settle->setup.state)) != NULL)
		if (!settle_task_add(settle, object))
			log_event(LOG_ERROR, "sink", "out of memory: an object is left to the next start", NULL, 0);
}

static void
on_look(struct timer *timer)
{
	struct settle *settle = container_of(timer, struct settle, look);

	state_look(settle->setup.state);
	settle_take_all(settle);
	settle_notices_take(settle);
	loop_set_timer(settle->engine.loop, &settle->look, clock_after(loop_now_ms(settle->engine.loop), LOOK_MS));
}

static void
on_table(struct mail *mail, unsigned bits)
{
	struct settle *settle = container_of(mail, struct settle, table_mail);
	struct table *before = settle->table;

	(void)bits;
	settle->table = settle->next_table;
	settle->next_table = NULL;
	for (struct task *task = settle->tasks; task != NULL; task = task->next) {
		if (task->is == TASK_ASKING)
			continue; /* when it has its answer */
		loop_clear_timer(settle->engine.loop, &task->due);
		settle_task_place(task);
	}
	settle_notices_again(settle);
	table_release(before);
	settle->setup.on_table(settle->setup.on_table_arg);
}

/* -- begin and end --------------------------------------------------------------------------------------- */

struct settle *
settle_new(const struct settle_setup *setup, struct error *err)
{
	struct settle *settle = mem_zalloc(sizeof *settle);

	if (settle == NULL) {
		error_nomem(err);
		return NULL;
	}
	settle->setup = *setup;
	settle->look.fire = on_look;
	mail_init(&settle->table_mail, on_table);
	if (!engine_init(&settle->engine, state_loop(setup->state), err)) {
		mem_free(settle);
		return NULL;
	}
	settle->table = table_acquire(setup->table);
	if (!settle_notices_init(settle)) {
		error_nomem(err);
		settle_free(settle);
		return NULL;
	}
	settle_take_all(settle);
	settle_notices_take(settle);
	loop_set_timer(settle->engine.loop, &settle->look, clock_after(clock_now_ms(), LOOK_MS));
	return settle;
}

void
settle_set_table(struct settle *settle, struct table *table)
{
	must(settle->next_table == NULL);
	settle->next_table = table;
	mailbox_post(loop_mailbox(settle->engine.loop), &settle->table_mail, 1);
}

void
settle_free(struct settle *settle)
{
	if (settle == NULL)
		return;
	loop_deliver_rest(settle->engine.loop); /* a table may be among it */
	settle_notices_fini(settle);
	while (settle->tasks != NULL) {
		struct task *next = settle->tasks->next;

		settle_task_free(settle->tasks);
		settle->tasks = next;
	}
	loop_clear_timer(settle->engine.loop, &settle->look);
	engine_fini(&settle->engine);
	table_release(settle->table);
	mem_free(settle);
}

bool
settle_is_good(const struct settle *settle, struct buf *why)
{
	size_t n = counter_read(&settle->n_waiting);

	if (n == 0)
		return true;
	buf_addf(why, "state: %zu object%s of commits that were cut short %s not taken back yet\n", n, PLURAL(n),
		n == 1 ? "is" : "are");
	return false;
}
