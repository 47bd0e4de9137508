// SPDX-License-Identifier: MIT
/* reload.h - which route table is in force, and how another takes its place.
 *
 *   QUIET ─reload_now▶ (read, checked) ─▶ SPREADING ─every taker has it▶ QUIET      the old table lives on with its requests
 *                          └─anything is wrong: every problem is logged, and nothing changes
 *
 * A taker (worker, agent, admin server) gets the new table by its own mail and says so by another; the next reload waits for
 * all of them. Everything here belongs to the main thread, except reload_taken().
 */
#ifndef PENSTOCK_RELOAD_H
#define PENSTOCK_RELOAD_H

#include "base/metrics.h"
#include "daemon/sd_notify.h"
#include "loop/loop.h"
#include "route/table.h"
#include "sink/lookout.h"

struct reload_taker {
	struct reload *reload;
	void (*set)(void *who, struct table *table); /* hands a reference over */
	void *who;
	struct mail taken;
};

struct reload {
	char *const *paths;  /* route files and folders; borrowed */
	size_t n_paths;      /* 0: there is nothing to read again */
	struct table *table; /* in force; held */
	struct table *old;   /* while SPREADING: the one before; held */
	struct reload_taker *takers;
	size_t n_takers, n_waiting; /* n_waiting: takers that do not have `table` yet; 0: QUIET */
	bool again;                 /* a reload was asked for while SPREADING, and follows */
	bool is_over;               /* reload_end() was called */
	struct loop *loop;
	struct sd_notify *sd_notify; /* or NULL */
	struct lookout *lookout;     /* or NULL; it takes the table some time later, and is not waited for */
	struct metrics *metrics;     /* or NULL */
	struct state *state;         /* or NULL */
};

/* The caller has made the first table, and hands its reference over. */
void reload_init(struct reload *reload, char *const *paths, size_t n_paths);

/* Makes room for up to `n_takers`, which reload_add() adds. False: out of memory. */
bool reload_expect(struct reload *reload, struct loop *loop, size_t n_takers);
struct reload_taker *reload_add(struct reload *reload, void (*set)(void *who, struct table *table));

/* [taker's thread] Says that the taker goes by the new table. `taker` is what reload_add() gave. */
void reload_taken(void *taker);

void reload_now(struct reload *reload);
void reload_end(struct reload *reload); /* from now on a SIGHUP does nothing */

/* To be called after all takers are gone and their mail is delivered. */
void reload_fini(struct reload *reload);

#endif
