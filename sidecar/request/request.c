// SPDX-License-Identifier: MIT
/* request.c - one client request from its head to its answer: see the drawing in http_priv.h.
 *
 * libmicrohttpd calls request_on_target() when it has read the request line, request_on_access() with the
 * head, then with each piece of body, then once more at its end, and request_on_completed() when it has done
 * with the request. The request itself lives on until every transfer that it started has ended. */
#include "http/http_priv.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"

#include <sys/ioctl.h>

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

static void on_timer(struct timer *timer);

/* -- begin and end --------------------------------------------------------------------------------- */

static struct request *
request_new(struct worker *worker, const char *target)
{
	struct request *request = mem_zalloc(sizeof *request);

	if (request == NULL)
		return NULL;
	request->worker = worker;
	buf_add_text(&request->target, target);
	if (request->target.failed) {
		mem_free(request);
		return NULL;
	}
	counter_add(worker->setup.requests, 1);
	counter_add(worker->setup.busy, 1);
	request->timer.fire = on_timer;
	request->discard_until_ms = request->total_at_ms = request->wait_until_ms = CLOCK_NEVER;
	request->next = worker->requests;
	request->link = &worker->requests;
	if (request->next != NULL)
		request->next->link = &request->next;
	worker->requests = request;
	return request;
}

static void
leave_waiting_list(struct request *request)
{
	struct request **at = &request->worker->waiting;

	if (!request->waits_for_chunks)
		return;
	while (*at != request)
		at = &(*at)->next_waiting;
	*at = request->next_waiting;
	if (*at == NULL)
		request->worker->waiting_end = at;
	request->waits_for_chunks = false;
}

static void
forget_news(struct request *request)
{
	struct request **at = &request->worker->changed;

	while (request->is_changed && *at != request)
		at = &(*at)->next_changed;
	if (request->is_changed)
		*at = request->next_changed;
}

static void
free_parts(struct request *request)
{
	request_log_facts(request);
	parts_free(request->parts);
	request->parts = NULL;
	txn_free(request->txn);
	request->txn = NULL;
}

void
request_let_go(struct request *request, size_t body)
{
	request->n_parts = request->parts != NULL ? parts_count(request->parts) : 0;
	free_parts(request);
	if (blocks_charge(request->worker->blocks, body)) /* else it is there all the same */
		request->answer_charge = body;
}

static void
request_free(struct request *request)
{
	loop_clear_timer(request->worker->setup.loop, &request->timer);
	leave_waiting_list(request);
	forget_news(request);
	turn_leave(request);
	free_parts(request);
	blocks_discharge(request->worker->blocks, request->answer_charge);
	if (request->is_counted)
		counter_sub(request->table->active[request->decision.route->index], 1);
	buf_free(&request->early);
	buf_free(&request->target);
	buf_free(&request->location);
	table_release(request->table);
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	counter_sub(request->worker->setup.requests, 1);
	counter_sub(request->worker->setup.busy, 1);
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
	return request->parts != NULL ? parts_count(request->parts) : request->n_parts;
}

static void
log_request(const struct request *request)
{
	uint64_t took = clock_now_ms() - request->started_ms;
	const struct route *route = request->decision.route;

	log_line(reply_level(request->error.kind), "intake", "request", LOG_TEXTVAL("id", request->id),
		LOG_TEXTVAL("client", request->client), LOG_TEXTVAL("method", request->method),
		LOG_STR("target", buf_str(&request->target)),
		LOG_TEXTVAL("route", route != NULL ? route->id : NULL), LOG_NUM("status", request->status),
		LOG_NUM("parts", count_parts(request)), LOG_NUM("bytes", request->seen), LOG_NUM("ms", took),
		LOG_TEXTVAL("error", error_is_set(&request->error) ? error_kind_name(request->error.kind) : NULL),
		LOG_TEXTVAL("why", error_is_set(&request->error) ? request->error.message : NULL));
}

static void
count_request(const struct request *request)
{
	struct metrics *metrics = request->worker->setup.metrics;

	metrics_request(metrics, request->status, request->error.kind);
	metrics_add(metrics, METRIC_BODY_BYTES, request->seen);
	metrics_add(metrics, METRIC_PARTS, count_parts(request));
	metrics_add(metrics, METRIC_REQUEST_MS, clock_now_ms() - request->started_ms);
}

void
request_free_if_over(struct request *request)
{
	if (request->connection != NULL || !is_over(request))
		return;
	if (request->state != REQ_HEAD) {
		log_request(request);
		count_request(request);
	}
	request_free(request);
}

void *
request_on_target(void *arg, const char *target, struct MHD_Connection *mhd)
{
	struct connection *connection = connection_of(mhd);
	struct request *request = connection != NULL ? request_new(connection->worker, target) : NULL;

	(void)arg;

	if (request == NULL)
		return NULL;
	request->connection = connection;
	connection->begun = request;
	connection->is_idle = false;
	request->started_ms = request->active_ms = clock_now_ms();
	return request;
}

