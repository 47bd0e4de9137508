// SPDX-License-Identifier: MIT
/* txn.c - see txn.h: carries out what the plan says. */
#include "txn/txn.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "config/kind.h"
#include "txn/book.h"

#include <stddef.h>
#include <string.h>

struct txn {
	struct lent lent;
	struct delivery *first, *last;
	struct keep keep;
	struct book book;
	struct order_group *groups; /* of files that become visible together */
	struct error error;         /* of ours, not of a delivery */
};

struct txn *
txn_new(const struct txn_setup *setup, struct error *err)
{
	struct txn *txn = mem_zalloc(sizeof *txn);

	if (txn == NULL) {
		error_nomem(err);
		return NULL;
	}
	txn->lent.setup = *setup;
	plan_init(&txn->lent.plan, setup->policy);
	keep_init(&txn->keep, setup->blocks);
	book_init(&txn->book, &txn->error, setup->on_news, setup->arg);
	return txn;
}

static void
free_groups(struct txn *txn)
{
	while (txn->groups != NULL) {
		struct order_group *next = txn->groups->next;

		mem_free(txn->groups);
		txn->groups = next;
	}
}

void
txn_free(struct txn *txn)
{
	if (txn == NULL)
		return;
	while (txn->first != NULL) {
		struct delivery *next = txn->first->next;

		delivery_free(txn->first);
		txn->first = next;
	}
	book_fini(&txn->book);
	keep_fini(&txn->keep);
	free_groups(txn);
	plan_fini(&txn->lent.plan);
	reserve_release(txn->lent.reserve);
	mem_free(txn);
}

const struct txn_setup *
txn_setup_of(const struct txn *txn)
{
	return &txn->lent.setup;
}

void
txn_set_reserve(struct txn *txn, struct reserve *reserve)
{
	must(txn->lent.reserve == NULL && txn->first == NULL);
	txn->lent.reserve = reserve;
}

struct reserve *
txn_reserve(const struct txn *txn)
{
	return txn->lent.reserve;
}

struct keep *
txn_keep(struct txn *txn)
{
	return &txn->keep;
}

static struct delivery *
add(struct txn *txn, const struct rule *rule, const struct destination *to)
{
	struct delivery *delivery = delivery_new(txn, &txn->lent, rule, to);

	if (delivery == NULL)
		return NULL;
	if (!plan_add(&txn->lent.plan, &delivery->item)) {
		delivery_free(delivery);
		return NULL;
	}
	if (txn->last != NULL)
		txn->last->next = delivery;
	else
		txn->first = delivery;
	txn->last = delivery;
	return delivery;
}

struct delivery *
txn_add(struct txn *txn, const struct rule *rule)
{
	return add(txn, rule, rule->to);
}

struct delivery *
txn_add_beside(struct delivery *writer, const struct destination *to)
{
	struct delivery *delivery = add(writer->txn, writer->rule, to);

	if (delivery != NULL)
		delivery_join(delivery, writer);
	return delivery;
}

struct delivery *
txn_first(const struct txn *txn)
{
	return txn->first;
}

/* -- files that become visible together ------------------------------------------------------------- */

