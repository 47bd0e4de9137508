// SPDX-License-Identifier: MIT
/* request_head.c - a request's head: who sends it, whether it is let in, and what gets ready for its body. */
#include "request/room_priv.h"

#include <stdio.h>
#include <time.h>

static void
make_naming(struct request *request)
{
	struct asked *asked = &request->asked;

	request->form.naming = (struct naming){
		.head = &asked->head,
		.match = &asked->decision.match,
		.request_id = str_of(asked->identity.id),
		.grants = &request->asks.grants,
		.started = time(NULL),
	};
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
		.uploads = client_uploads,
		.uploads_arg = request,
	};

	if (asked->identity.is_trusted)
		load.gateway_refuses = head_header(&asked->head, "x-penstock-refuse");
	if (flaw != NULL)
		asked->decision.error = *flaw;
	else
		decide(request->table->config, &asked->head, &load, &asked->decision);
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
	make_naming(request);
	if (!asked->decision.allow || asked->decision.is_preflight || !client_take_connection(request))
		request_move(request, REQ_SETTLED);
	else if (asked->decision.route->authorize.to != NULL)
		request_authorize(request);
	else
		request_admit(request);
	deadlines_set(request);
	if (request->state == REQ_WAITING || request->state == REQ_AUTHORIZING)
		request_pause(request);
	return request->state != REQ_SETTLED || answer_to_head(request);
}

bool
request_go_on(struct request *request)
{
	return request->state != REQ_SETTLED || answer_to_head(request);
}
