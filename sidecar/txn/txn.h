// SPDX-License-Identifier: MIT
/* txn.h - the transaction of one form: all its deliveries, and the plan that makes every object visible or none.
 *
 * Deliveries are added while the form is read. txn_step() does what the plan says until it must wait for news; news come
 * by the mailbox of the setup, and on_news says that it is worth asking again. With PLAN_EACH it is asked while the form is
 * read, too. A transaction knows of no connection, and lives until every transfer that it started has ended.
 *
 * Where the objects are in more than one place, the journal of commits is told before the first becomes visible, and when all
 * are (book.h).
 *
 * All on one thread, that of the mailbox. */
#ifndef PENSTOCK_TXN_H
#define PENSTOCK_TXN_H

#include "base/error.h"
#include "sink/order.h"
#include "state/state.h"
#include "txn/delivery.h"
#include "txn/plan.h"

/* Everything in it is borrowed for the life of the transaction. */
struct txn_setup {
	enum plan_policy policy;
	const struct sinks
		*sinks;        /* NULL: a dry run, which names deliveries and starts none; then no more is needed */
	struct table *table;   /* of the route; goes into each order */
	struct state *state;   /* the journal of commits; NULL: there is none */
	struct blocks *blocks; /* of this thread */
	size_t piece;          /* most bytes of body that come at once: sizes channels and sends */
	uint64_t body;         /* bytes that the body has at most, or LIMIT_NONE */
	struct mailbox *box;   /* of this thread */
	bool want_body;        /* of an upstream's answer */
	const char *request_id, *traceparent; /* sent upstream; traceparent may be NULL */
	bool id_is_ours;            /* penstock made request_id itself, so no other object has it in its name */
	const char *client;         /* sent upstream as X-Forwarded-For; may be NULL */
	void (*on_news)(void *arg); /* [from the mailbox] a delivery has moved on, or has room again */
	void *arg;
};

struct txn;

struct txn *txn_new(const struct txn_setup *setup, struct error *err); /* NULL: out of memory */
void txn_free(struct txn *txn); /* every delivery has ended or was never started; NULL is fine */
const struct txn_setup *txn_setup_of(const struct txn *txn);

/* What its orders may take from, before any is added; the reference is taken over. NULL: nothing. */
void txn_set_reserve(struct txn *txn, struct reserve *reserve);
struct reserve *txn_reserve(const struct txn *txn);

struct plan *txn_plan(struct txn *txn);
struct keep *txn_keep(struct txn *txn); /* what its small parts share */

/* Makes a delivery for what `rule` stores, the last of the list. It begins as COLLECTING. NULL: out of memory. */
struct delivery *txn_add(struct txn *txn, const struct rule *rule);
struct delivery *txn_first(const struct txn *txn); /* the others by `next`; NULL: none */

/* One more participant of a part that has got no byte yet: what is written to `writer`, a delivery of txn_add()'s, goes to `to`,
 * too. The last of the list; what it is to be called there is for the caller to set. NULL: out of memory. */
struct delivery *txn_add_beside(struct delivery *writer, const struct destination *to);

/* Two destinations can be one place, whatever they are called. */
bool txn_is_one_place(const struct destination *a, const struct destination *b);

/* Takes the next steps. True: nothing is under way and nothing is left to do; ask it only when no delivery will be added.
 * `give_up`: the form is not to be committed. A step that fails ends its delivery: txn_failure() says why. */
bool txn_step(struct txn *txn, bool give_up);

/* PLAN_EACH: sends what is whole already. With PLAN_ALL nothing. */
void txn_go_on(struct txn *txn);

bool txn_is_whole(const struct txn *txn); /* everything is visible */

/* Why the first delivery of the list that has failed did; NULL: none has. */
const struct error *txn_failure(const struct txn *txn);

/* Waits no longer for stores that have not answered yet, and asks none to take anything back. */
void txn_cut(struct txn *txn);

#endif
