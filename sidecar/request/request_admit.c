// SPDX-License-Identifier: MIT
/* request_admit.c - a request may come in: its place among those of its route is taken, what its body goes to gets ready, and it has
 * its memory or waits for it. */
#include "request/room_priv.h"

#include "part/location.h"

size_t
request_piece(const struct request *request)
{
	return request->client->ops->piece(request->client);
}

static bool
make_txn(struct request *request)
{
	const struct intake_setup *setup = &request->intake->setup;
	const struct identity *identity = &request->asked.identity;
	const struct route *route = request->asked.decision.route;
	struct txn_setup txn = {
		.policy = route->commit == COMMIT_EACH ? PLAN_EACH : PLAN_ALL,
		.sinks = setup->sinks,
		.table = request->table,
		.state = setup->state,
		.blocks = request->intake->blocks,
		.piece = request_piece(request),
		.body = request_body_most(request),
		.box = loop_mailbox(setup->loop),
		.want_body = route->response.from == RESPONSE_UPSTREAM,
		.request_id = identity->id,
		.id_is_ours = identity->id_is_ours,
		.traceparent = identity->traceparent[0] != '\0' ? identity->traceparent : NULL,
		.client = identity->client,
		.on_news = intake_on_news,
		.arg = request,
	};

	request->form.txn = txn_new(&txn, &request->error);
	return request->form.txn != NULL;
}

static bool
make_parts(struct request *request)
{
	struct asked *asked = &request->asked;
	struct request_form *form = &request->form;
	struct parts_setup parts = {
		.tools = &request->intake->tools, .route = asked->decision.route, .naming = &form->naming
	};

	if (!location_make(&form->naming, &parts.route->response, &form->location, &request->error) ||
		!make_txn(request))
		return false;
	parts.txn = form->txn;
	form->parts = parts_new(&parts, &request->error);
	return form->parts != NULL;
}

/* decide() has only looked; two workers may have seen the same last place. */
static bool
take_place(struct request *request)
{
	struct decision *decision = &request->asked.decision;
	struct counter *active = request->table->active[decision->route->index];

	if (!client_take_upload(request))
		return false;
	request->asked.is_counted = counter_take(active, decision->route->limits.concurrent);
	if (request->asked.is_counted)
		return client_take_rates(request);
	client_give_upload(request);
	decide_too_many(decision);
	request->error = decision->error;
	return false;
}

void
request_admit(struct request *request)
{
	if (take_place(request) && make_parts(request))
		request_take_memory(request);
	else
		request_move(request, REQ_SETTLED);
}
