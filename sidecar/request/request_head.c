// SPDX-License-Identifier: MIT
/* request_head.c - a request's head: who sends it, whether it is let in, and what gets ready for its body. */
#include "http/http_priv.h"

#include "part/location.h"

#include <stdio.h>
#include <time.h>

size_t
request_piece(const struct request *request)
{
	return request->connection->lane->memory / 2;
}

uint64_t
request_body_most(const struct request *request)
{
	uint64_t length = request->decision.length, limit = request->decision.route->limits.body;

	return length < limit ? length : limit;
}

static bool
make_txn(struct request *request)
{
	const struct worker_setup *setup = &request->worker->setup;
	const struct route *route = request->decision.route;
	struct txn_setup txn = {
		.policy = route->commit == COMMIT_EACH ? PLAN_EACH : PLAN_ALL,
		.outlets = setup->outlets,
		.table = request->table,
		.state = setup->state,
		.blocks = request->worker->blocks,
		.piece = request_piece(request),
		.body = request_body_most(request),
		.box = loop_mailbox(setup->loop),
		.want_body = route->response.from_upstream,
		.request_id = request->id,
		.id_is_ours = request->id_is_ours,
		.traceparent = request->traceparent[0] != '\0' ? request->traceparent : NULL,
		.client = request->client,
		.on_news = request_on_news,
		.arg = request,
	};

	request->txn = txn_new(&txn, &request->error);
	return request->txn != NULL;
}

static bool
make_parts(struct request *request)
{
	const struct route *route = request->decision.route;
	struct parts_setup parts = {
		.route = route,
		.naming = &request->naming,
	};

	request->naming = (struct naming){
		.head = &request->head,
		.match = &request->decision.match,
		.request_id = str_of(request->id),
		.started = time(NULL),
	};
	if (!location_make(&request->naming, &route->response, &request->location, &request->error) ||
		!make_txn(request))
		return false;
	parts.txn = request->txn;
	request->parts = parts_new(&parts, &request->error);
	return request->parts != NULL;
}

/* decide() has only looked; two workers may have seen the same last place. */
static void
take_place(struct request *request)
{
	struct decision *decision = &request->decision;
	struct counter *active = request->table->active[decision->route->index];

	request->is_counted = counter_take(active, decision->route->limits.concurrent);
	if (!request->is_counted)
		decide_too_many(decision);
}

static void
begin(struct request *request, const char *url, const char *method, const char *version)
{
	struct worker *worker = request->worker;
	struct load load = {
		.is_draining = worker->state != WORKER_RUNNING,
		.is_over_memory = pool_is_used_up(worker->setup.pool),
		.active = worker->table->active,
	};

	request->table = table_acquire(worker->table);
	mhd_head_init(request, method, version);
	snprintf(request->method, sizeof request->method, "%s", method);
	if (identity_take(request))
		load.gateway_refuses = head_header(&request->head, "x-penstock-refuse");
	connection_begin_request(request->connection, request);
	request->active_ms = loop_now_ms(worker->setup.loop);
	request->total_at_ms = clock_after(request->started_ms, request->table->config->client.total_ms);
	if (mhd_head_check(request, url, &request->decision.error))
		decide(request->table->config, &request->head, &load, &request->decision);
	if (request->decision.allow)
		take_place(request);
	request->error = request->decision.error;
	if (request->decision.allow && make_parts(request))
		request_take_memory(request);
	else
		request_move(request, REQ_SETTLED);
	request_set_timer(request);
}

/* Whether a body follows the head that was just refused. */
static bool
has_body(const struct request *request)
{
	struct str value;

	if (request->head.header(request->head.arg, STR("transfer-encoding"), 0, &value))
		return true;
	return request->head.header(request->head.arg, STR("content-length"), 0, &value) && !str_is(value, "0");
}

/* After this first call libmicrohttpd says 100 if the client waits for it. Where it is suspended in it, the call comes again once
 * it is resumed, and then it may say no, too. */
enum MHD_Result
request_on_head(struct request *request, const char *url, const char *method, const char *version)
{
	if (request->state == REQ_HEAD)
		begin(request, url, method, version);
	request->is_head_due = request->state == REQ_WAITING;
	if (request->is_head_due)
		request_suspend(request);
	if (request->state != REQ_SETTLED)
		return MHD_YES;
	/* Who waits for 100 has not sent a byte, and libmicrohttpd would say it after an answer that it does not know of. */
	if (!has_body(request) || decide_expects_continue(&request->head))
		return answer_queue(request);
	answer_early(request);
	return MHD_YES;
}
