// SPDX-License-Identifier: MIT
/* txn_world.h - a transaction with sinks that a test plays: what they are told, in which order, and what becomes of a form when
 * they say no. Both sides live on this thread; news and orders wait in a mailbox that world_play() delivers. */
#ifndef PENSTOCK_TEST_TXN_WORLD_H
#define PENSTOCK_TEST_TXN_WORLD_H

#include "lib/check.h"
#include "loop/loop.h"
#include "sink/directory/settings.h"
#include "sink/http/settings.h"
#include "txn/txn.h"

#define WORLD_MAX 16

struct fake {
	struct world *world;
	struct order *order;
	struct channel *channel;
	unsigned told; /* all orders so far */
	bool has_ended;
};

struct world {
	struct loop *loop;
	struct pool *pool;
	struct blocks *blocks;
	struct sinks sinks;
	struct destination store, folder, other_folder, undoable;
	struct http_settings settings, undo_settings;
	struct rule to_store, to_folder, to_other_folder, to_undoable;
	struct state *state; /* NULL: no journal of commits */
	struct mail state_turn;
	struct txn *txn;
	struct fake fakes[WORLD_MAX];
	size_t n;
	const struct order *refuses_to_open, *fails_to_commit, *fails_to_undo;
	size_t fails_at; /* how many may complete before one fails; SIZE_MAX: all */
	size_t completed;
	bool owes_answers; /* COMMIT is not answered */
	unsigned n_news;
	char log[400]; /* "0S 1S 0C ...": number of the fake and what it was told first */
};

void world_set_up_with(struct world *world, enum plan_policy policy, struct state *state);
void world_set_up(struct world *world, enum plan_policy policy); /* without a state */
void world_tear_down(struct world *world);                       /* every chunk must be back */

struct delivery *world_kept(struct world *world, const struct rule *rule); /* a part that was kept whole */
struct delivery *world_streamed(struct world *world, const struct rule *rule);

void world_turn_state(struct world *world); /* what the state's thread would do now */

/* Until nothing moves any more. True: the goal is reached. */
bool world_play(struct world *world, enum txn_goal goal);

#endif
