// SPDX-License-Identifier: MIT
/* lookout.h - a thread that lets the sinks look every few seconds at what they keep open for the table in force (sinks_look()):
 * today the folders. It is a thread of its own because a file system may hang: then this thread hangs and no other, and the
 * folder that it was looking at counts as not well.
 *
 *   main: timer ─mail with the table▶ lookout: lets each sink look ─mail▶ main: timer
 */
#ifndef PENSTOCK_LOOKOUT_H
#define PENSTOCK_LOOKOUT_H

#include "base/error.h"
#include "loop/loop.h"
#include "route/table.h"

#define LOOKOUT_EVERY_MS 3000u /* from the end of a round to the next */

struct lookout;

/* [main] Starts the thread, which begins with `table`. `loop` is main's. NULL: err says why. */
struct lookout *lookout_new(struct loop *loop, struct table *table, struct error *err);

/* [main] From its next round on the thread looks at this table. Takes the reference over. */
void lookout_set_table(struct lookout *lookout, struct table *table);

/* [main] After loop's last turn: ends the thread and waits for it, unless a file system hangs. False: it does. Then the thread is
 * left running until the process ends, and `loop` must not be freed, because the thread may still send it mail. NULL is fine. */
bool lookout_stop(struct lookout *lookout);

/* [main] After lookout_stop() was true and the rest of loop's mail is delivered. NULL is fine. */
void lookout_free(struct lookout *lookout);

#endif
