// SPDX-License-Identifier: MIT
/* answer.c - what reply/ has to know to make the answer, and the answer on its way to the client: client.h has the two ways. */
#include "request/room_priv.h"

#include "base/mem.h"
#include "part/field_error.h"
#include "reply/accept.h"
#include "reply/headers.h"
#include "reply/status.h"

#include <string.h>

#define READ_RATE 100u    /* bytes of an answer that a client has to read each millisecond, in the long run */
#define DISCARD_MS 10000u /* how long bytes are read and thrown away after a refusal */

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

	if (part->delivery == NULL) { /* no byte of it has gone on: a stage has refused it, or it is for nowhere */
		to.has_outcome = to.destination.data != NULL;
		return to;
	}
	tell_outcome(&to, &part->delivery->order.outcome);
	if (to.state == OUTCOME_COMMITTED && part->delivery->order.link_s > 0)
		to.linked = &part->delivery->order;
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
	if (request->form.parts == NULL)
		return false;
	if (!error_is_set(&request->error))
		return request->asked.decision.route->response.json == RESPONSE_SUMMARY;
	for (const struct delivery *d = txn_first(request->form.txn); d != NULL; d = d->next)
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
	list = mem_array(parts_count(request->form.parts), sizeof *list);
	for (const struct part *p = parts_first(request->form.parts); p != NULL && list != NULL; p = p->next)
		if (p->is_whole || p->delivery != NULL)
			list[(*n)++] = tell_part(p);
	return list;
}

static const struct outcome *
upstream_of(const struct request *request)
{
	const struct delivery *first = request->form.txn != NULL ? txn_first(request->form.txn) : NULL;

	if (request->asked.decision.route == NULL ||
		request->asked.decision.route->response.from != RESPONSE_UPSTREAM || first == NULL)
		return NULL;
	return &first->order.outcome;
}

/* -- what a destination has refused ------------------------------------------------------------------ */

static bool
is_from_store(const struct request *request)
{
	return request->form.parts != NULL && reply_is_of_store(request->error.kind);
}

/* The kinds that a delivery fails with, and nothing else of a form whose parts are there. */
static bool
is_of_delivery(const struct request *request)
{
	enum error_kind kind = request->error.kind;

	return request->form.parts != NULL &&
		(reply_is_of_store(kind) || kind == ERR_EXISTS || kind == ERR_UPSTREAM_TIMEOUT ||
			kind == ERR_UPSTREAM_FULL);
}

/* The delivery whose failure is the form's: the sentence names the destination, and of two with the same sentence either will do. NULL: it
 * is none's. */
static const struct delivery *
failed_delivery(const struct request *request)
{
	const struct delivery *d = is_of_delivery(request) ? txn_first(request->form.txn) : NULL;

	while (d != NULL && strcmp(d->order.outcome.error.message, request->error.message) != 0)
		d = d->next;
	return d;
}

static void
name_field(struct error *error, const struct request *request, const struct delivery *failed)
{
	for (const struct part *p = parts_first(request->form.parts); p != NULL; p = p->next)
		if (p->delivery == failed) {
			field_error_name(error, p->field);
			return;
		}
}

static struct str
challenge_of(const struct delivery *failed)
{
	return failed != NULL ? buf_str(&failed->order.outcome.challenge) : STR_NONE;
}

/* A store that is too busy may say for how long: whoever comes again sooner makes it worse. */
static unsigned
retry_after_of(const struct request *request)
{
	unsigned most = request->asked.decision.retry_after_s;

	if (!is_from_store(request))
		return most;
	for (const struct delivery *d = txn_first(request->form.txn); d != NULL; d = d->next)
		if (d->order.outcome.retry_after_s > most)
			most = d->order.outcome.retry_after_s;
	return most;
}

/* A form is stored whether or not there are links to its objects: without one it is told, and the log says why, once. */
struct linking {
	const struct request *request;
	bool has_failed;
};

static bool
make_link(void *arg, const struct order *order, struct order_link *link)
{
	struct linking *linking = arg;
	const struct request *request = linking->request;
	const struct sinks *sinks = txn_setup_of(request->form.txn)->sinks;
	struct error why = { 0 };

	if (sinks->link(sinks->arg, order, link, &why))
		return true;
	if (!linking->has_failed)
		log_line(LOG_WARN, "request", "there is no link to an object",
			LOG_TEXTVAL("id", request->asked.identity.id), LOG_TEXTVAL("destination", order->to->name),
			LOG_TEXTVAL("why", why.message));
	linking->has_failed = true;
	return false;
}

