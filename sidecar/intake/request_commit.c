// SPDX-License-Identifier: MIT
/* request_commit.c - carries out what txn/plan.h says for the objects of a request, until its fate is settled. */
#include "intake/intake_priv.h"

#include "base/mem.h"
#include "base/must.h"

#include <string.h>

static bool
can_undo(const struct request *request, const struct delivery *delivery)
{
	const struct destination *to = delivery->order.to;

	return to->type == DESTINATION_DIRECTORY || (to->http.undo_delete && !request->worker->is_cutting);
}

static enum commit_state
state_of_ended(const struct outcome *outcome)
{
	return outcome->state == OUTCOME_COMMITTED ? ITEM_COMMITTED : ITEM_GONE;
}

static enum commit_state
state_of(const struct delivery *delivery)
{
	switch (delivery->state) {
	case DELIVERY_COLLECTING:
	case DELIVERY_STREAMING:
		return ITEM_OPEN;
	case DELIVERY_KEPT:
		return ITEM_KEPT;
	case DELIVERY_SENDING:
		return ITEM_SENDING;
	case DELIVERY_PREPARED:
		return ITEM_PREPARED;
	case DELIVERY_COMMITTING:
		return ITEM_COMMITTING;
	case DELIVERY_CANCELLING:
		return ITEM_CANCELLING;
	case DELIVERY_UNDOING:
		return ITEM_UNDOING;
	case DELIVERY_ENDED:
		return state_of_ended(&delivery->order.outcome);
	}
	must_not_get_here();
}

/* Until a delivery has ended its outcome is the transfer's, which may be on another thread: nothing of it is looked at. */
static struct commit_item
item_of(const struct request *request, const struct delivery *delivery)
{
	struct commit_item item = {
		.state = state_of(delivery),
		.is_file = delivery->order.to->type == DESTINATION_DIRECTORY,
		.can_undo = can_undo(request, delivery),
	};
	const struct outcome *outcome = &delivery->order.outcome;

	if (delivery->state != DELIVERY_ENDED)
		return item;
	item.undo_was_tried = error_is_set(&outcome->undo_error);
	item.has_failed = error_is_set(&outcome->error) || outcome->state == OUTCOME_UNKNOWN;
	return item;
}

static bool
make_room(struct request *request, size_t n)
{
	request->commit.items = mem_array(n, sizeof *request->commit.items);
	request->placed = mem_array(n, sizeof *request->placed);
	if (request->commit.items != NULL && request->placed != NULL)
		return true;
	mem_free(request->commit.items);
	mem_free(request->placed);
	request->commit.items = NULL;
	request->placed = NULL;
	return false;
}

/* Once for a request, for its form grows no more: to walk thousands of deliveries at every change would be dear. False:
 * out of memory. */
static bool
collect(struct request *request)
{
	size_t n = 0;

	if (request->commit.items != NULL)
		return true;
	for (struct delivery *d = parts_deliveries(request->parts); d != NULL; d = d->next)
		d->index = n++;
	if (!make_room(request, n))
		return false;
	for (struct delivery *d = parts_deliveries(request->parts); d != NULL; d = d->next) {
		request->commit.items[d->index] = item_of(request, d);
		request->placed[d->index] = d;
	}
	commit_init(&request->commit, request->commit.items, n);
	return true;
}

void
request_note(struct request *request, const struct delivery *delivery)
{
	if (request->commit.items != NULL)
		commit_set(&request->commit, delivery->index, item_of(request, delivery));
}

/* Starting what was kept can fail at once; then it has ended, and its outcome says why. */
static void
start_kept(struct request *request, struct delivery *delivery, bool commit)
{
	struct outcome *outcome = &delivery->order.outcome;

	if (delivery_start_kept(delivery, loop_mailbox(request->worker->setup.loop), commit, &outcome->error))
		return;
	delivery_cancel(delivery);
}

/* Two destinations may be one folder. */
static bool
is_one_folder(const struct destination *a, const struct destination *b)
{
	return a == b || (a->type == b->type && strcmp(a->at, b->at) == 0);
}

