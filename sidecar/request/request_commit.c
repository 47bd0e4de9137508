// SPDX-License-Identifier: MIT
/* request_commit.c - asks the transaction of a request for its next steps, until its fate is settled; and gives everything up where
 * it fails. */
#include "request/room_priv.h"

/* An answer that is left to whoever reads the client goes out only after the next look at the socket. While the body comes in
 * none is taken there, and an end of the stream is taken for a client that has left, though it may only have nothing more to say. */
static bool
must_answer_now(const struct request *request)
{
	if (request->body.has_ended)
		return request->reading.is_paused && request->client->ops->has_hung_up(request->client);
	return request->body.seen < request->asked.decision.length;
}

static void
tell(struct request *request)
{
	if (must_answer_now(request))
		answer_send_now(request);
	if (request->body.has_ended && !request->client->ops->is_told(request->client))
		return;          /* request_on_told() resumes it */
	request_resume(request); /* else request_end() is called again */
}

static void
settle(struct request *request)
{
	const struct error *failure = txn_failure(request->form.txn);

	if (failure != NULL || request->state == REQ_ABORTING)
		request_tell_left(request);
	if (failure != NULL)
		error_keep_first(&request->error, failure);
	if (!txn_is_whole(request->form.txn))
		error_set(&request->error, ERR_INTERNAL, "not everything was stored");
	if (request->state == REQ_HELD && error_is_set(&request->error))
		request_move(request, REQ_ABORTING);
	request_move(request, REQ_SETTLED);
	deadlines_stop(request);
	if (request->client != NULL) /* else it has left; whoever called frees what is over */
		tell(request);
}

static void
on_answer(struct request *request)
{
	request_step(request);
	request_free_if_over(request);
}

/* Towards the next goal. True: it was reached. */
static bool
step(struct request *request, enum txn_goal *goal)
{
	*goal = request->state == REQ_ABORTING ? TXN_GIVE_UP : hand_goal(request);
	if (request->state == REQ_ABORTING && request->intake->is_cutting)
		txn_cut(request->form.txn);
	return txn_step(request->form.txn, *goal);
}

/* A goal before the end was reached. False: the application, or the journal, is awaited. What a store holds back can fail while the
 * application is asked: then nobody waits for its answer any more. */
static bool
go_on(struct request *request)
{
	struct error error = { 0 };

	if (txn_failure(request->form.txn) != NULL) {
		error_keep_first(&request->error, txn_failure(request->form.txn));
		hand_stop(request);
		request_move(request, REQ_ABORTING);
		return true;
	}
	if (!hand_go_on(request, on_answer, &error))
		return false;
	if (error_is_set(&error))
		error_keep_first(&request->error, &error);
	if (request->hand.state == HAND_NO)
		request_move(request, REQ_ABORTING);
	return true;
}

void
request_step(struct request *request)
{
	enum txn_goal goal;

	if (request->is_stepping || (request->state != REQ_HELD && request->state != REQ_ABORTING))
		return;
	request->is_stepping = true;
	while (step(request, &goal)) {
		if (goal >= TXN_END) {
			settle(request);
			break;
		}
		if (!go_on(request))
			break;
	}
	request->is_stepping = false;
}

/* -- failing --------------------------------------------------------------------------------------- */

void
request_fail(struct request *request, const struct error *error)
{
	error_keep_first(&request->error, error);
	if (request->state == REQ_PARSING || (request->state == REQ_HELD && !hand_stop(request)))
		request_move(request, REQ_ABORTING);
	else if (request->state == REQ_AUTHORIZING || request->state == REQ_WAITING)
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
