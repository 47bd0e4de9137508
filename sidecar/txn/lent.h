// SPDX-License-Identifier: MIT
/* lent.h - what a transaction lends to all its deliveries, for its whole life. */
#ifndef PENSTOCK_LENT_H
#define PENSTOCK_LENT_H

#include "channel/reserve.h"
#include "sink/order.h"
#include "state/state.h"
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

/* Whom the journal says is to be told. All is borrowed for the life of the transaction. */
struct txn_app {
	const char *destination; /* its name */
	const char *route;       /* id of the route, whose keys sign */
	const char *failed;      /* target of `failed`, behind the URL of the destination */
	const char *resolve;     /* target of the question whether the form stands; NULL: there is none */
	bool is_held;            /* it is asked before anything is visible */
	bool stays;              /* whatever it says takes nothing back: the form has ended before it is asked */
};

struct lent {
	struct txn_setup setup;
	struct plan plan;
	struct reserve *reserve; /* that orders may take from; NULL: none */
};

#endif
