// SPDX-License-Identifier: MIT
/* intake.h - all requests of one worker, and what they share: the table that the next one goes by, the lists of who waits for
 * what, and who is read next or given up. A request lives and dies on its worker; all of this belongs to the worker's thread,
 * except where [main] is said: before that thread runs, or after it has ended. */
#ifndef PENSTOCK_INTAKE_H
#define PENSTOCK_INTAKE_H

#include "base/counter.h"
#include "base/error.h"
#include "base/metrics.h"
#include "channel/pool.h"
#include "channel/queue.h"
#include "config/route.h"
#include "loop/loop.h"
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
	struct counter *requests; /* alive on all workers */
	struct counter *busy;     /* the same; http/worker.h counts its workers in it, too */
	struct metrics *metrics;  /* of all workers */
};

/* [main] NULL: err says why. */
struct intake *intake_new(const struct intake_setup *setup, struct error *err);

/* [main] Every request is gone, and so is every thread that gives chunks back to the pool; what was mailed to the loop has been
 * delivered. NULL is fine. */
void intake_free(struct intake *intake);

const struct config *intake_config(const struct intake *intake); /* of the table in force */

/* From its next request on the intake goes by this table. Takes the reference over. */
void intake_set_table(struct intake *intake, struct table *table);

/* Around each time that clients are read: what transfers have reported is looked at before, and who is read next is settled
 * after. */
void intake_before_reading(struct intake *intake);
void intake_after_reading(struct intake *intake);

/* Nobody new is let in, nor whoever waits for memory. Idempotent. */
void intake_drain(struct intake *intake);

/* After intake_drain(). Everything that still runs is given up, cleanly, and who has got its answer is not waited for. Stores
 * that owe an answer are waited for a second; then the clients get theirs without it. */
void intake_abort(struct intake *intake);

#endif
