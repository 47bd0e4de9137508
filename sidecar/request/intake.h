// SPDX-License-Identifier: MIT
/* intake.h - all requests of one worker, and what they share: the table that the next one goes by, the lists of those that wait for
 * something, and the choice of which client is read next or given up. A request lives and dies on its worker. All of this belongs
 * to the worker's thread; what is marked [main] runs before that thread does, or after it has ended. */
#ifndef PENSTOCK_INTAKE_H
#define PENSTOCK_INTAKE_H

#include "base/counter.h"
#include "base/error.h"
#include "base/metrics.h"
#include "channel/pool.h"
#include "channel/queue.h"
#include "config/route.h"
#include "loop/loop.h"
#include "route/clients.h"
#include "route/table.h"
#include "sink/order.h"
#include "state/state.h"

struct intake;

struct intake_setup {        /* all borrowed, and alive for longer than the intake */
	struct table *table; /* in force at the start; the intake acquires its own */
	struct pool *pool;
	struct queue *queue; /* of all workers: forms that wait for memory */
	struct loop *loop;
	const struct sinks *sinks;
	struct state *state;      /* the journal of commits; NULL: there is none */
	struct clients *clients;  /* what each client has, over all workers */
	struct counter *requests; /* alive on all workers */
	struct counter *busy;     /* the same; http/worker.h counts its workers in it, too */
	struct metrics *metrics;  /* of all workers */
	size_t n_workers;         /* there are so many intakes; 0: this one alone */
};

/* [main] NULL: err says why. */
struct intake *intake_new(const struct intake_setup *setup, struct error *err);

/* [main] Every request is gone, and so is every thread that gives chunks back to the pool; what was mailed to the loop has been
 * delivered. NULL is fine. */
void intake_free(struct intake *intake);

const struct config *intake_config(const struct intake *intake); /* of the table in force */

/* From its next request on the intake goes by this table. Takes the reference over. */
void intake_set_table(struct intake *intake, struct table *table);

/* To be called before and after each time that clients are read: the first looks at what transfers have reported, the second
 * chooses which client is read next. */
void intake_before_reading(struct intake *intake);
void intake_after_reading(struct intake *intake);

/* From now on no request is let in, and those that wait for memory are refused. Idempotent. */
void intake_drain(struct intake *intake);

/* After intake_drain(): gives up everything that still runs, cleanly, and closes clients that have their answer. It waits a second
 * for stores that have not answered yet; then the clients get their answers without them. */
void intake_abort(struct intake *intake);

#endif
