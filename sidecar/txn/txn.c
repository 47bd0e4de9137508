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
	struct txn_setup setup;
	struct plan plan;
	struct delivery *first, *last;
	struct keep keep;
	struct book book;
	struct reserve *reserve;
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
	txn->setup = *setup;
	plan_init(&txn->plan, setup->policy);
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
	plan_fini(&txn->plan);
	reserve_release(txn->reserve);
	mem_free(txn);
}

const struct txn_setup *
txn_setup_of(const struct txn *txn)
{
	return &txn->setup;
}

void
txn_set_reserve(struct txn *txn, struct reserve *reserve)
{
	must(txn->reserve == NULL && txn->first == NULL);
	txn->reserve = reserve;
}

struct reserve *
txn_reserve(const struct txn *txn)
{
	return txn->reserve;
}

struct plan *
txn_plan(struct txn *txn)
{
	return &txn->plan;
}

struct keep *
txn_keep(struct txn *txn)
{
	return &txn->keep;
}

static struct delivery *
add(struct txn *txn, const struct rule *rule, const struct destination *to)
{
	struct delivery *delivery = delivery_new(txn, rule, to);

	if (delivery == NULL)
		return NULL;
	if (!plan_add(&txn->plan, &delivery->item)) {
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

bool
txn_is_one_place(const struct destination *a, const struct destination *b)
{
	return a == b ||
		(kind_has(a->kind, KIND_LOCAL) && kind_has(b->kind, KIND_LOCAL) && strcmp(a->at, b->at) == 0);
}

static size_t
collect_group(const struct txn *txn, const struct destination *to, struct order_group *group)
{
	size_t n = 0;

	for (struct delivery *d = txn->first; d != NULL; d = d->next) {
		if (d->item.state != ITEM_PREPARED || !txn_is_one_place(d->order.to, to))
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
	bool is_first = txn->plan.policy == PLAN_ALL && kind_has(order->to->kind, KIND_LOCAL) &&
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

bool
txn_step(struct txn *txn, bool give_up)
{
	struct plan_step step;

	if (!give_up && txn_failure(txn) == NULL)
		book_open(&txn->book, &txn->setup, txn->first);
	while ((step = plan_next(&txn->plan, give_up || error_is_set(&txn->error))).verb != PLAN_NOTHING) {
		if (is_completion(step) && book_must_wait(&txn->book))
			return false;
		carry_out(txn, step);
	}
	return plan_is_over(&txn->plan, give_up || error_is_set(&txn->error)) &&
		book_close(&txn->book, plan_is_whole(&txn->plan), txn->first);
}

void
txn_go_on(struct txn *txn)
{
	if (txn->plan.policy == PLAN_EACH && txn->setup.sinks != NULL && !plan_has_failed(&txn->plan))
		txn_step(txn, false);
}

/* -- what became of it ------------------------------------------------------------------------------ */

bool
txn_is_whole(const struct txn *txn)
{
	return plan_is_whole(&txn->plan);
}

const struct error *
txn_failure(const struct txn *txn)
{
	if (error_is_set(&txn->error))
		return &txn->error;
	if (!plan_has_failed(&txn->plan))
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
