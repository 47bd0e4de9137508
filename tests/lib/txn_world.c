// SPDX-License-Identifier: MIT
/* txn_world.c - see txn_world.h. */
#include "lib/txn_world.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static void
note(struct fake *fake, char what)
{
	size_t at = strlen(fake->world->log);

	snprintf(fake->world->log + at, sizeof fake->world->log - at, "%s%d%c", at > 0 ? " " : "",
		(int)(fake - fake->world->fakes), what);
}

static void
end(struct fake *fake, enum outcome_state state)
{
	fake->order->outcome.state = state;
	fake->has_ended = true;
	channel_report(fake->channel, CHANNEL_ENDED);
}

static void
complete(struct fake *fake)
{
	if (fake->world->completed++ < fake->world->fails_at) {
		end(fake, OUTCOME_COMMITTED);
		return;
	}
	error_set(&fake->order->outcome.error, ERR_UPSTREAM, "it said no");
	end(fake, OUTCOME_ABORTED);
}

static void
undo(struct fake *fake)
{
	note(fake, 'U');
	if (fake->order == fake->world->fails_to_undo)
		error_set(&fake->order->outcome.undo_error, ERR_UPSTREAM, "it could not be taken back");
	else
		fake->order->outcome.state = OUTCOME_UNDONE;
	channel_report(fake->channel, CHANNEL_UNDONE);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct fake *fake = arg;

	fake->told |= orders;
	if (orders & CHANNEL_START)
		note(fake, 'S');
	if ((orders & CHANNEL_CANCEL) && !fake->has_ended) {
		note(fake, 'X');
		end(fake, (fake->told & CHANNEL_COMMIT) ? OUTCOME_UNKNOWN : OUTCOME_ABORTED);
		return;
	}
	if ((orders & CHANNEL_FINISH) && !(fake->told & CHANNEL_COMMIT))
		channel_report(fake->channel, CHANNEL_PREPARED);
	if ((orders & CHANNEL_COMMIT) && !fake->world->owes_answers) {
		note(fake, 'C');
		complete(fake);
	}
	if (orders & CHANNEL_UNDO)
		undo(fake);
	if (orders & CHANNEL_CLOSE)
		channel_free(fake->channel);
}

static bool
open_fake(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct world *world = arg;
	struct fake *fake = &world->fakes[world->n];
	struct channel_side consumer = { .box = loop_mailbox(world->loop), .on_mail = on_orders, .arg = fake };

	if (order == world->refuses_to_open)
		return error_set(err, ERR_SYSTEM, "no descriptor is left");
	assert_true(world->n < WORLD_MAX);
	*fake = (struct fake){ .world = world, .order = order };
	fake->channel = order->channel = channel_new(world->pool, producer, &consumer, order->slots, err);
	world->n += fake->channel != NULL;
	return fake->channel != NULL;
}

static size_t
cost_fake(void *arg, const struct order *order)
{
	(void)arg;
	return order->unit;
}

static void
pump_fake(void *arg, struct order *order)
{
	(void)arg;
	(void)order;
}

static void
on_news(void *arg)
{
	((struct world *)arg)->n_news++;
}

void
world_set_up_with(struct world *world, enum plan_policy policy, struct state *state)
{
	struct error err = { 0 };

	*world = (struct world){ .fails_at = SIZE_MAX, .state = state };
	world->loop = loop_new(&err);
	world->pool = pool_new(4 << 20, &err);
	assert_non_null(world->loop);
	assert_non_null(world->pool);
	world->blocks = blocks_new(world->pool);
	assert_non_null(world->blocks);
	world->sinks = (struct sinks){ .arg = world, .cost = cost_fake, .open = open_fake, .pump = pump_fake };
	world->store = (struct destination){
		.kind = &http_kind, .settings = &world->settings.common, .name = (char *)(uintptr_t) "store"
	};
	world->undoable = world->store;
	world->undo_settings.undo_delete = true;
	world->undoable.settings = &world->undo_settings.common;
	world->folder = (struct destination){ .kind = &directory_kind, .name = (char *)(uintptr_t) "folder" };
	world->folder.at = (char *)(uintptr_t) "/one";
	world->other_folder = world->folder;
	world->other_folder.at = (char *)(uintptr_t) "/other";
	world->to_store = (struct rule){ .to = &world->store };
	world->to_undoable = (struct rule){ .to = &world->undoable };
	world->to_folder = (struct rule){ .to = &world->folder };
	world->to_other_folder = (struct rule){ .to = &world->other_folder };
	world->txn = txn_new(&(struct txn_setup){ .policy = policy,
				     .sinks = &world->sinks,
				     .state = state,
				     .blocks = world->blocks,
				     .piece = 64 << 10,
				     .box = loop_mailbox(world->loop),
				     .on_news = on_news,
				     .arg = world },
		&err);
	assert_non_null(world->txn);
}

void
world_set_up(struct world *world, enum plan_policy policy)
{
	world_set_up_with(world, policy, NULL);
}

void
world_tear_down(struct world *world)
{
	txn_free(world->txn);
	loop_deliver_rest(world->loop); /* CLOSE frees the channels */
	blocks_free(world->blocks);
	pool_free(world->pool);
	loop_free(world->loop);
}

struct delivery *
world_kept(struct world *world, const struct rule *rule)
{
	struct delivery *delivery = txn_add(world->txn, rule);

	assert_non_null(delivery);
	buf_add_text(&delivery->target, "x");
	delivery_finish(delivery);
	return delivery;
}

struct delivery *
world_streamed(struct world *world, const struct rule *rule)
{
	struct delivery *delivery = txn_add(world->txn, rule);
	struct error err = { 0 };
	size_t credits = 0;

	assert_non_null(delivery);
	buf_add_text(&delivery->target, "x");
	assert_true(delivery_start_stream(delivery, txn_keep(world->txn), &credits, &err));
	delivery_finish(delivery);
	return delivery;
}

static void
on_state_turn(struct mail *mail, unsigned bits)
{
	struct world *world = (struct world *)((char *)mail - offsetof(struct world, state_turn));

	(void)bits;
	loop_stop(state_loop(world->state));
}

void
world_turn_state(struct world *world)
{
	if (world->state == NULL)
		return;
	mail_init(&world->state_turn, on_state_turn);
	mailbox_post(loop_mailbox(state_loop(world->state)), &world->state_turn, 1);
	loop_run(state_loop(world->state));
}

bool
world_play(struct world *world, enum txn_goal goal)
{
	bool is_over = txn_step(world->txn, goal);

	for (int turns = 0; turns < 100; turns++) {
		world_turn_state(world);
		loop_deliver_rest(world->loop);
		is_over = txn_step(world->txn, goal);
	}
	return is_over;
}
