// SPDX-License-Identifier: MIT
/* request.c - one client request from its first line to its end: see request.h for how it is told of what comes, and the drawing
 * in room_priv.h for what becomes of it. It lives on until every transfer that it started has ended. */
#include "request/room_priv.h"

#include "base/container_of.h"
#include "base/mem.h"

/* -- a deadline passes ------------------------------------------------------------------------------ */

static void
close_client(struct request *request)
{
	deadlines_close_at(request, CLOCK_NEVER);
	request->client->ops->shut(request->client);
	request_resume(request);
}

static void
on_timer(struct timer *timer)
{
	struct request *request = container_of(timer, struct request, deadlines.timer);

	switch (deadlines_passed(request)) {
	case DEADLINE_CLOSE:
		close_client(request);
		return;
	case DEADLINE_IDLE:
		request_failf(request, ERR_CLIENT_SLOW, "no byte came for longer than client.timeout.idle");
		break;
	case DEADLINE_TURN:
		request_fail_for_turn(request);
		break;
	case DEADLINE_MEMORY:
		request_fail_for_memory(request);
		break;
	case DEADLINE_TOTAL:
		request_failf(request, ERR_CLIENT_SLOW, "the request took longer than client.timeout.total");
		break;
	case DEADLINE_NONE:
		deadlines_set(request);
	}
	request_free_if_over(request);
}

/* -- it begins, and its client leaves ---------------------------------------------------------------- */

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
	deadlines_start(request, on_timer);
	intake_add(intake, request);
	return request;
}

struct str
request_target(const struct request *request)
{
	return buf_str(&request->asked.target);
}

static bool
waits_before_body(const struct request *request)
{
	return request->state == REQ_AUTHORIZING || request->state == REQ_WAITING;
}

static bool
is_before_its_end(const struct request *request)
{
	return waits_before_body(request) || request->state == REQ_PARSING;
}

void
request_leave(struct request *request)
{
	request->reading.is_paused = false;
	scheduler_leave(request);
	answer_note_left(request);
	request->client = NULL;
	deadlines_close_at(request, CLOCK_NEVER);
	if (is_before_its_end(request)) /* HELD goes on: only its client has left */
		request_failf(
			request, ERR_CLIENT_GONE, "the client closed the connection before its form was whole");
	request_free_if_over(request);
}

/* -- its client hangs up --------------------------------------------------------------------------- */

/* Bytes of body that may have been read with the head, and were not shown yet. */
static size_t
behind_head(const struct request *request)
{
	return waits_before_body(request) ? request->client->ops->behind_head(request->client) : 0;
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
	if (!request->reading.is_paused || !is_before_its_end(request))
		return; /* it is read, so the end of the stream will be seen; or the form is whole already */
	if (!is_reset && can_still_be_whole(request))
		return;
	request->client->ops->shut(request->client);
	request_failf(request, ERR_CLIENT_GONE, "the client closed the connection before its form was whole");
}
