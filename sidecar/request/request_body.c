// SPDX-License-Identifier: MIT
/* request_body.c - pieces of body on their way from libmicrohttpd to the parts.
 *
 * A piece is taken whole where that is possible: what is left unconsumed libmicrohttpd moves to the front of
 * its buffer each time. So after a piece, if the channels could not take another of full size, the
 * connection is suspended before the next read; only a pool without chunks stops in the middle of one. */
#include "http/http_priv.h"

static void
wait_for_chunks(struct request *request)
{
	struct worker *worker = request->worker;

	if (request->waits_for_chunks)
		return;
	request->waits_for_chunks = true;
	request->next_waiting = NULL;
	*worker->waiting_end = request;
	worker->waiting_end = &request->next_waiting;
}

/* The pool is asked once more after arming, because chunks may have come back in between. */
static enum parts_readiness
prepare_or_wait(struct request *request, size_t *len)
{
	enum parts_readiness ready = parts_prepare(request->parts, len);

	if (ready != PARTS_WAIT_CHUNKS)
		return ready;
	pool_wait(request->worker->setup.pool, &request->worker->pool_waiter);
	ready = parts_prepare(request->parts, len);
	if (ready == PARTS_WAIT_CHUNKS)
		wait_for_chunks(request);
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
		if (!parts_feed(request->parts, data + done, n, &error)) {
			request_fail(request, &error);
			return len;
		}
		done += n;
	}
	parts_flush(request->parts);
	return done;
}

/* Reads on so that the answer arrives: closing with bytes unread would reset the connection and destroy it.
 * Over the budget an answered client is cut; one whose answer waits, for transfers to end or for room in the socket,
 * is held back. */
static void
discard(struct request *request, size_t len)
{
	const struct route *route = request->decision.route;
	uint64_t budget = route != NULL ? route->limits.discard : DISCARD_DEFAULT;

	request->discarded += len;
	if (request->discarded <= budget)
		return;
	if (request->answered_early && answer_is_out(request))
		connection_shut(request->connection);
	else
		request_suspend(request);
}

enum MHD_Result
request_on_body(struct request *request, const char *data, size_t *len)
{
	size_t done = *len;

	if (request->suspended)
		return MHD_YES; /* libmicrohttpd goes on with the next chunk of its buffer: it keeps that for later */
	if (request->taken + *len > request->seen)
		request->seen = request->taken + *len;
	request->active_ms = loop_now_ms(request->worker->setup.loop);
	connection_nudge(request->connection);
	if (request->state == REQ_PARSING)
		done = feed(request, data, *len);
	else
		discard(request, *len);
	request->taken += done;
	stalled_note_bytes(request);
	*len -= done;
	if (request->state == REQ_PARSING && (*len > 0 || !parts_has_room(request->parts, request_piece(request))))
		request_suspend(request);
	else
		*len = 0;
	if (request->state == REQ_PARSING && !request->suspended)
		turn_after_piece(request, done);
	request_set_timer(request);
	return MHD_YES;
}

static void
finish_form(struct request *request)
{
	struct error error = { 0 };

	if (!parts_finish(request->parts, &error)) {
		request_fail(request, &error);
		return;
	}
	request_move(request, REQ_HELD);
	request_step(request);
}

/* Called again after each resume, until the answer is there. */
enum MHD_Result
request_on_end(struct request *request)
{
	request->body_ended = true;
	if (request->answered_early && answer_is_out(request))
		return MHD_NO; /* all has been said and read: close */
	if (request->state == REQ_PARSING)
		finish_form(request);
	if (request->state == REQ_SETTLED)
		return answer_queue(request);
	request_suspend(request);
	request_set_timer(request);
	return MHD_YES;
}

/* [from the mailbox] News of thousands of parts may come in one turn of the loop: they are looked at once, at its end. */
void
request_on_news(void *arg)
{
	struct request *request = arg;

	if (request->is_changed)
		return;
	request->is_changed = true;
	request->next_changed = request->worker->changed;
	request->worker->changed = request;
}

static void
look_at_news(struct request *request)
{
	const struct error *failure;

	if (request->state == REQ_PARSING) {
		txn_go_on(request->txn);
		failure = txn_failure(request->txn);
		if (failure != NULL)
			request_fail(request, failure);
		else if (request->suspended && !request->waits_for_chunks && request->turn != TURN_AWAITED &&
			parts_has_room(request->parts, request_piece(request)))
			request_resume(request);
		return;
	}
	request_step(request);
	request_free_if_over(request);
}

void
requests_look_at_news(struct worker *worker)
{
	while (worker->changed != NULL) {
		struct request *request = worker->changed;

		worker->changed = request->next_changed;
		request->is_changed = false;
		look_at_news(request);
	}
}

/* Its turn in the waiting list: libmicrohttpd will show the same bytes again. */
void
request_on_chunks(struct request *request)
{
	request_resume(request);
	request_set_timer(request);
}
