// SPDX-License-Identifier: MIT
/* request_commit.c - asks the transaction of a request for its next steps, until its fate is settled. */
#include "request/request_priv.h"

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

void
request_step(struct request *request)
{
	if (request->is_stepping || (request->state != REQ_HELD && request->state != REQ_ABORTING))
		return;
	request->is_stepping = true;
	if (request->state == REQ_ABORTING && request->intake->is_cutting)
		txn_cut(request->form.txn);
	if (txn_step(request->form.txn, request->state == REQ_ABORTING))
		settle(request);
	request->is_stepping = false;
}