void
request_leave_connection(struct request *request)
{
	request->suspended = false;
	turn_leave(request);
	if (request->status == 0 && request->state != REQ_HEAD)
		request->status = 499;
	connection_end_request(request->connection);
	request->connection = NULL;
	request->discard_until_ms = CLOCK_NEVER;
	if (request->state == REQ_WAITING ||
		request->state == REQ_PARSING) /* HELD goes on: only its client has left */
		request_failf(
			request, ERR_CLIENT_GONE, "the client closed the connection before its form was whole");
	request_free_if_over(request);
}

void
request_on_completed(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why)
{
	struct request *request = *context;

	(void)arg;
	(void)mhd;
	(void)why;
	if (request == NULL)
		return;
	*context = NULL;
	request_leave_connection(request);
}

enum MHD_Result
request_on_access(void *arg, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
	const char *data, size_t *len, void **context)
{
	struct request *request = *context;

	(void)arg;
	(void)mhd;
	if (request == NULL)
		return MHD_NO; /* out of memory when its first line came: nothing can be said */
	if (request->state == REQ_HEAD || request->is_head_due)
		return request_on_head(request, url, method, version);
	if (*len > 0)
		return request_on_body(request, data, len);
	return request_on_end(request);
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

/* Bytes of body that libmicrohttpd may have read with the head, and has not shown us yet. */
static size_t
in_library(const struct request *request)
{
	return request->state == REQ_WAITING ? request->connection->lane->memory : 0;
}

/* The body bytes that the client has not sent yet can still be in the socket. If there are fewer than the
 * form needs, it will never be whole; if all are there, a client that only half-closed gets its answer. */
static bool
can_still_be_whole(const struct request *request)
{
	int waiting = 0;

	if (request->body_ended || request->decision.length == LENGTH_UNKNOWN)
		return true;
	if (ioctl(request->connection->watch.fd, FIONREAD, &waiting) < 0 || waiting < 0)
		return true;
	return request->seen + in_library(request) + (uint64_t)waiting >= request->decision.length;
}

void
request_on_hangup(struct request *request, bool is_reset)
{
	if (!request->suspended || (request->state != REQ_PARSING && request->state != REQ_WAITING))
		return; /* libmicrohttpd reads the socket itself and sees it, or the form is whole already */
	if (!is_reset && can_still_be_whole(request))
		return;
	connection_shut(request->connection);
	request_failf(request, ERR_CLIENT_GONE, "the client closed the connection before its form was whole");
}

/* -- suspend and resume ---------------------------------------------------------------------------- */

void
request_suspend(struct request *request)
{
	must(!request->suspended && request->connection != NULL);
	turn_leave(request); /* somebody else may use it meanwhile */
	MHD_suspend_connection(request->connection->mhd);
	request->suspended = true;
	request->suspended_ms = loop_now_ms(request->worker->setup.loop);
}

void
request_resume(struct request *request)
{
	leave_waiting_list(request);
	if (request->turn == TURN_AWAITED)
		turn_leave(request);
	if (!request->suspended || request->connection == NULL)
		return;
	request->suspended = false;
	request->active_ms = loop_now_ms(request->worker->setup.loop);
	stalled_note_resumed(request);
	MHD_resume_connection(request->connection->mhd);
	request->connection->lane->is_due = true;
}

/* -- deadlines ------------------------------------------------------------------------------------- */

/* The client may be idle only where it could send: not while it is suspended, not once its body is in. */
static uint64_t
idle_at(const struct request *request)
{
	if (request->suspended || request->body_ended || request->state != REQ_PARSING)
		return CLOCK_NEVER;
	return clock_after(request->active_ms, request->table->config->client.idle_ms);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool
is_timed(const struct request *request)
{
	return request->state == REQ_WAITING || request->state == REQ_PARSING || request->state == REQ_HELD;
}

void
request_set_timer(struct request *request)
{
	uint64_t at = earlier(idle_at(request), request->discard_until_ms);

	if (is_timed(request))
		at = earlier(at, request->total_at_ms);
	if (request->state == REQ_WAITING)
		at = earlier(at, request->wait_until_ms);
	/* Set lazily: each byte moves idle_at() further away, and a timer that fires early is set anew. */
	if (request->timer.slot != 0 && request->timer.at_ms <= at)
		return;
	if (at == CLOCK_NEVER)
		loop_clear_timer(request->worker->setup.loop, &request->timer);
	else
		loop_set_timer(request->worker->setup.loop, &request->timer, at);
}

static void
on_timer(struct timer *timer)
{
	struct request *request = container_of(timer, struct request, timer);
	uint64_t now = loop_now_ms(request->worker->setup.loop);

	if (request->discard_until_ms <= now && request->connection != NULL) {
		request->discard_until_ms = CLOCK_NEVER;
		connection_shut(request->connection);
		request_resume(request);
		return;
	}
	if (idle_at(request) <= now)
		request_failf(request, ERR_CLIENT_SLOW, "no byte came for longer than client.timeout.idle");
	else if (request->state == REQ_WAITING && request->wait_until_ms <= now)
		request_fail_for_memory(request);
	else if (request->total_at_ms <= now && is_timed(request))
		request_failf(request, ERR_CLIENT_SLOW, "the request took longer than client.timeout.total");
	else
		request_set_timer(request);
	request_free_if_over(request);
}
