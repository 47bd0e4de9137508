// SPDX-License-Identifier: MIT
/* request_deadlines.c - how long a request may take, and how long its client may send nothing. One timer for each request, set to
 * the nearest of its deadlines; request.c obeys it. */
#include "request/room_priv.h"

static uint64_t
now(const struct request *request)
{
	return loop_now_ms(request->intake->setup.loop);
}

/* The client may be idle only where it could send: not while it is paused, not once its body is in. */
static uint64_t
idle_at(const struct request *request)
{
	if (request->reading.is_paused || request->body.has_ended || request->state != REQ_PARSING)
		return CLOCK_NEVER;
	return clock_after(request->deadlines.active_ms, request->table->config->client.idle_ms);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool
is_timed(const struct request *request)
{
	return request->state == REQ_AUTHORIZING || request->state == REQ_WAITING ||
		request->state == REQ_PARSING || request->state == REQ_HELD;
}

static uint64_t
nearest(const struct request *request)
{
	uint64_t at = earlier(idle_at(request), request->deadlines.close_at_ms);

	if (is_timed(request))
		at = earlier(at, request->deadlines.total_at_ms);
	if (request->state == REQ_WAITING)
		at = earlier(at, request->memory_wait.until_ms);
	if (request->asks.state == ASKS_WAITS) /* of a question that is under way the sink keeps the time */
		at = earlier(at, request->asks.until_ms);
	return at;
}

/* Set lazily: each byte moves idle_at() further away, and a timer that fires early is set anew. */
void
deadlines_set(struct request *request)
{
	struct timer *timer = &request->deadlines.timer;
	uint64_t at = nearest(request);

	if (timer->slot != 0 && timer->at_ms <= at)
		return;
	if (at == CLOCK_NEVER)
		deadlines_stop(request);
	else
		loop_set_timer(request->intake->setup.loop, timer, at);
}

enum deadline
deadlines_passed(const struct request *request)
{
	if (request->deadlines.close_at_ms <= now(request) && request->client != NULL)
		return DEADLINE_CLOSE;
	if (idle_at(request) <= now(request))
		return DEADLINE_IDLE;
	if (request->asks.state == ASKS_WAITS && request->asks.until_ms <= now(request))
		return DEADLINE_TURN;
	if (request->state == REQ_WAITING && request->memory_wait.until_ms <= now(request))
		return DEADLINE_MEMORY;
	if (request->deadlines.total_at_ms <= now(request) && is_timed(request))
		return DEADLINE_TOTAL;
	return DEADLINE_NONE;
}

void
deadlines_start(struct request *request, void (*fire)(struct timer *timer))
{
	uint64_t started_ms = clock_now_ms();

	request->deadlines = (struct deadlines){
		.timer.fire = fire,
		.started_ms = started_ms,
		.active_ms = started_ms,
		.total_at_ms = CLOCK_NEVER,
		.close_at_ms = CLOCK_NEVER,
	};
}

void
deadlines_know_table(struct request *request)
{
	deadlines_note_byte(request);
	request->deadlines.total_at_ms = clock_after(
		request->deadlines.started_ms, request->table->config->client.total_ms);
}

void
deadlines_note_byte(struct request *request)
{
	request->deadlines.active_ms = now(request);
}

void
deadlines_close_at(struct request *request, uint64_t at_ms)
{
	request->deadlines.close_at_ms = at_ms;
}

void
deadlines_stop(struct request *request)
{
	loop_clear_timer(request->intake->setup.loop, &request->deadlines.timer);
}
