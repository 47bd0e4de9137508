// SPDX-License-Identifier: MIT
/* settle_task.c - what is to become of one object that a dead process, or a form of this one, has left, and what is said of it. */
#include "base/must.h"
#include "base/state.h"
#include "config/kind.h"
#include "sink/settle_priv.h"

#include <string.h>

static const unsigned may_become[] = {
	[TASK_WAITING] = BIT(TASK_WAITING) | BIT(TASK_ASKING) | BIT(TASK_TOLD),
	[TASK_ASKING] = BIT(TASK_WAITING) | BIT(TASK_TOLD),
	[TASK_TOLD] = BIT(TASK_WAITING) | BIT(TASK_TOLD),
};

bool
settle_task_is_upload(const struct task *task)
{
	return task->object->is.back == RECORD_BACK_UPLOAD;
}

/* This process has left it. */
static bool
is_own(const struct task *task)
{
	return task->object->entry->file == NULL;
}

static bool
is_to_go(const struct task *task)
{
	return task->is != TASK_TOLD && !task->is_gone && !settle_task_is_upload(task);
}

/* A store that refuses to take back what this process has made is no reason to send clients elsewhere: another one would be refused, too. */
static bool
is_waited_for(const struct task *task)
{
	return is_to_go(task) && !is_own(task);
}

void
settle_task_move(struct task *task, enum task_state to)
{
	struct settle *settle = task->settle;
	size_t n = 0;

	must(state_may_become(may_become, (int)task->is, (int)to));
	settle->n_asking += to == TASK_ASKING;
	settle->n_asking -= task->is == TASK_ASKING;
	task->is = to;
	for (const struct task *t = settle->tasks; t != NULL; t = t->next)
		n += is_waited_for(t);
	counter_set(&settle->n_waiting, n);
}

void
settle_task_ask_after(struct task *task, uint64_t ms)
{
	struct loop *loop = task->settle->engine.loop;

	loop_set_timer(loop, &task->due, clock_after(loop_now_ms(loop), ms));
}

uint64_t
settle_task_next_pause(struct task *task)
{
	uint64_t pause = task->pause_ms;

	task->pause_ms = pause * 2 < SETTLE_PAUSE_MAX_MS ? pause * 2 : SETTLE_PAUSE_MAX_MS;
	return pause;
}

/* -- what is said ---------------------------------------------------------------------------------------- */

const struct task_words *
settle_task_words(const struct task *task)
{
	static const struct task_words of_upload = {
		"an upload that may be unfinished cannot be ended yet; it is tried again",
		"an upload that may be unfinished can be ended now",
		"an upload may be unfinished, and is let be",
	};
	static const struct task_words of_dead = {
		"an object of a commit that was cut short cannot be taken back yet; it is tried again",
		"an object of a commit that was cut short can be taken back now",
		"an object of a commit that was cut short may be there, and is let be",
	};
	static const struct task_words of_own = {
		"an object of a form that was given up cannot be taken back yet; it is tried again",
		"an object of a form that was given up can be taken back now",
		"an object of a form that was given up may be there, and is let be",
	};

	if (settle_task_is_upload(task))
		return &of_upload;
	return is_own(task) ? &of_own : &of_dead;
}

void
settle_task_say(enum log_level level, const struct task *task, const char *what, const char *why)
{
	log_line(level, "sink", what, LOG_TEXTVAL("commit", task->object->entry->id),
		LOG_TEXTVAL("destination", task->object->is.destination),
		LOG_TEXTVAL("name", task->object->is.target), LOG_TEXTVAL("why", why));
}

static void
tell(struct task *task, const char *why)
{
	settle_task_move(task, TASK_TOLD);
	if (task->told != why)
		settle_task_say(LOG_ERROR, task, settle_task_words(task)->let_be, why);
	task->told = why;
}

/* Once for each form: when the last of those that can be taken back is gone. */
void
settle_task_say_if_all_gone(const struct task *task)
{
	size_t n = 0;

	if (settle_task_is_upload(task)) {
		settle_task_say(LOG_INFO, task, "an upload that may have been unfinished is gone", NULL);
		return;
	}
	for (const struct task *t = task->settle->tasks; t != NULL; t = t->next) {
		if (t->object->entry != task->object->entry)
			continue;
		if (is_to_go(t))
			return;
		n += t->is_gone;
	}
	log_line(LOG_INFO, "sink",
		is_own(task) ? "took back what a form that was given up had left"
			     : "took back what a commit that was cut short had made visible",
		LOG_TEXTVAL("commit", task->object->entry->id), LOG_NUM("objects", n));
}

/* -- where it lies --------------------------------------------------------------------------------------- */

static const struct destination *
find(const struct config *config, const struct record_object *object)
{
	for (size_t i = 0; i < config->n_destinations; i++) {
		const struct destination *to = &config->destinations[i];

		if (strcmp(to->name, object->destination) == 0 && to->at != NULL && strcmp(to->at, object->at) == 0)
			return to;
	}
	return NULL;
}

static void
wait_for(struct task *task, const struct destination *to)
{
	task->told = NULL;
	task->relic.to = to;
	settle_task_move(task, TASK_WAITING);
	settle_task_ask_after(task, 0);
}

void
settle_task_place(struct task *task)
{
	const struct destination *to = find(task->settle->table->config, &task->object->is);

	if (to != NULL && task->upload != NULL && kind_has(to->kind, KIND_UPLOADS))
		wait_for(task, to);
	else if (settle_task_is_upload(task))
		tell(task, "its destination is not in the route file any more, or is another place now");
	else if (task->object->is.back != RECORD_BACK_ASK)
		tell(task,
			"nobody else may have made it, but that is not sure: its name holds neither {uuid} nor {request_id}, "
			"or its destination has no undo");
	else if (to == NULL)
		tell(task, "its destination is not in the route file any more, or is another place now");
	else if (sink_of(to)->take_back == NULL || !to->kind->can_undo(to->settings))
		tell(task, "its destination has no undo now");
	else
		wait_for(task, to);
}
