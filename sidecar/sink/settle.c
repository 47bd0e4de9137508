// SPDX-License-Identifier: MIT
/* settle.c - see settle.h. */
#include "sink/settle.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "config/kind.h"
#include "sink/sink.h"

#include <string.h>

#define LOOK_MS 3000u       /* for files that were taken over later */
#define ASKING_MAX 8u       /* at a time */
#define NO_ROOM_MS 50u      /* when so many are asked */
#define PAUSE_MIN_MS 500u   /* between two questions about one object, ... */
#define PAUSE_MAX_MS 30000u /* ... twice as long each time */

enum task_state { TASK_WAITING, TASK_ASKING, TASK_TOLD };

struct task {
	struct settle *settle;
	struct task *next;
	struct dead_object *object;
	enum task_state is;
	struct relic relic;
	struct table *table; /* ASKING: of the destination that is asked; held */
	const char *upload;  /* not known to be gone yet; NULL: none */
	struct exchange *exchange;
	struct timer due;
	uint64_t pause_ms;
	uint64_t until_ms; /* WATCHED: when it has been gone for long enough */
	bool is_gone;      /* WATCHED */
	bool has_failed;   /* and that was said */
	const char *told;  /* TOLD: a constant */
};

struct settle {
	struct settle_setup setup;
	struct table *table;
	struct table *next_table; /* main's until the mail that brings it is delivered */
	struct mail table_mail;
	struct engine engine;
	struct timer look;
	struct task *tasks;
	unsigned n_asking;
	struct counter n_waiting; /* not gone yet, and can be */
};

static const unsigned may_become[] = {
	[TASK_WAITING] = BIT(TASK_WAITING) | BIT(TASK_ASKING) | BIT(TASK_TOLD),
	[TASK_ASKING] = BIT(TASK_WAITING) | BIT(TASK_TOLD),
	[TASK_TOLD] = BIT(TASK_WAITING) | BIT(TASK_TOLD),
};

/* There is no object, and nobody sees what is left of it. */
static bool
is_upload(const struct task *task)
{
	return task->object->is.back == RECORD_BACK_UPLOAD;
}

static bool
is_waited_for(const struct task *task)
{
	return task->is != TASK_TOLD && !task->is_gone && !is_upload(task);
}

static void
task_move(struct task *task, enum task_state to)
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

static void
ask_after(struct task *task, uint64_t ms)
{
	struct loop *loop = task->settle->engine.loop;

	loop_set_timer(loop, &task->due, clock_after(loop_now_ms(loop), ms));
}

static uint64_t
next_pause(struct task *task)
{
	uint64_t pause = task->pause_ms;

	task->pause_ms = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	return pause;
}

/* -- what is said ---------------------------------------------------------------------------------------- */

static void
say(enum log_level level, const struct task *task, const char *what, const char *why)
{
	log_line(level, "sink", what, LOG_TEXTVAL("commit", task->object->entry->id),
		LOG_TEXTVAL("destination", task->object->is.destination),
		LOG_TEXTVAL("name", task->object->is.target), LOG_TEXTVAL("why", why));
}

static void
tell(struct task *task, const char *why)
{
	task_move(task, TASK_TOLD);
	if (task->told != why && is_upload(task))
		say(LOG_ERROR, task, "an upload that nobody wanted any more may be unfinished, and is let be", why);
	else if (task->told != why)
		say(LOG_ERROR, task, "an object of a commit that was cut short may be there, and is let be", why);
	task->told = why;
}

