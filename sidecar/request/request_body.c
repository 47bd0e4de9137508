// SPDX-License-Identifier: MIT
/* request_body.c - pieces of body on their way from the client to the parts.
 *
 * A piece is taken whole where that is possible: what is left of one is moved to the front of the buffer that it was read
 * into each time. So after a piece, if the channels could not take another of full size, the client is paused before the
 * next read; only a pool without chunks stops in the middle of one. */
#include "request/room_priv.h"

#include "base/container_of.h"
#include "base/must.h"

#define DISCARD_DEFAULT (64u * 1024 * 1024) /* where no route was found that says otherwise */

/* The pool is asked once more after arming, because chunks may have come back in between. */
static enum parts_readiness
prepare_or_wait(struct request *request, size_t *len)
{
	enum parts_readiness ready = parts_prepare(request->form.parts, len);

	if (ready != PARTS_WAIT_CHUNKS)
		return ready;
	pool_wait(request->intake->setup.pool, &request->intake->pool_waiter);
	ready = parts_prepare(request->form.parts, len);
	if (ready == PARTS_WAIT_CHUNKS)
		intake_want_chunks(request);
	return ready;
}

static size_t
feed(struct request *request, const char *data, size_t len)
{
	struct error error = { 0 };
	size_t done = 0;

	while (done < len && request->state == REQ_PARSING) {
		size_t n = len - done < SOURCE_FEED_MAX ? len - done : SOURCE_FEED_MAX;

		if (prepare_or_wait(request, &n) != PARTS_READY)
			break;
		if (!parts_feed(request->form.parts, data + done, n, &error)) {
			request_fail(request, &error);
			return len;
		}
		done += n;
	}
	parts_flush(request->form.parts);
	return done;
}

static bool
may_be_read(struct request *request)
{
	return request->reading.is_paused && !request->wants_chunks.is_in && request->turn.state != TURN_AWAITED &&
		!request->shaping.is_held && parts_has_room(request->form.parts, request_piece(request));
}

static void
on_rate(struct timer *timer)
{
	struct request *request = container_of(timer, struct request, shaping.timer);

	request->shaping.is_held = false;
	if (!may_be_read(request))
		return;
	request_resume(request);
	deadlines_set(request);
}

/* As fast as its rates let it. */
static size_t
feed_in_time(struct request *request, const char *data, size_t len)
{
	size_t done = 0, n, fed;

	do {
		n = shape_allow(request, len - done, on_rate);
		fed = n > 0 ? feed(request, data + done, n) : 0;
		shape_took(request, fed);
		done += fed;
	} while (fed > 0 && fed == n && done < len && request->state == REQ_PARSING);
	return request->state == REQ_PARSING ? done : len;
}

/* Reads on so that the answer arrives: closing with bytes unread would reset the connection and destroy it.
 * Over the budget an answered client is cut; one whose answer waits, for transfers to end or for room in the socket,
 * is paused. */
static void
discard(struct request *request, size_t len)
{
	const struct route *route = request->asked.decision.route;
	const struct client_ops *ops = request->client->ops;
	uint64_t budget = route != NULL ? route->limits.discard : DISCARD_DEFAULT;

	request->body.discarded += len;
	if (request->body.discarded <= budget)
		return;
	if (request->answer.is_early && ops->is_told(request->client))
		ops->shut(request->client);
	else
		request_pause(request);
}

static void
wait_for_turn(struct request *request)
{
	request_pause(request); /* and so its own turn has ended */
	scheduler_await(request);
}

static void
take(struct request *request, const char *data, size_t *len)
{
	struct body *body = &request->body;
	size_t done = *len;

	if (body->taken + *len > body->seen)
		body->seen = body->taken + *len;
	if (request->state == REQ_PARSING)
		done = feed_in_time(request, data, *len);
	else
		discard(request, *len);
	body->taken += done;
	pace_note_bytes(request);
	*len -= done;
	if (request->state != REQ_PARSING) {
		*len = 0;
		return;
	}
	if (*len > 0 || !parts_has_room(request->form.parts, request_piece(request)))
		request_pause(request);
	else if (scheduler_after_piece(request, done))
		wait_for_turn(request);
}

void
request_take_body(struct request *request, const char *data, size_t *len)
{
	must(!request->reading.is_paused);
	deadlines_note_byte(request);
	take(request, data, len);
	deadlines_set(request);
}

static void
finish_form(struct request *request)
{
	struct error error = { 0 };

	if (!parts_finish(request->form.parts, &error) || !hand_get_ready(request, &error)) {
		request_fail(request, &error);
		return;
	}
	request_move(request, REQ_HELD);
	request_step(request);
}

bool
request_end(struct request *request)
{
	request->body.has_ended = true;
	if (request->answer.is_early && request->client->ops->is_told(request->client))
		return false; /* all has been said and read: close */
	if (request->state == REQ_PARSING)
		finish_form(request);
	if (request->state == REQ_SETTLED)
		return answer_send(request);
	request_pause(request);
	deadlines_set(request);
	return true;
}

static void
on_news_of_parsing(struct request *request)
{
	const struct error *failure;

	txn_go_on(request->form.txn);
	failure = txn_failure(request->form.txn);
	if (failure != NULL)
		request_fail(request, failure);
	else if (may_be_read(request))
		request_resume(request);
}

void
request_on_news(struct request *request)
{
	if (request->state == REQ_PARSING) {
		on_news_of_parsing(request);
		return;
	}
	request_step(request);
	request_free_if_over(request);
}

void
request_on_chunks(struct request *request)
{
	request_resume(request);
	deadlines_set(request);
}
