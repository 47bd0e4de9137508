// SPDX-License-Identifier: MIT
/* settle.h - takes back what processes that died in the middle of a commit have left at destinations that have to be asked
 * (state/state.h knows of it; folders have their own journals), and what this process has left there, of forms that were given up and of
 * uploads; and tells applications of the forms that do not stand.
 *
 * If the commit was to complete an upload, that is ended first, whatever else may be done: its id shows that it is ours. A request
 * to complete it that arrives late then finds no upload. Of an upload that was under way, or was being ended, there is nothing
 * else to do.
 *
 *   an object:  WAITING ─due▶ ASKING ─no answer, or no▶ WAITING
 *                                ├─its upload is not there any more▶ WAITING
 *                                └─not there▶ WATCHED: asked again and again for the destination's timeout.total, because
 *                                             what was on its way at the kill may still land ─▶ settled
 *               TOLD: it may not be touched, or its destination is not in the route file any more; it is only logged
 *
 * An application that may believe in a form which does not stand is told so by a signed POST without a body, at the form's `failed`:
 * X-Request-Id is that of the form, X-Penstock-Route its route's id, the purpose of the signature "failed". Any 2xx ends that;
 * anything else is tried again, after a second and up to five minutes, by this process and the next. Where a process was killed between the question
 * about a visible form and its end, the application is asked in the same way at `resolve`: any 2xx lets the form stand, 404 takes it
 * back, anything else is asked again. The keys are those of the route that is in force.
 *
 * It runs on the loop of the state, in the background: no upload waits for it. */
#ifndef PENSTOCK_SETTLE_H
#define PENSTOCK_SETTLE_H

#include "base/metrics.h"
#include "channel/pool.h"
#include "route/table.h"
#include "state/state.h"

struct settle;

struct settle_setup {
	struct state *state;
	struct table *table; /* in force at the start */
	struct pool *pool;   /* the budget to which questions are charged */
	struct metrics *metrics;
	void (*on_table)(void *arg); /* [state] it has taken what settle_set_table() brought */
	void *on_table_arg;
};

/* [main] Before state_start(). NULL: err says why. */
struct settle *settle_new(const struct settle_setup *setup, struct error *err);

/* [main] From now on this table's destinations are asked. Takes the reference over. Must not be called again before on_table. */
void settle_set_table(struct settle *settle, struct table *table);

/* [main] After state_stop(), before state_free(). NULL is fine. */
void settle_free(struct settle *settle);

/* [any] True: all that the dead have left and that can be taken back is. Else a sentence and a newline are added to `why`. */
bool settle_is_good(const struct settle *settle, struct buf *why);

#endif
