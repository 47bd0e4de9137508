// SPDX-License-Identifier: MIT
/* discard.c - takes bytes and forgets them, on the worker's loop. For dry runs, and to measure all but the destination. */
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
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

static void
end(struct discard *discard, enum outcome_state outcome)
{
	discard->order->outcome.state = outcome;
	discard_move(discard, DISCARD_ENDED);
	channel_report(discard->channel, CHANNEL_ENDED);
}

static void
hold(struct discard *discard)
{
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

	for (struct chunk *chunk; (chunk = channel_pop(discard->channel)) != NULL;)
		pool_give(discard->pool, chunk);
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
