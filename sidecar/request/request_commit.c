// SPDX-License-Identifier: MIT
/* request_commit.c - asks the transaction of a request for its next steps, until its fate is settled. */
#include "http/http_priv.h"

/* Through libmicrohttpd an answer goes only after its next look at the socket. That takes no answer while the body
 * comes in, and takes an end of the stream for a client that has left, though he may only have nothing more to say. */
static bool
must_answer_now(const struct request *request)
{
	if (request->body_ended)
		return request->suspended && request->connection->has_hung_up;
	return request->seen < request->decision.length;
}

static void
settle(struct request *request)
{
	const struct error *failure = txn_failure(request->txn);

	if (failure != NULL)
		error_keep_first(&request->error, failure);
	if (!txn_is_whole(request->txn))
		error_set(&request->error, ERR_INTERNAL, "not everything was stored");
	if (request->state == REQ_HELD && error_is_set(&request->error))
		request_move(request, REQ_ABORTING);
	request_move(request, REQ_SETTLED);
	loop_clear_timer(request->worker->setup.loop, &request->timer);
	if (request->connection == NULL)
		return; /* the client has left; whoever called frees what is over */
	if (must_answer_now(request))
		answer_early(request);
	if (request->body_ended && !answer_is_out(request))
		return;          /* it resumes it itself */
	request_resume(request); /* else libmicrohttpd will call request_on_end() */
}

void
request_step(struct request *request)
{
	if (request->is_stepping || (request->state != REQ_HELD && request->state != REQ_ABORTING))
		return;
	request->is_stepping = true;
	if (request->state == REQ_ABORTING && request->worker->is_cutting)
		txn_cut(request->txn);
	if (txn_step(request->txn, request->state == REQ_ABORTING))
		settle(request);
	request->is_stepping = false;
}