static size_t
collect_group(const struct request *request, const struct destination *to, struct order_group *group)
{
	size_t n = 0;

	for (struct delivery *d = parts_deliveries(request->parts); d != NULL; d = d->next) {
		if (d->state != DELIVERY_PREPARED || !is_one_folder(d->order.to, to))
			continue;
		if (group != NULL) {
			group->orders[n] = &d->order;
			d->order.group = group;
		}
		n++;
	}
	return n;
}

/* All files of the form that go to one folder. A file alone needs no group. False: out of memory. */
static bool
make_group(struct request *request, const struct destination *to)
{
	size_t n = collect_group(request, to, NULL);
	struct order_group *group;

	if (n < 2)
		return true;
	group = mem_zalloc(sizeof *group + n * sizeof group->orders[0]);
	if (group == NULL)
		return false;
	group->n = collect_group(request, to, group);
	group->next = request->groups;
	request->groups = group;
	return true;
}

/* With `commit: all` the first file of a folder takes the others with it: all are prepared by then. */
static void
complete(struct request *request, struct delivery *delivery)
{
	const struct order *order = &delivery->order;
	bool is_first = request->decision.route->commit == COMMIT_ALL && order->to->type == DESTINATION_DIRECTORY &&
		order->group == NULL;

	if (is_first && !make_group(request, order->to))
		request_failf(request, ERR_NOMEM, "out of memory");
	else
		delivery_commit(delivery);
}

void
request_free_groups(struct request *request)
{
	while (request->groups != NULL) {
		struct order_group *next = request->groups->next;

		mem_free(request->groups);
		request->groups = next;
	}
}

static void
carry_out(struct request *request, struct commit_step step)
{
	struct delivery *delivery = request->placed[step.index];

	switch (step.verb) {
	case COMMIT_NOTHING:
		break;
	case COMMIT_PREPARE:
		start_kept(request, delivery, false);
		break;
	case COMMIT_SEND:
		start_kept(request, delivery, true);
		break;
	case COMMIT_COMPLETE:
		complete(request, delivery);
		break;
	case COMMIT_CANCEL:
		delivery_cancel(delivery);
		break;
	case COMMIT_UNDO:
		delivery_undo(delivery);
		break;
	}
	commit_set(&request->commit, step.index, item_of(request, delivery));
}

/* Without memory for the list of items: give up everything, in no order, and undo nothing. */
static bool
give_up_blindly(struct request *request)
{
	bool over = true;

	request_failf(request, ERR_NOMEM, "out of memory");
	for (struct delivery *d = parts_deliveries(request->parts); d != NULL; d = d->next) {
		if (d->state != DELIVERY_ENDED && d->state != DELIVERY_CANCELLING && d->state != DELIVERY_UNDOING &&
			d->state != DELIVERY_COMMITTING)
			delivery_cancel(d);
		over = over && d->state == DELIVERY_ENDED;
	}
	return over;
}

static void
take_first_failure(struct request *request)
{
	for (const struct delivery *d = parts_deliveries(request->parts); d != NULL; d = d->next)
		if (d->state == DELIVERY_ENDED)
			error_keep_first(&request->error, &d->order.outcome.error);
}

/* True: nothing is under way any more. */
static bool
take_steps(struct request *request)
{
	bool may_undo = request->decision.route->commit == COMMIT_ALL;
	struct commit_step step;

	if (!collect(request))
		return give_up_blindly(request);
	for (;;) {
		bool give_up = request->state == REQ_ABORTING;

		step = commit_next(&request->commit, give_up, may_undo);
		if (step.verb == COMMIT_NOTHING)
			return commit_is_over(&request->commit, give_up, may_undo);
		carry_out(request, step);
	}
}

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
	if (!commit_is_whole(&request->commit)) {
		take_first_failure(request);
		error_set(&request->error, ERR_INTERNAL, "not everything was stored");
	}
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
	if (take_steps(request))
		settle(request);
	request->is_stepping = false;
}

void
request_cut(struct request *request)
{
	if (request->state != REQ_ABORTING)
		return;
	for (struct delivery *d = parts_deliveries(request->parts); d != NULL; d = d->next) {
		delivery_cut(d);
		request_note(request, d);
	}
}
