// SPDX-License-Identifier: MIT
/* settle.h - takes back what processes that died in the middle of a commit have left at destinations that have to be asked
 * (state/state.h knows of it; folders have their own journals).
 *
 * If the commit was to complete an upload, that is ended first, whatever else may be done: its id shows that it is ours. A request
 * to complete it that arrives late then finds no upload. Of a form that was not to become visible, and whose uploads were being
 * ended at the kill, there is nothing else to do.
 *
 *   an object:  WAITING ─due▶ ASKING ─no answer, or no▶ WAITING
 *                                ├─its upload is not there any more▶ WAITING
 *                                └─not there▶ WATCHED: asked again and again for the destination's timeout.total, because
 *                                             what was on its way at the kill may still land ─▶ settled
 *               TOLD: it may not be touched, or its destination is not in the route file any more; it is only logged
 *
 * It runs on the loop of the state, in the background: no upload waits for it. */
#ifndef PENSTOCK_SETTLE_H
#define PENSTOCK_SETTLE_H

#include "base/metrics.h"
#include "route/table.h"
#include "state/state.h"

struct settle;

struct settle_setup {
	struct state *state;
	struct table *table; /* in force at the start */
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

/* [any] True: all that can be taken back is. Else a sentence and a newline are added to `why`. */
bool settle_is_good(const struct settle *settle, struct buf *why);

#endif
