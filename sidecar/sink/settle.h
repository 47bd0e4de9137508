// SPDX-License-Identifier: MIT
/* settle.h - takes back what processes that died in the middle of a commit have left at destinations that have to be asked
 * (state/state.h knows of it; folders have their own journals).
 *
 * An upload of it that the commit was to complete is ended first, whatever else may be done: it is ours by its id. What comes
 * too late to complete it finds none. Of some forms there is nothing else: of those that were not to become visible, and whose
 * uploads were being ended at the kill.
 *
 *   an object:  WAITING ─due▶ ASKING ─no answer, or no▶ WAITING
 *                                ├─its upload is not there any more▶ WAITING
 *                                └─not there▶ WATCHED: asked again and again for the destination's timeout.total, because
 *                                             what was on its way at the kill may still land ─▶ settled
 *               TOLD: nobody may touch it, or its destination is not there any more
 *
 * On the loop of the state, in the background; whoever takes uploads does not wait for it. */
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

/* [main] Its destinations count from now on. Takes the reference over; not again before on_table. */
void settle_set_table(struct settle *settle, struct table *table);

/* [main] After state_stop(), before state_free(). NULL is fine. */
void settle_free(struct settle *settle);

/* [any] True: all that can be taken back is. Else a sentence and a newline are added to `why`. */
bool settle_is_good(const struct settle *settle, struct buf *why);

#endif
