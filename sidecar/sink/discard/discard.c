// SPDX-License-Identifier: MIT
/* discard.c - takes bytes and forgets them, on the worker's loop. For dry runs, and to measure all but the destination.
 *
 * With `memory` it holds of each stream what comes, until it has so much, and forgets all of that at once: as a store does that
 * takes large pieces. Each chunk is held in place of one of the form's reserve, of which it takes all that it will hold at once. */
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "sink/discard/settings.h"
#include "sink/sink.h"

/* READY ─START▶ SENDING ─all bytes gone▶ HELD ─COMMIT▶ ENDED     any ─CANCEL▶ ENDED */
enum discard_state { DISCARD_READY, DISCARD_SENDING, DISCARD_HELD, DISCARD_ENDED };

struct discard {
	struct engine *engine;
	struct pool *pool;
	struct order *order;
	struct channel *channel;
	enum discard_state state;
	bool is_committed;
	struct reserve_user user; /* of order->reserve */
	struct chunk *held;       /* by `link` */
	size_t n_held, most_held;
	bool has_memory; /* for most_held of them */
};

static const unsigned may_become[] = {
	[DISCARD_READY] = BIT(DISCARD_SENDING) | BIT(DISCARD_ENDED),
	[DISCARD_SENDING] = BIT(DISCARD_HELD) | BIT(DISCARD_ENDED),
	[DISCARD_HELD] = BIT(DISCARD_ENDED),
	[DISCARD_ENDED] = 0,
};

static void
discard_move(struct discard *discard, enum discard_state to)
{
	must(state_may_become(may_become, (int)discard->state, (int)to));
	discard->state = to;
}

/* -- what is held --------------------------------------------------------------------------------------- */

static void
forget_held(struct discard *discard)
{
	while (discard->held != NULL) {
		struct chunk *next = discard->held->link;

		reserve_give(discard->order->reserve, discard->held);
		discard->held = next;
	}
	if (discard->has_memory)
		reserve_put(discard->order->reserve, discard->most_held - discard->n_held);
	discard->has_memory = false;
	discard->n_held = 0;
}

static void
hold_chunk(struct discard *discard, struct chunk *chunk)
{
	struct chunk *spare = pool_draw(discard->pool, POOL_KEEP);

	pool_swap_uses(chunk, spare);
	pool_give(discard->pool, spare);
	chunk->link = discard->held;
	discard->held = chunk;
	if (++discard->n_held == discard->most_held)
		forget_held(discard);
}

enum taken { TOOK_ONE, TOOK_NONE, NO_MEMORY };

/* NO_MEMORY: CHANNEL_DATA will come when there is some. A chunk that others read, too, cannot be held in place of another. */
static enum taken
take_and_hold(struct discard *discard)
{
	struct reserve *reserve = discard->order->reserve;
	struct chunk *chunk;

	if (!discard->has_memory && !reserve_take(reserve, &discard->user, discard->most_held))
		return NO_MEMORY;
	discard->has_memory = true;
	chunk = channel_pop(discard->channel);
	if (chunk != NULL && !pool_is_shared(chunk))
		hold_chunk(discard, chunk);
	else if (chunk != NULL)
		pool_give(discard->pool, chunk);
	else if (discard->held == NULL)
		forget_held(discard);
	return chunk != NULL ? TOOK_ONE : TOOK_NONE;
}

static enum taken
take_one(struct discard *discard)
{
	struct chunk *chunk;

	if (discard->most_held > 0)
		return take_and_hold(discard);
	chunk = channel_pop(discard->channel);
	if (chunk != NULL)
		pool_give(discard->pool, chunk);
	return chunk != NULL ? TOOK_ONE : TOOK_NONE;
}

/* -- its life ------------------------------------------------------------------------------------------- */

static void
end(struct discard *discard, enum outcome_state outcome)
{
	forget_held(discard);
	if (discard->most_held > 0)
		reserve_forget(discard->order->reserve, &discard->user);
	discard->order->outcome.state = outcome;
	discard_move(discard, DISCARD_ENDED);
	channel_report(discard->channel, CHANNEL_ENDED);
}

static void
hold(struct discard *discard)
{
	forget_held(discard);
	discard_move(discard, DISCARD_HELD);
	if (discard->is_committed)
		end(discard, OUTCOME_COMMITTED);
	else
		channel_report(discard->channel, CHANNEL_PREPARED);
}

static void
go_on(struct discard *discard)
{
	bool finished = channel_is_finished(discard->channel); /* before looking for the last chunks */

	enum taken taken;

	while ((taken = take_one(discard)) == TOOK_ONE)
		continue;
	if (taken == NO_MEMORY)
		return;
	if (finished)
		hold(discard);
	else if (!channel_want_data(discard->channel))
		channel_tell(discard->channel, CHANNEL_DATA); /* to ourselves: the others come first */
}

static void
discard_free(struct discard *discard)
{
	must(discard->state == DISCARD_ENDED);
	channel_free(discard->channel);
	counter_sub(&discard->engine->transfers, 1);
	mem_free(discard);
}

static void
start(struct discard *discard)
{
	discard_move(discard, DISCARD_SENDING);
	if (discard->order->is_kept)
		hold(discard);
	else
		go_on(discard);
}

static void
undo(struct discard *discard)
{
	discard->order->outcome.state = OUTCOME_UNDONE;
	channel_report(discard->channel, CHANNEL_UNDONE);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct discard *discard = arg;

	discard->is_committed = discard->is_committed || (orders & CHANNEL_COMMIT) != 0;
	if ((orders & CHANNEL_CANCEL) && discard->state != DISCARD_ENDED)
		end(discard, OUTCOME_ABORTED);
	else if ((orders & CHANNEL_START) && discard->state == DISCARD_READY)
		start(discard);
	else if (discard->state == DISCARD_SENDING && (orders & (CHANNEL_DATA | CHANNEL_FINISH)))
		go_on(discard);
	else if (discard->state == DISCARD_HELD && (orders & CHANNEL_COMMIT))
		end(discard, OUTCOME_COMMITTED);
	if (orders & CHANNEL_UNDO)
		undo(discard);
	if (orders & CHANNEL_CLOSE)
		discard_free(discard);
}

static bool
begin(const struct sink_place *place, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct discard *discard = mem_zalloc(sizeof *discard);
	struct channel_side consumer = {
		.box = loop_mailbox(place->engine->loop), .on_mail = on_orders, .arg = discard
	};

	if (discard == NULL)
		return error_nomem(err);
	discard->channel = channel_new(place->pool, producer, &consumer, order->slots, err);
	if (discard->channel == NULL) {
		mem_free(discard);
		return false;
	}
	discard->engine = place->engine;
	discard->pool = place->pool;
	discard->order = order;
	discard->user.channel = discard->channel;
	if (order->reserve != NULL)
		discard->most_held = (discard_settings(order->to)->memory + CHUNK_SIZE - 1) / CHUNK_SIZE;
	counter_add(&place->engine->transfers, 1);
	order->channel = discard->channel;
	order->transfer = discard;
	return true;
}

static void
pump(struct order *order)
{
	if (channel_take_hunger(order->channel))
		channel_tell(order->channel, CHANNEL_DATA);
}

extern const struct sink discard_sink;
const struct sink discard_sink = { .begin = begin, .pump = pump };
