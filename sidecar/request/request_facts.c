// SPDX-License-Identifier: MIT
/* request_facts.c - what stages have found in the parts of a form, for the log: a line for each part of which anything was found,
 * also of a form that was refused, for then it may be what somebody wants to know. With that the parts go. And a line for each object
 * that is left of a form that was given up. */
#include "request/room_priv.h"

/* What stages have found in a part. */
static void
log_part(const struct request *request, const struct part *part)
{
	struct log_pair pairs[5 + FACTS_MAX] = {
		LOG_TEXTVAL("id", request->asked.identity.id),
		LOG_NUM("part", part->number),
		LOG_STR("field", part->field),
		LOG_STR("filename", part->filename),
		LOG_NUM("bytes", part->size),
	};

	for (size_t i = 0; i < part->facts.n; i++)
		pairs[5 + i] = LOG_TEXTVAL(part->facts.list[i].name, part->facts.list[i].text);
	log_event(LOG_INFO, "request", "part", pairs, 5 + part->facts.n);
}

/* Before its parts go; none: nothing. */
static void
log_facts(const struct request *request)
{
	if (request->form.parts == NULL || !log_enabled(LOG_INFO))
		return;
	for (const struct part *part = parts_first(request->form.parts); part != NULL; part = part->next)
		if (part->facts.n > 0)
			log_part(request, part);
}

/* -- what is left of a form that was given up ------------------------------------------------------------ */

static void
log_left(const struct request *request, const struct order *order)
{
	const struct outcome *outcome = &order->outcome;
	const struct error *why = error_is_set(&outcome->undo_error) ? &outcome->undo_error : &outcome->error;

	log_line(LOG_ERROR, "request", "left", LOG_TEXTVAL("id", request->asked.identity.id),
		LOG_TEXTVAL("destination", order->to->name), LOG_TEXTVAL("target", order->target),
		LOG_TEXTVAL("is", outcome->state == OUTCOME_COMMITTED ? "there" : "unknown"),
		LOG_TEXTVAL("why", error_is_set(why) ? why->message : NULL));
	metrics_add(request->intake->setup.metrics, METRIC_OBJECTS_LEFT, 1);
}

/* The client may be told of it, or get the application's answer; who runs this has to know in any case. */
void
request_tell_left(const struct request *request)
{
	if (request->asked.decision.route->commit == COMMIT_EACH)
		return; /* they are meant to stay */
	for (const struct delivery *d = txn_first(request->form.txn); d != NULL; d = d->next)
		if (d->order.outcome.state == OUTCOME_COMMITTED || d->order.outcome.state == OUTCOME_UNKNOWN)
			log_left(request, &d->order);
}

void
request_free_form(struct request *request)
{
	struct request_form *form = &request->form;

	if (form->parts != NULL)
		form->n_parts = parts_count(form->parts);
	log_facts(request);
	parts_free(form->parts);
	form->parts = NULL;
	txn_free(form->txn);
	form->txn = NULL;
}
