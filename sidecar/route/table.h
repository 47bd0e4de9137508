// SPDX-License-Identifier: MIT
/* table.h - a route table: a configuration, and what belongs to it alone. One table is in force.
 *
 * A reload makes a new one. Each request holds the table by which it was admitted until it is over, so it goes on as it
 * began; releasing the last reference frees the table, on whichever thread that happens.
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
	/* [main] `before`: what it returned for the table in force, NULL at the start. `state`: knows what became of
	 * commits over several places; may be NULL. NULL: err says why. */
	void *(*open)(const struct config *config, const void *before, struct state *state, struct error *err);
	void (*close)(void *opened); /* [any] when the table is freed */
};

struct table {
	struct refcount refs;
	struct config *config;
	struct counter **active; /* requests under way, by struct route's index; a route shares the counter of the
				  * route of the same id in the table before */
	const struct table_opener *opener;
	void *opened; /* what `open` returned; for the opener alone */
};

/* [main] Takes `config` over, also when it fails. `before`: the table in force, of the same opener; NULL at the start.
 * NULL: err says why; nothing has changed but what opening destinations changes (it may have made folders, and swept new
 * ones). */
struct table *table_new(struct config *config, const struct table *before, const struct table_opener *opener,
	struct state *state, struct error *err);

struct table *table_acquire(struct table *table); /* [any] the caller holds it, or was handed it */
void table_release(struct table *table);          /* [any] NULL is fine */

#endif
