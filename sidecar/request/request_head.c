// SPDX-License-Identifier: MIT
/* request_head.c - a request's head: who sends it, whether it is let in, and what gets ready for its body. */
#include "request/request_priv.h"

#include "part/location.h"

#include <stdio.h>
#include <time.h>

size_t
request_piece(const struct request *request)
{
	return request->client->ops->piece(request->client);
}

uint64_t
request_body_most(const struct request *request)
{
	const struct decision *decision = &request->asked.decision;
	uint64_t limit = decision->route->limits.body;

	return decision->length < limit ? decision->length : limit;
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
		.want_body = route->response.from_upstream,
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

	form->naming = (struct naming){
		.head = &asked->head,
		.match = &asked->decision.match,
		.request_id = str_of(asked->identity.id),
		.started = time(NULL),
	};
	if (!location_make(&form->naming, &parts.route->response, &form->location, &request->error) ||
		!make_txn(request))
		return false;
	parts.txn = form->txn;
	form->parts = parts_new(&parts, &request->error);
	return form->parts != NULL;
}

/* decide() has only looked; two workers may have seen the same last place. */
static void
take_place(struct request *request)
{
	struct decision *decision = &request->asked.decision;
	struct counter *active = request->table->active[decision->route->index];

	request->asked.is_counted = counter_take(active, decision->route->limits.concurrent);
	if (!request->asked.is_counted)
		decide_too_many(decision);
}

static void
decide_on(struct request *request, const struct error *flaw)
{
	const struct intake *intake = request->intake;
	struct asked *asked = &request->asked;
	struct load load = {
		.is_draining = intake->is_draining,
		.is_over_memory = pool_is_used_up(intake->setup.pool),
		.active = request->table->active,
	};

	if (asked->identity.is_trusted)
		load.gateway_refuses = head_header(&asked->head, "x-penstock-refuse");
	if (flaw != NULL)
		asked->decision.error = *flaw;
	else
		decide(request->table->config, &asked->head, &load, &asked->decision);
	if (asked->decision.allow)
		take_place(request);
	request->error = asked->decision.error;
}

/* Whether a body follows the head that was just refused. */
static bool
has_body(const struct head *head)
{
	struct str value;

	if (head->header(head->arg, STR("transfer-encoding"), 0, &value))
		return true;
	return head->header(head->arg, STR("content-length"), 0, &value) && !str_is(value, "0");
}

/* Who waits for 100 has not sent a byte, and would be told 100 behind an answer that went straight into the socket. */
static bool
answer_to_head(struct request *request)
{
	const struct head *head = &request->asked.head;

	if (!has_body(head) || decide_expects_continue(head))
		return answer_send(request);
	answer_send_now(request);
	return true;
}

bool
request_begin(struct request *request, const struct request_head *from)
{
	struct asked *asked = &request->asked;

	request->table = table_acquire(request->intake->table);
	asked->head = from->head;
	snprintf(asked->method, sizeof asked->method, "%.*s", STR_ARG(from->head.method));
	identity_find(&request->table->config->trust, from->peer, &asked->head, &asked->identity);
	deadlines_know_table(request);
	decide_on(request, from->flaw);
	if (asked->decision.allow && make_parts(request))
		request_take_memory(request);
	else
		request_move(request, REQ_SETTLED);
	deadlines_set(request);
	if (request->state == REQ_WAITING)
		request_pause(request);
	return request->state != REQ_SETTLED || answer_to_head(request);
}

bool
request_go_on(struct request *request)
{
	return request->state != REQ_SETTLED || answer_to_head(request);
}
