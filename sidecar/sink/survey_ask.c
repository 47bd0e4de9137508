// SPDX-License-Identifier: MIT
/* survey_ask.c - see survey_ask.h. The loop turns until the exchange is done, or a signal ends the waiting. Callbacks of the
 * exchange may not touch it, so they set timers. */
#include "sink/survey_ask.h"

#include "base/container_of.h"
#include "config/peer.h"

#include <stdio.h>
#include <string.h>

/* GOING ─byte stop_at▶ STOPPED ─stop_ms or 1xx▶ GONE_ON */
enum stop_state { STOP_GOING, STOP_STOPPED, STOP_GONE_ON };

struct ask {
	struct survey *survey;
	const struct survey_request *request;
	struct survey_reply *reply;
	struct exchange *exchange;
	struct exchange_request wire;
	struct timer begin, go_on, drip, late;
	enum stop_state stop;
	size_t sent, dripped;
	uint64_t stopped_at_ms;
	bool is_done, is_late; /* is_late: it was waited for in vain after the first signal */
};

/* -- the body ----------------------------------------------------------------------------------------- */

static void
set_drip(struct ask *ask)
{
	if (ask->request->drip_ms > 0)
		loop_set_timer(ask->survey->loop, &ask->drip, clock_after(clock_now_ms(), ask->request->drip_ms));
}

static size_t
stop(struct ask *ask)
{
	if (ask->stop == STOP_GOING) {
		ask->stop = STOP_STOPPED;
		ask->reply->has_stopped = true;
		ask->stopped_at_ms = clock_now_ms();
		loop_set_timer(ask->survey->loop, &ask->go_on,
			ask->reply->has_continue && ask->request->until_status
				? 0
				: clock_after(ask->stopped_at_ms, ask->request->stop_ms));
		set_drip(ask);
	}
	return EXCHANGE_PAUSE;
}

static bool
may_stop(const struct ask *ask)
{
	return ask->request->stop_ms > 0 && ask->stop != STOP_GONE_ON;
}

static size_t
on_read(void *arg, char *to, size_t room)
{
	struct ask *ask = arg;
	struct str body = ask->request->body;
	size_t end = may_stop(ask) ? ask->request->stop_at + ask->dripped : body.len;
	size_t n = end - ask->sent < room ? end - ask->sent : room;

	if (n == 0 && may_stop(ask))
		return stop(ask);
	if (n > 0)
		memcpy(to, body.data + ask->sent, n);
	ask->sent += n;
	return n;
}

static void
on_go_on(struct timer *timer)
{
	struct ask *ask = container_of(timer, struct ask, go_on);

	ask->stop = STOP_GONE_ON;
	ask->reply->has_gone_on = true;
	ask->reply->stopped_ms = clock_now_ms() - ask->stopped_at_ms;
	loop_clear_timer(ask->survey->loop, &ask->drip);
	exchange_resume(ask->exchange);
}

static void
on_drip(struct timer *timer)
{
	struct ask *ask = container_of(timer, struct ask, drip);

	if (ask->request->stop_at + ask->dripped >= ask->request->body.len)
		return;
	ask->dripped++;
	set_drip(ask);
	exchange_resume(ask->exchange); /* to be stopped again */
}

/* -- the answer --------------------------------------------------------------------------------------- */

static void
on_interim(void *arg, unsigned status)
{
	struct ask *ask = arg;

	if (status != 100 || ask->stop == STOP_GONE_ON)
		return;
	ask->reply->has_continue = true;
	if (ask->stop == STOP_STOPPED && ask->request->until_status)
		loop_set_timer(ask->survey->loop, &ask->go_on, 0);
}

static void
on_header(void *arg, struct str line)
{
	struct ask *ask = arg;

	for (size_t i = 0; i < SURVEY_WANTED_MAX; i++)
		if (ask->request->wanted[i] != NULL && str_starts_nocase(line, ask->request->wanted[i]))
			exchange_take_value(
				line, ask->request->wanted[i], ask->reply->values[i], sizeof ask->reply->values[i]);
}

static void
on_answer(void *arg, const char *data, size_t len)
{
	struct buf *body = &((struct ask *)arg)->reply->body;

	if (len <= SURVEY_ANSWER_MAX - body->len)
		buf_add(body, data, len);
	else
		body->failed = true;
}

static void
on_done(void *arg, const struct exchange_result *result)
{
	struct ask *ask = arg;

	ask->reply->result = *result;
	ask->is_done = true;
	loop_stop(ask->survey->loop);
}

static const struct exchange_calls calls = {
	.on_read = on_read,
	.on_interim = on_interim,
	.on_header = on_header,
	.on_answer = on_answer,
	.on_done = on_done,
};

/* -- asking ------------------------------------------------------------------------------------------- */

