// SPDX-License-Identifier: MIT
/* answer.c - the answer that reply/ makes, on its way to the client: see http_priv.h for the two ways. */
#include "http/http_priv.h"

#include "base/mem.h"
#include "reply/accept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define READ_RATE 100u /* bytes of an answer that a client has to read each millisecond, in the long run */

/* -- what reply/ needs to know ---------------------------------------------------------------------- */

static void
tell_outcome(struct reply_part *to, const struct outcome *outcome)
{
	to->has_outcome = true;
	to->state = outcome->state;
	to->upstream_status = outcome->status;
	to->location = str_of(outcome->location);
	if (error_is_set(&outcome->error))
		to->problem = str_of(outcome->error.message);
	else if (error_is_set(&outcome->undo_error))
		to->problem = str_of(outcome->undo_error.message);
}

static struct reply_part
tell_part(const struct part *part)
{
	struct reply_part to = reply_part_of(part);

	if (part->delivery != NULL)
		tell_outcome(&to, &part->delivery->order.outcome);
	return to;
}

static bool
is_visible(const struct outcome *outcome)
{
	return outcome->state == OUTCOME_COMMITTED || outcome->state == OUTCOME_UNKNOWN;
}

/* A refusal speaks of parts only where something is already there, or may be. */
static bool
speaks_of_parts(const struct request *request)
{
	if (request->parts == NULL)
		return false;
	if (!error_is_set(&request->error))
		return request->decision.route->response.json == RESPONSE_SUMMARY;
	for (const struct delivery *d = txn_first(request->txn); d != NULL; d = d->next)
		if (is_visible(&d->order.outcome))
			return true;
	return false;
}

/* NULL: nothing to tell, or out of memory; then the answer is shorter. */
static struct reply_part *
tell_parts(const struct request *request, size_t *n)
{
	struct reply_part *list;

	*n = 0;
	if (!speaks_of_parts(request))
		return NULL;
	list = mem_array(parts_count(request->parts), sizeof *list);
	for (const struct part *p = parts_first(request->parts); p != NULL && list != NULL; p = p->next)
		if (p->is_whole || p->delivery != NULL)
			list[(*n)++] = tell_part(p);
	return list;
}

static const struct outcome *
upstream_of(const struct request *request)
{
	const struct delivery *first = request->txn != NULL ? txn_first(request->txn) : NULL;

	if (request->decision.route == NULL || !request->decision.route->response.from_upstream || first == NULL)
		return NULL;
	return &first->order.outcome;
}

/* A store that is too busy may say for how long: whoever comes again sooner makes it worse. */
static unsigned
retry_after_of(const struct request *request)
{
	unsigned most = request->decision.retry_after_s;

	if (request->error.kind != ERR_UPSTREAM || request->parts == NULL)
		return most;
	for (const struct delivery *d = txn_first(request->txn); d != NULL; d = d->next)
		if (d->order.outcome.retry_after_s > most)
			most = d->order.outcome.retry_after_s;
	return most;
}

static void
make_reply(struct request *request, struct reply *reply)
{
	size_t n;
	struct reply_part *parts = tell_parts(request, &n);
	struct buf allow = { 0 };
	struct reply_facts facts = {
		.error = request->error,
		.route = request->decision.route,
		.request_id = str_of(request->id),
		.location = buf_str(&request->location),
		.wants_page = error_is_set(&request->error) && accept_prefers_page(&request->head),
		.retry_after_s = retry_after_of(request),
		.parts = parts,
		.n_parts = n,
		.upstream = upstream_of(request),
	};

	if (request->error.kind == ERR_METHOD)
		match_allow(request->table->config, &request->head, &request->decision.path, &allow);
	if (!allow.failed) /* half of it would be a wrong one */
		facts.allow = buf_str(&allow);
	reply_make(&facts, reply);
	request->status = reply->status;
	buf_free(&allow);
	mem_free(parts);
}

/* -- through libmicrohttpd -------------------------------------------------------------------------- */

/* The body goes to libmicrohttpd, which frees it: a summary may be large, so it is not copied. */
static struct MHD_Response *
response_of(struct request *request, struct reply *reply)
{
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
		reply->body.len, reply->body.data, mem_free);

	if (response == NULL)
		return NULL;
	reply->body = (struct buf){ 0 };
	for (size_t i = 0; i < reply->n_headers; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	if (!connection_keep_alive(request->connection))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return response;
}

/* Nobody may hold an answer for ever by not reading it, nor is it wanted faster than READ_RATE. */
static void
limit_reading(struct request *request, size_t len)
{
	uint64_t idle_ms = request->table->config->client.idle_ms;
	uint64_t from_ms = clock_after(loop_now_ms(request->worker->setup.loop), idle_ms);

	request->discard_until_ms = clock_after(from_ms, len / READ_RATE);
	request_set_timer(request);
}

enum MHD_Result
answer_queue(struct request *request)
{
	struct reply reply = { 0 };
	struct MHD_Response *response;
	enum MHD_Result queued = MHD_NO;

	make_reply(request, &reply);
	request_move(request, REQ_ANSWERED);
	request_let_go(request, reply.body.len);
	limit_reading(request, reply.body.len);
	response = response_of(request, &reply);
	if (response != NULL) {
		queued = MHD_queue_response(request->connection->mhd, reply.status, response);
		MHD_destroy_response(response);
	}
	reply_free(&reply);
	return queued;
}

/* -- straight into the socket ----------------------------------------------------------------------- */

static void
format_reply(const struct reply *reply, bool is_head, struct buf *out)
{
	struct str body = buf_str(&reply->body);

	buf_addf(out, "HTTP/1.1 %u %s\r\n", reply->status, reply_reason(reply->status));
	for (size_t i = 0; i < reply->n_headers; i++)
		buf_addf(out, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
	buf_addf(out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.len);
	if (!is_head)
		buf_add_str(out, body);
}

bool
answer_is_out(const struct request *request)
{
	return request->early_sent == request->early.len;
}

/* All is with the socket, or the client has gone and there is nobody to tell. */
static void
end_early(struct request *request)
{
	buf_free(&request->early);
	request->early_sent = 0;
	connection_watch_room(request->connection, false);
	request_resume(request); /* if the end of the body, or of the budget, had to wait for it */
}

void
answer_go_on(struct request *request)
{
	const struct buf *text = &request->early;

	while (!answer_is_out(request)) {
		ssize_t n = send(request->connection->watch.fd, text->data + request->early_sent,
			text->len - request->early_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		request->early_sent += (size_t)n;
	}
	if (text->data != NULL)
		end_early(request);
}

void
answer_early(struct request *request)
{
	struct loop *loop = request->worker->setup.loop;
	struct reply reply = { 0 };

	make_reply(request, &reply);
	request_move(request, REQ_ANSWERED);
	request->answered_early = true;
	format_reply(&reply, strcmp(request->method, "HEAD") == 0, &request->early);
	if (request->early.failed)
		buf_free(&request->early);
	reply_free(&reply);
	request_let_go(request, request->early.len);
	/* Nothing else has been written for this request, so the socket mostly takes all of it at once. */
	connection_watch_room(request->connection, true);
	answer_go_on(request);
	request->discard_until_ms = clock_after(loop_now_ms(loop), DISCARD_MS);
	request_set_timer(request);
	if (request->worker->is_aborting || request->error.kind == ERR_CLIENT_GONE)
		connection_shut(request->connection);
}