static bool
has_links(const struct reply_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].linked != NULL)
			return true;
	return false;
}

/* Whose answer is the client's, or NULL. That of an application which was told of the form is not, if the form failed for something
 * else. */
static struct app_answer *
application_of(struct request *request)
{
	bool is_refused = request->hand.state == HAND_NO || !error_is_set(&request->error);

	if (request->asks.refusal.status != 0)
		return &request->asks.refusal;
	return request->hand.answer.status != 0 && is_refused ? &request->hand.answer : NULL;
}

static void
free_answers(struct request *request)
{
	app_answer_free(&request->asks.refusal);
	app_answer_free(&request->hand.answer);
}

static void
make_reply(struct request *request, struct reply *reply)
{
	size_t n;
	struct reply_part *parts = tell_parts(request, &n);
	const struct delivery *failed = failed_delivery(request);
	struct linking linking = { .request = request };
	struct reply_links links = { make_link, &linking };
	struct buf allow = { 0 };
	struct reply_facts facts = {
		.error = request->error,
		.route = request->asked.decision.route,
		.request_id = str_of(request->asked.identity.id),
		.location = buf_str(&request->form.location),
		.wants_page = error_is_set(&request->error) && accept_prefers_page(&request->asked.head),
		.retry_after_s = retry_after_of(request),
		.challenge = challenge_of(failed),
		.cors = headers_cors_of(request->table->config, &request->asked.head, request->asked.decision.route,
			request->asked.decision.is_preflight),
		.parts = parts,
		.n_parts = n,
		.upstream = upstream_of(request),
		.application = application_of(request),
		.links = has_links(parts, n) ? &links : NULL,
	};

	if (failed != NULL)
		name_field(&facts.error, request, failed);
	if (request->error.kind == ERR_METHOD)
		match_allow(request->table->config, &request->asked.head, &request->asked.decision.path, &allow);
	if (!allow.failed) /* half of it would be a wrong one */
		facts.allow = buf_str(&allow);
	reply_make(&facts, reply);
	request->answer.status = reply->status;
	buf_free(&allow);
	mem_free(parts);
}

/* -- on its way ------------------------------------------------------------------------------------- */

/* Whatever the request held of the budget but for the answer's own bytes comes back, however slowly its client reads, or goes
 * on sending. */
static void
let_go(struct request *request, size_t len)
{
	request_free_form(request);
	if (blocks_charge(request->intake->blocks, len)) /* else it is there all the same */
		request->answer.charge = len;
}

void
answer_discharge(struct request *request)
{
	free_answers(request);
	blocks_discharge(request->intake->blocks, request->answer.charge);
	request->answer.charge = 0;
}

static uint64_t
ms_from_now(const struct request *request, uint64_t ms)
{
	return clock_after(loop_now_ms(request->intake->setup.loop), ms);
}

/* Nobody may hold an answer for ever by not reading it, nor is it wanted faster than READ_RATE. */
static void
limit_reading(struct request *request, size_t len)
{
	uint64_t from_ms = ms_from_now(request, request->table->config->client.idle_ms);

	deadlines_close_at(request, clock_after(from_ms, len / READ_RATE));
	deadlines_set(request);
}

bool
answer_send(struct request *request)
{
	struct reply reply;
	size_t len;
	bool sent;

	make_reply(request, &reply);
	len = reply.body.len;
	request_move(request, REQ_ANSWERED);
	let_go(request, len);
	limit_reading(request, len);
	sent = request->client->ops->answer(request->client, &reply);
	reply_free(&reply);
	free_answers(request);
	return sent;
}

void
answer_send_now(struct request *request)
{
	const struct client_ops *ops = request->client->ops;
	bool without_body = str_is(str_of(request->asked.method), "HEAD");
	struct reply reply;

	make_reply(request, &reply);
	request_move(request, REQ_ANSWERED);
	request->answer.is_early = true;
	let_go(request, reply.body.len);
	ops->answer_now(request->client, &reply, without_body);
	reply_free(&reply);
	free_answers(request);
	deadlines_close_at(request, ms_from_now(request, DISCARD_MS));
	deadlines_set(request);
	if (request->intake->is_aborting || request->error.kind == ERR_CLIENT_GONE)
		ops->shut(request->client);
}

/* The end of the body, or of the budget for what is thrown away, had to wait for it. */
void
request_on_told(struct request *request)
{
	request_resume(request);
}

void
answer_note_left(struct request *request)
{
	if (request->answer.status == 0 && request->state != REQ_HEAD)
		request->answer.status = 499;
}
