// SPDX-License-Identifier: MIT
/* request_free.c - the end of a request that nobody needs any more: what is logged and counted of it, and what it has held. */
#include "request/room_priv.h"

#include "base/mem.h"

#include <string.h>

static void
request_free(struct request *request)
{
	deadlines_stop(request);
	scheduler_leave(request);
	request_free_form(request);
	hand_free(request);
	answer_discharge(request);
	grants_free(&request->asks.grants);
	client_give_upload(request);
	client_give_rates(request);
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

	log_line(reply_level_of(&request->error), "request", "request",
		LOG_TEXTVAL("id", request->asked.identity.id),
		LOG_TEXTVAL("client", request->asked.identity.client), LOG_TEXTVAL("method", request->asked.method),
		LOG_STR("target", buf_str(&request->asked.target)),
		LOG_TEXTVAL("route", route != NULL ? route->id : NULL), LOG_NUM("status", request->answer.status),
		LOG_NUM("parts", count_parts(request)), LOG_NUM("bytes", request->body.seen), LOG_NUM("ms", took),
		LOG_TEXTVAL("error", error != NULL ? error_kind_name(error->kind) : NULL),
		LOG_TEXTVAL("why", error != NULL ? error->message : NULL));
}

/* What its client had already. */
static void
count_too_many(const struct request *request)
{
	static const struct {
		const char *limit;
		enum metric metric;
	} rows[] = { { "per_client.uploads", METRIC_CLIENT_UPLOADS },
		{ "per_client.connections", METRIC_CLIENT_CONNECTIONS }, { "per_client", METRIC_CLIENT_TABLE } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(request->error.limit, rows[i].limit) == 0)
			metrics_add(request->intake->setup.metrics, rows[i].metric, 1);
}

static void
count_request(const struct request *request)
{
	struct metrics *metrics = request->intake->setup.metrics;

	metrics_request(metrics, request->answer.status, request->error.kind);
	count_too_many(request);
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
