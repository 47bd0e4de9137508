// SPDX-License-Identifier: MIT
/* table.h - the route table in force: a configuration, and what belongs to it and to nothing else.
 *
 * A reload makes a new one. Each request holds the table that it was admitted by until it is over, so it goes on as it
 * began; the last one to let go of a table frees it, on whichever thread.
 *
 *   main: table_new ─▶ in force ─mail▶ workers, agent, admin: their next question ─▶ requests ─▶ transfers to folders
 */
#ifndef PENSTOCK_TABLE_H
#define PENSTOCK_TABLE_H

#include "base/counter.h"
#include "base/error.h"
#include "base/refcount.h"
#include "config/route.h"

struct state; /* state/state.h */

/* Who opens what the destinations of a table need open. The sinks do (sink/sinks.h). */
struct table_opener {
	/* [main] `before`: what it gave for the table in force, NULL at the start. `state`: who knows what became of
	 * commits over several places; may be NULL. NULL: err says why. */
	void *(*open)(const struct config *config, const void *before, struct state *state, struct error *err);
	void (*close)(void *opened); /* [any] once nobody holds the table */
};

struct table {
	struct refcount refs;
	struct config *config;
	struct counter **active; /* requests under way, by struct route's index; a route of the same id in the table
				  * before goes on counting where that one was */
	const struct table_opener *opener;
	void *opened; /* the opener's alone */
};

/* [main] Takes `config` over, also when it fails. `before`: the table in force, of the same opener; NULL at the start.
 * NULL: err says why; nothing has changed but what opening destinations changes (folders may have been made, and new ones
 * swept). */
struct table *table_new(struct config *config, const struct table *before, const struct table_opener *opener,
	struct state *state, struct error *err);

struct table *table_acquire(struct table *table); /* [any] the caller holds it, or was handed it */
void table_release(struct table *table);          /* [any] NULL is fine */

#endif