/* Once for each form: when the last of those that can be taken back is gone. */
static void
say_if_all_gone(const struct task *task)
{
	size_t n = 0;

	if (is_upload(task)) {
		say(LOG_INFO, task, "ended an upload that nobody wanted any more", NULL);
		return;
	}
	for (const struct task *t = task->settle->tasks; t != NULL; t = t->next) {
		if (t->object->entry != task->object->entry)
			continue;
		if (is_waited_for(t))
			return;
		n += t->is_gone;
	}
	log_line(LOG_INFO, "sink", "took back what a commit that was cut short had made visible",
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
	task_move(task, TASK_WAITING);
	ask_after(task, 0);
}

/* Its destination as it is now. */
static void
place(struct task *task)
{
	const struct destination *to = find(task->settle->table->config, &task->object->is);

	if (to != NULL && task->upload != NULL && kind_has(to->kind, KIND_UPLOADS))
		wait_for(task, to);
	else if (is_upload(task))
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

/* -- one object ------------------------------------------------------------------------------------------ */

/* What its request needed. */
static void
let_go(struct task *task)
{
	if (task->relic.free_own != NULL)
		task->relic.free_own(task->relic.own);
	task->relic.own = NULL;
	task->relic.free_own = NULL;
	table_release(task->table);
	task->table = NULL;
}

static void
task_free(struct task *task)
{
	exchange_free(task->exchange);
	let_go(task);
	loop_clear_timer(task->settle->engine.loop, &task->due);
	mem_free(task);
}

static void
end(struct task *task)
{
	struct settle *settle = task->settle;
	struct task **at = &settle->tasks;
	struct dead_object *object = task->object;

	while (*at != task)
		at = &(*at)->next;
	*at = task->next;
	task_free(task);
	state_settle(settle->setup.state, object);
}

static enum relic_said
meaning_of(struct task *task, const struct exchange_result *result)
{
	const struct sink *sink = sink_of(task->relic.to);
	unsigned status = result->status;

	if (sink->relic_said != NULL)
		return sink->relic_said(&task->relic, result);
	if (!result->is_whole)
		return RELIC_REFUSED;
	if (status == 404 || status == 410)
		return RELIC_ABSENT;
	return status >= 200 && status < 300 ? RELIC_REMOVED : RELIC_REFUSED;
}

/* Many stores answer 2xx whether there was something or not: of those the first one counts. */
static void
note_gone(struct task *task, enum relic_said said)
{
	uint64_t now = loop_now_ms(task->settle->engine.loop);
	bool is_news = !task->is_gone;

	if (said == RELIC_REMOVED && !is_upload(task) && (is_news || sink_of(task->relic.to)->relic_said != NULL))
		metrics_add(task->settle->setup.metrics, METRIC_TAKEN_BACK, 1);
	if (is_news) {
		task->is_gone = true;
		task->until_ms = clock_after(now, task->relic.watch_ms);
		task->pause_ms = PAUSE_MIN_MS;
	}
	task_move(task, TASK_WAITING);
	if (task->has_failed)
		say(LOG_INFO, task,
			is_upload(task) ? "an upload that nobody wanted any more can be ended now"
					: "an object of a commit that was cut short can be taken back now",
			NULL);
	task->has_failed = false;
	if (is_news)
		say_if_all_gone(task);
}

static void
note_failure(struct task *task, const char *why)
{
	task_move(task, TASK_WAITING);
	if (!task->has_failed)
		say(LOG_WARN, task,
			is_upload(task)
				? "an upload that nobody wanted any more cannot be ended yet; it is tried again"
				: "an object of a commit that was cut short cannot be taken back yet; it is "
				  "tried again",
			why);
	task->has_failed = true;
}

/* An answer has come. It may be that its destination is another one by now. */
static void
go_on(struct task *task)
{
	bool is_old = task->table != task->settle->table;

	let_go(task);
	if (task->is_gone && loop_now_ms(task->settle->engine.loop) >= task->until_ms)
		end(task);
	else if (is_old)
		place(task);
	else
		ask_after(task, next_pause(task));
}

/* What is asked next is another thing, and asked at once. */
static void
ask_on(struct task *task)
{
	let_go(task);
	place(task);
}

/* Now the object's turn comes. */
static void
end_upload(struct task *task)
{
	task->upload = NULL;
	task->pause_ms = PAUSE_MIN_MS;
	ask_on(task);
}

static void
on_header(void *arg, struct str line)
{
	struct task *task = arg;
	const struct sink *sink = sink_of(task->relic.to);

	if (sink->on_relic_line != NULL)
		sink->on_relic_line(&task->relic, line);
}

static void
on_done(void *arg, const struct exchange_result *result)
{
	struct task *task = arg;
	enum relic_said said = meaning_of(task, result);

	if (said == RELIC_ASK_ON) {
		ask_on(task);
		return;
	}
	if (said != RELIC_REFUSED && task->upload != NULL && !is_upload(task)) {
		end_upload(task);
		return;
	}
	if (said == RELIC_REFUSED)
		note_failure(task, result->status != 0 ? "its destination refuses" : result->why);
	else
		note_gone(task, said);
	go_on(task);
}

static const struct exchange_calls calls = { .on_header = on_header, .on_done = on_done };

static bool
ask(struct task *task, struct error *err)
{
	struct settle *settle = task->settle;
	uint64_t end_ms = clock_after(loop_now_ms(settle->engine.loop), PAUSE_MAX_MS);
	struct relic *relic = &task->relic;

	relic->table = task->table;
	relic->engine = &settle->engine;
	relic->target = task->object->is.target;
	relic->upload = task->upload;
	relic->request = (struct exchange_request){ .total_at_ms = end_ms };
	if (!sink_of(relic->to)->take_back(relic, err))
		return false;
	relic->request.total_at_ms = end_ms;
	return exchange_begin(task->exchange, &relic->request) ? true : error_nomem(err);
}

static void
on_due(struct timer *timer)
{
	struct task *task = container_of(timer, struct task, due);
	struct settle *settle = task->settle;
	struct error error = { 0 };

	if (settle->n_asking >= ASKING_MAX) {
		ask_after(task, NO_ROOM_MS);
		return;
	}
	task->table = table_acquire(settle->table);
	task_move(task, TASK_ASKING);
	if (ask(task, &error)) {
		engine_run(&settle->engine);
		return;
	}
	note_failure(task, error.message);
	go_on(task);
}

static bool
add_task(struct settle *settle, struct dead_object *object)
{
	struct task *task = mem_zalloc(sizeof *task);

	if (task == NULL)
		return false;
	*task = (struct task){ .settle = settle,
		.object = object,
		.due.fire = on_due,
		.pause_ms = PAUSE_MIN_MS,
		.upload = object->is.upload };
	task->exchange = exchange_new(&settle->engine, &calls, task);
	if (task->exchange == NULL) {
		mem_free(task);
		return false;
	}
	task->next = settle->tasks;
	settle->tasks = task;
	place(task);
	return true;
}

/* An object for which there is no memory waits for the next start. */
static void
take_all(struct settle *settle)
{
	struct dead_object *object;

	while ((object = state_take_dead(settle->setup.state)) != NULL)
		if (!add_task(settle, object))
			log_event(LOG_ERROR, "sink", "out of memory: an object is left to the next start", NULL, 0);
}

static void
on_look(struct timer *timer)
{
	struct settle *settle = container_of(timer, struct settle, look);

	take_all(settle);
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
		place(task);
	}
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
	take_all(settle);
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
	while (settle->tasks != NULL) {
		struct task *next = settle->tasks->next;

		task_free(settle->tasks);
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
