// SPDX-License-Identifier: MIT
/* sweeper.h - has destinations swept, each by its sink (sink.h): what dead processes have left there and nobody knows of is
 * looked for, and removed.
 *
 *   a destination:  RESTING ─due▶ SWEEPING ─all is well▶ RESTING, for a day
 *                                    └─anything is not▶ RESTING, for a second, then twice as long each time, up to an hour
 *
 * Due at the start, and whenever a route table comes into force: a sweep by the one before is cut. The thread is there as
 * soon as a table wants it, and sleeps but for this; no upload waits for it, and it waits for none. */
#ifndef PENSTOCK_SWEEPER_H
#define PENSTOCK_SWEEPER_H

#include "base/error.h"
#include "route/table.h"

struct sweeper;

struct sweeper_setup {
	struct table *table;         /* in force at the start */
	void (*on_table)(void *arg); /* [main, sweeper] it has taken what sweeper_set_table() brought */
	void *on_table_arg;
};

/* [main] NULL: err says why. */
struct sweeper *sweeper_new(const struct sweeper_setup *setup, struct error *err);

/* [main] Its destinations are swept from now on. Takes the reference over; not again before on_table. */
void sweeper_set_table(struct sweeper *sweeper, struct table *table);

/* [main] Cuts what is being swept, and ends the thread. NULL is fine. */
void sweeper_free(struct sweeper *sweeper);

/* Pure. How long to rest after so many failures in a row. */
uint64_t sweeper_rest_ms(unsigned n_failed);

#endif