static size_t
collect_group(const struct txn *txn, const struct destination *to, struct order_group *group)
{
	size_t n = 0;

	for (struct delivery *d = txn->first; d != NULL; d = d->next) {
		if (d->item.state != ITEM_PREPARED || !kind_is_one_place(d->order.to, to))
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
make_group(struct txn *txn, const struct destination *to)
{
	size_t n = collect_group(txn, to, NULL);
	struct order_group *group;

	if (n < 2)
		return true;
	group = mem_zalloc(sizeof *group + n * sizeof group->orders[0]);
	if (group == NULL)
		return false;
	group->n = collect_group(txn, to, group);
	group->next = txn->groups;
	txn->groups = group;
	return true;
}

/* -- steps ------------------------------------------------------------------------------------------- */

/* Starting what was kept can fail at once; then it has ended, and its outcome says why. */
static void
start_kept(struct delivery *delivery, bool commit)
{
	if (!delivery_start_kept(delivery, commit, &delivery->order.outcome.error))
		delivery_cancel(delivery);
}

/* With PLAN_ALL the first file of a folder takes the others with it: all are prepared by then. */
static void
complete(struct txn *txn, struct delivery *delivery)
{
	const struct order *order = &delivery->order;
	bool is_first = txn->lent.plan.policy == PLAN_ALL && kind_has(order->to->kind, KIND_LOCAL) &&
		order->group == NULL;

	if (is_first && !make_group(txn, order->to))
		error_nomem(&txn->error);
	else {
		delivery->order.entry = txn->book.entry;
		delivery_commit(delivery);
	}
}

static void
carry_out(struct txn *txn, struct plan_step step)
{
	struct delivery *delivery = container_of(step.item, struct delivery, item);

	switch (step.verb) {
	case PLAN_NOTHING:
		break;
	case PLAN_PREPARE:
		start_kept(delivery, false);
		break;
	case PLAN_SEND:
		start_kept(delivery, true);
		break;
	case PLAN_COMPLETE:
		complete(txn, delivery);
		break;
	case PLAN_CANCEL:
		delivery_cancel(delivery);
		break;
	case PLAN_UNDO:
		delivery_undo(delivery);
		break;
	}
}

/* With PLAN_ALL both make something visible. */
static bool
is_completion(struct plan_step step)
{
	return step.verb == PLAN_COMPLETE || step.verb == PLAN_SEND;
}

/* An error of ours may come at any step, and no item fails by it. */
static enum txn_goal
goal_now(const struct txn *txn, enum txn_goal goal)
{
	return error_is_set(&txn->error) ? TXN_GIVE_UP : goal;
}

static bool
makes_visible(enum txn_goal goal)
{
	return goal == TXN_COMMIT || goal == TXN_END;
}

/* Nobody goes on to make a form visible, or to its end, unless the application has said yes. */
static void
note_failure(struct txn *txn, enum txn_goal goal)
{
	if (makes_visible(goal) && txn_failure(txn) != NULL)
		book_owe(&txn->book);
}

/* What is given up and cannot be taken back now is there all the same; but not for an application that was asked. */
static bool
stands(const struct txn *txn, enum txn_goal goal)
{
	return plan_is_whole(&txn->lent.plan) && (goal != TXN_GIVE_UP || !txn->book.is_asked);
}

static bool
must_wait(struct txn *txn, struct plan_step step, enum txn_goal goal)
{
	if (is_completion(step))
		return book_must_wait(&txn->book);
	if (step.verb != PLAN_UNDO)
		return false;
	note_failure(txn, goal);
	return !book_may_take_back(&txn->book);
}

bool
txn_step(struct txn *txn, enum txn_goal goal)
{
	struct plan_step step;

	if (txn->book.has_ended)
		return true;
	if (makes_visible(goal) && txn_failure(txn) == NULL)
		book_open(&txn->book, &txn->lent.setup, txn->first);
	while ((step = plan_next(&txn->lent.plan, goal_now(txn, goal))).verb != PLAN_NOTHING) {
		if (must_wait(txn, step, goal))
			return false;
		carry_out(txn, step);
	}
	if (!plan_is_over(&txn->lent.plan, goal_now(txn, goal)))
		return false;
	note_failure(txn, goal);
	return goal < TXN_END || book_close(&txn->book, stands(txn, goal), txn->first);
}

/* -- the application ---------------------------------------------------------------------------------- */

void
txn_set_app(struct txn *txn, const struct txn_app *app)
{
	must(!txn->book.was_opened);
	txn->book.app = app;
}

bool
txn_asked(struct txn *txn)
{
	return txn_failure(txn) != NULL || book_asked(&txn->book, &txn->lent.setup, txn->first);
}

void
txn_owe_failed(struct txn *txn)
{
	book_owe(&txn->book);
}

void
txn_go_on(struct txn *txn)
{
	if (txn->lent.plan.policy == PLAN_EACH && txn->lent.setup.sinks != NULL &&
		!plan_has_failed(&txn->lent.plan))
		txn_step(txn, TXN_END);
}

/* -- what became of it ------------------------------------------------------------------------------ */

bool
txn_is_whole(const struct txn *txn)
{
	return plan_is_whole(&txn->lent.plan);
}

const struct error *
txn_failure(const struct txn *txn)
{
	if (error_is_set(&txn->error))
		return &txn->error;
	if (!plan_has_failed(&txn->lent.plan))
		return NULL;
	for (const struct delivery *d = txn->first; d != NULL; d = d->next)
		if (d->item.has_failed)
			return &d->order.outcome.error;
	must_not_get_here();
}

void
txn_cut(struct txn *txn)
{
	for (struct delivery *d = txn->first; d != NULL; d = d->next)
		delivery_cut(d);
}
