// SPDX-License-Identifier: MIT
/* request.c - one client request from its first line to its end: see request.h for how it is told of what comes, and the drawing
 * in request_priv.h for what becomes of it. It lives on until every transfer that it started has ended. */
#include "request/request_priv.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"

static const unsigned may_become[] = {
	[REQ_HEAD] = BIT(REQ_WAITING) | BIT(REQ_PARSING) | BIT(REQ_SETTLED),
	[REQ_WAITING] = BIT(REQ_PARSING) | BIT(REQ_SETTLED),
	[REQ_PARSING] = BIT(REQ_HELD) | BIT(REQ_ABORTING),
	[REQ_HELD] = BIT(REQ_SETTLED) | BIT(REQ_ABORTING),
	[REQ_ABORTING] = BIT(REQ_SETTLED),
	[REQ_SETTLED] = BIT(REQ_ANSWERED),
	[REQ_ANSWERED] = 0,
};

void
request_move(struct request *request, enum request_state to)
{
	must(state_may_become(may_become, (int)request->state, (int)to));
	if (request->state == REQ_PARSING)
		stalled_leave(request);
	if (request->state == REQ_WAITING)
		request_leave_queue(request);
	request->state = to;
	if (to == REQ_PARSING)
		stalled_enter(request);
}

/* -- begin and end --------------------------------------------------------------------------------- */

struct request *
request_new(struct intake *intake, struct client *client, const char *target)
{
	struct request *request = mem_zalloc(sizeof *request);

	if (request == NULL)
		return NULL;
	buf_add_text(&request->asked.target, target);
	if (request->asked.target.failed) {
		mem_free(request);
		return NULL;
	}
	request->intake = intake;
	request->client = client;
	deadlines_start(request);
	intake_add(intake, request);
	return request;
}

struct str
request_target(const struct request *request)
{
	return buf_str(&request->asked.target);
}

void
request_free_form(struct request *request)
{
	struct request_form *form = &request->form;

	if (form->parts != NULL)
		form->n_parts = parts_count(form->parts);
	request_log_facts(request);
	parts_free(form->parts);
	form->parts = NULL;
	txn_free(form->txn);
	form->txn = NULL;
}

static void
request_free(struct request *request)
{
	deadlines_stop(request);
	scheduler_leave(request);
	request_free_form(request);
	answer_discharge(request);
	if (request->asked.is_counted)
		counter_sub(request->table->active[request->asked.decision.route->index], 1);
	buf_free(&request->asked.target);
	buf_free(&request->form.location);
	table_release(request->table);
	intake_remove(request);
	mem_free(request);
}

static bool
is_over(const struct request *request)
{
	return request->state == REQ_HEAD || request->state == REQ_SETTLED || request->state == REQ_ANSWERED;
}

static size_t
count_parts(const struct request *request)
{
	return request->form.parts != NULL ? parts_count(request->form.parts) : request->form.n_parts;
}

static void
log_request(const struct request *request)
{
	uint64_t took = clock_now_ms() - request->deadlines.started_ms;
	const struct route *route = request->asked.decision.route;
	const struct error *error = error_is_set(&request->error) ? &request->error : NULL;

	log_line(reply_level(request->error.kind), "request", "request",
		LOG_TEXTVAL("id", request->asked.identity.id),
		LOG_TEXTVAL("client", request->asked.identity.client), LOG_TEXTVAL("method", request->asked.method),
		LOG_STR("target", request_target(request)), LOG_TEXTVAL("route", route != NULL ? route->id : NULL),
		LOG_NUM("status", request->answer.status), LOG_NUM("parts", count_parts(request)),
		LOG_NUM("bytes", request->body.seen), LOG_NUM("ms", took),
		LOG_TEXTVAL("error", error != NULL ? error_kind_name(error->kind) : NULL),
		LOG_TEXTVAL("why", error != NULL ? error->message : NULL));
}

static void
count_request(const struct request *request)
{
	struct metrics *metrics = request->intake->setup.metrics;

	metrics_request(metrics, request->answer.status, request->error.kind);
	metrics_add(metrics, METRIC_BODY_BYTES, request->body.seen);
	metrics_add(metrics, METRIC_PARTS, count_parts(request));
	metrics_add(metrics, METRIC_REQUEST_MS, clock_now_ms() - request->deadlines.started_ms);
}

void
request_free_if_over(struct request *request)
{
	if (request->client != NULL || !is_over(request))
		return;
	if (request->state != REQ_HEAD) {
		log_request(request);
		count_request(request);
	}
	request_free(request);
}

void
request_leave(struct request *request)
{
	request->reading.is_paused = false;
	scheduler_leave(request);
	answer_note_left(request);
	request->client = NULL;
	deadlines_close_at(request, CLOCK_NEVER);
	if (request->state == REQ_WAITING ||
		request->state == REQ_PARSING) /* HELD goes on: only its client has left */
		request_failf(
			request, ERR_CLIENT_GONE, "the client closed the connection before its form was whole");
	request_free_if_over(request);
}

/* -- failing --------------------------------------------------------------------------------------- */

void
request_fail(struct request *request, const struct error *error)
{
	error_keep_first(&request->error, error);
	if (request->state == REQ_PARSING || request->state == REQ_HELD)
		request_move(request, REQ_ABORTING);
	else if (request->state == REQ_WAITING)
		request_move(request, REQ_SETTLED);
	request_resume(request); /* whoever was waiting for room need not any more */
	request_step(request);
}

void
request_failf(struct request *request, enum error_kind kind, const char *sentence)
{
	struct error error = { 0 };

	if (request->state == REQ_SETTLED || request->state == REQ_ANSWERED)
		return;
	error_set(&error, kind, "%s", sentence);
	request_fail(request, &error);
}

/* Bytes of body that may have been read with the head, and were not shown yet. */
static size_t
behind_head(const struct request *request)
{
	return request->state == REQ_WAITING ? request->client->ops->behind_head(request->client) : 0;
}

/* The body bytes that the client has not sent yet can still be in the socket. If there are fewer than the
 * form needs, it will never be whole; if all are there, a client that only half-closed gets its answer. */
static bool
can_still_be_whole(const struct request *request)
{
	const struct body *body = &request->body;
	uint64_t length = request->asked.decision.length, unread;

	if (body->has_ended || length == LENGTH_UNKNOWN || !request->client->ops->unread(request->client, &unread))
		return true;
	return body->seen + behind_head(request) + unread >= length;
}

void
request_on_hangup(struct request *request, bool is_reset)
{
	if (!request->reading.is_paused || (request->state != REQ_PARSING && request->state != REQ_WAITING))
		return; /* it is read, so the end of the stream will be seen; or the form is whole already */
	if (!is_reset && can_still_be_whole(request))
		return;
	request->client->ops->shut(request->client);
	request_failf(request, ERR_CLIENT_GONE, "the client closed the connection before its form was whole");
}

/* -- pausing and resuming --------------------------------------------------------------------------- */

void
request_pause(struct request *request)
{
	must(!request->reading.is_paused && request->client != NULL);
	scheduler_leave(request); /* somebody else may use its turn meanwhile */
	request->client->ops->pause(request->client);
	request->reading.is_paused = true;
	request->reading.paused_ms = loop_now_ms(request->intake->setup.loop);
}

void
request_resume(struct request *request)
{
	intake_want_no_chunks(request);
	if (request->turn.state == TURN_AWAITED)
		scheduler_leave(request);
	if (!request->reading.is_paused || request->client == NULL)
		return;
	request->reading.is_paused = false;
	deadlines_note_byte(request);
	stalled_note_resumed(request);
	request->client->ops->resume(request->client);
}
