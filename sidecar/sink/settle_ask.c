// SPDX-License-Identifier: MIT
/* settle_ask.c - what a destination is asked about one object, and what the answer means. */
#include "base/container_of.h"
#include "base/mem.h"
#include "sink/settle_priv.h"

#define ASKING_MAX 8u  /* at a time ... */
#define UPLOADS_MAX 4u /* ... where nobody waits for it: there may be a thousand, of a store that does not answer */
#define NO_ROOM_MS 50u /* when so many are asked */
#define NO_ROOM_UPLOAD_MS 500u

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

void
settle_task_free(struct task *task)
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
	settle_task_free(task);
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

	if (said == RELIC_REMOVED && !settle_task_is_upload(task) &&
		(is_news || sink_of(task->relic.to)->relic_said != NULL))
		metrics_add(task->settle->setup.metrics, METRIC_TAKEN_BACK, 1);
	if (is_news) {
		task->is_gone = true;
		task->until_ms = clock_after(now, task->relic.watch_ms);
		task->pause_ms = SETTLE_PAUSE_MIN_MS;
	}
	settle_task_move(task, TASK_WAITING);
	if (task->has_failed)
		settle_task_say(LOG_INFO, task, settle_task_words(task)->now, NULL);
	task->has_failed = false;
	if (is_news)
		settle_task_say_if_all_gone(task);
}

static void
note_failure(struct task *task, const char *why)
{
	settle_task_move(task, TASK_WAITING);
	if (!task->has_failed)
		settle_task_say(LOG_WARN, task, settle_task_words(task)->later, why);
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
		settle_task_place(task);
	else
		settle_task_ask_after(task, settle_task_next_pause(task));
}

/* What is asked next is another thing, and asked at once. */
static void
ask_on(struct task *task)
{
	let_go(task);
	settle_task_place(task);
}

/* Now the object's turn comes. */
static void
end_upload(struct task *task)
{
	task->upload = NULL;
	task->pause_ms = SETTLE_PAUSE_MIN_MS;
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
	if (said != RELIC_REFUSED && task->upload != NULL && !settle_task_is_upload(task)) {
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
	uint64_t end_ms = clock_after(loop_now_ms(settle->engine.loop), SETTLE_PAUSE_MAX_MS);
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

	if (settle->n_asking >= (settle_task_is_upload(task) ? UPLOADS_MAX : ASKING_MAX)) {
		settle_task_ask_after(task, settle_task_is_upload(task) ? NO_ROOM_UPLOAD_MS : NO_ROOM_MS);
		return;
	}
	task->table = table_acquire(settle->table);
	settle_task_move(task, TASK_ASKING);
	if (ask(task, &error)) {
		engine_run(&settle->engine);
		return;
	}
	note_failure(task, error.message);
	go_on(task);
}

bool
settle_task_add(struct settle *settle, struct dead_object *object)
{
	struct task *task = mem_zalloc(sizeof *task);

	if (task == NULL)
		return false;
	*task = (struct task){ .settle = settle,
		.object = object,
		.due.fire = on_due,
		.pause_ms = SETTLE_PAUSE_MIN_MS,
		.upload = object->is.upload };
	task->exchange = exchange_new(&settle->engine, &calls, task);
	if (task->exchange == NULL) {
		mem_free(task);
		return false;
	}
	task->next = settle->tasks;
	settle->tasks = task;
	settle_task_place(task);
	return true;
}