static void
fail(struct ask *ask)
{
	const struct exchange_result result = { .kind = ERR_NOMEM, .why = "out of memory" };

	on_done(ask, &result);
}

/* Only within a turn is the loop's time true. */
static void
on_begin(struct timer *timer)
{
	struct ask *ask = container_of(timer, struct ask, begin);

	if (exchange_begin(ask->exchange, &ask->wire))
		engine_run(&ask->survey->engine);
	else
		fail(ask);
}

static enum exchange_body
body_of(const struct survey_request *request)
{
	if (request->method == NULL)
		return EXCHANGE_CONNECT;
	if (!request->has_body)
		return EXCHANGE_NO_BODY;
	return request->is_stream ? EXCHANGE_STREAM : EXCHANGE_WHOLE;
}

static void
set_wire(struct ask *ask)
{
	const struct survey_request *request = ask->request;

	ask->wire = (struct exchange_request){
		.to = request->to,
		.method = request->method != NULL ? request->method : "HEAD",
		.target = request->target != NULL ? request->target : "",
		.lines = request->lines,
		.n_lines = request->n_lines,
		.body = body_of(request),
		.whole = request->body,
		.length = request->is_chunked ? EXCHANGE_LENGTH_UNKNOWN : request->body.len,
		.connect_ms = request->to->connect_ms,
		.total_at_ms = clock_after(clock_now_ms(), request->to->total_ms),
	};
}

static void
on_late(struct timer *timer)
{
	struct ask *ask = container_of(timer, struct ask, late);

	ask->is_late = true;
	loop_stop(ask->survey->loop);
}

/* What removes something is wanted after the first signal, too; and of a request that has gone out whole the answer: a store
 * that were still at work would make the object after its removal. */
static bool
may_go_on(struct ask *ask)
{
	switch (ask->survey->state) {
	case SURVEY_TRYING:
		return true;
	case SURVEY_LEAVING:
		return false;
	case SURVEY_CLEANING:
		break;
	}
	if (ask->is_late || (!ask->request->is_removal && !exchange_may_have_arrived(ask->exchange)))
		return false;
	if (ask->late.slot == 0)
		loop_set_timer(ask->survey->loop, &ask->late, clock_after(clock_now_ms(), SURVEY_CLEAN_MS));
	return true;
}

static void
turn_until_done(struct ask *ask)
{
	while (!ask->is_done && may_go_on(ask))
		loop_run(ask->survey->loop);
	ask->reply->is_ended = !ask->is_done;
	if (ask->stop == STOP_STOPPED)
		ask->reply->stopped_ms = clock_now_ms() - ask->stopped_at_ms;
}

void
survey_ask(struct survey *survey, const struct survey_request *request, struct survey_reply *reply)
{
	struct ask ask = { .survey = survey,
		.request = request,
		.reply = reply,
		.begin.fire = on_begin,
		.go_on.fire = on_go_on,
		.drip.fire = on_drip,
		.late.fire = on_late };

	*reply = (struct survey_reply){ 0 };
	set_wire(&ask);
	ask.exchange = exchange_new(&survey->engine, &calls, &ask);
	if (ask.exchange == NULL || !loop_set_timer(survey->loop, &ask.begin, 0))
		fail(&ask);
	turn_until_done(&ask);
	exchange_free(ask.exchange);
	loop_clear_timer(survey->loop, &ask.begin);
	loop_clear_timer(survey->loop, &ask.go_on);
	loop_clear_timer(survey->loop, &ask.drip);
	loop_clear_timer(survey->loop, &ask.late);
}

struct pause {
	struct survey *survey;
	struct timer timer;
};

static void
on_pause_over(struct timer *timer)
{
	loop_stop(container_of(timer, struct pause, timer)->survey->loop);
}

void
survey_wait(struct survey *survey, uint64_t ms)
{
	struct pause pause = { .survey = survey, .timer.fire = on_pause_over };

	if (!loop_set_timer(survey->loop, &pause.timer, clock_after(clock_now_ms(), ms)))
		return;
	loop_run(survey->loop);
	loop_clear_timer(survey->loop, &pause.timer);
}

/* -- what came of it ---------------------------------------------------------------------------------- */

bool
survey_is_good(const struct survey_reply *reply)
{
	return !reply->is_ended && reply->result.is_whole && reply->result.status >= 200 &&
		reply->result.status < 300;
}

const char *
survey_say(const struct survey_reply *reply, struct survey_words *to)
{
	if (reply->is_ended)
		snprintf(to->text, sizeof to->text, "interrupted");
	else if (reply->result.is_whole)
		snprintf(to->text, sizeof to->text, "it answered %u", reply->result.status);
	else
		snprintf(to->text, sizeof to->text, "%s", reply->result.why);
	return to->text;
}
