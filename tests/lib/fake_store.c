// SPDX-License-Identifier: MIT
/* fake_store.c - see fake_store.h. */
#include "lib/fake_store.h"

#include "lib/check.h"

#include <stdlib.h>

static struct fake_store store;
struct fake_store *const fake_store = &store;

struct stored {
	struct engine *engine;
	struct pool *pool;
	struct order *order; /* until it has ended, and again for an undo */
	struct channel *channel;
	bool is_whole, is_prepared, is_committed, has_ended;
	struct stored *next;
};

static struct stored *all;

static void
end(struct stored *stored, enum outcome_state state)
{
	stored->order->outcome.state = state;
	stored->has_ended = true;
	if (state == OUTCOME_COMMITTED) {
		store.n_there++;
		store.n_made++;
	}
	channel_report(stored->channel, CHANNEL_ENDED);
}

static void
lose(struct stored *stored)
{
	error_set(&stored->order->outcome.error, ERR_UPSTREAM, "destination \"store\": it said no");
	end(stored, OUTCOME_ABORTED);
}

static void
speak(struct stored *stored)
{
	if (!stored->is_whole || stored->has_ended || store.owes_words)
		return;
	if (stored->is_committed && store.refuses)
		lose(stored);
	else if (stored->is_committed)
		end(stored, OUTCOME_COMMITTED);
	else if (!stored->is_prepared)
		channel_report(stored->channel, CHANNEL_PREPARED);
	stored->is_prepared = true;
}

static void
take(struct stored *stored)
{
	struct channel *channel = stored->channel;
	bool is_finished = stored->order->is_kept || channel_is_finished(channel);
	struct chunk *chunk;

	while ((chunk = channel_pop(channel)) != NULL)
		pool_give(stored->pool, chunk);
	stored->is_whole = is_finished;
	if (!is_finished && !channel_want_data(channel))
		channel_tell(channel, CHANNEL_DATA);
}

static void
undo(struct stored *stored)
{
	store.n_there--;
	stored->order->outcome.state = OUTCOME_UNDONE;
	channel_report(stored->channel, CHANNEL_UNDONE);
}

static void
forget(struct stored *stored)
{
	struct stored **at = &all;

	while (*at != stored)
		at = &(*at)->next;
	*at = stored->next;
	counter_sub(&stored->engine->transfers, 1);
	free(stored);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct stored *stored = arg;
	struct channel *channel = stored->channel;

	if ((orders & CHANNEL_CANCEL) && !stored->has_ended)
		end(stored, OUTCOME_ABORTED);
	if ((orders & (CHANNEL_START | CHANNEL_DATA | CHANNEL_FINISH)) && !stored->has_ended && !stored->is_whole)
		take(stored);
	stored->is_committed = stored->is_committed || (orders & CHANNEL_COMMIT) != 0;
	if (orders & (CHANNEL_START | CHANNEL_DATA | CHANNEL_FINISH | CHANNEL_COMMIT))
		speak(stored);
	if (orders & CHANNEL_UNDO)
		undo(stored);
	if (orders & CHANNEL_CLOSE) {
		forget(stored);
		channel_free(channel);
	}
}

static bool
begin(const struct sink_place *place, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct stored *stored = calloc(1, sizeof *stored);
	struct channel_side consumer = {
		.box = loop_mailbox(place->engine->loop), .on_mail = on_orders, .arg = stored
	};

	assert_non_null(stored);
	*stored = (struct stored){ .engine = place->engine, .pool = place->pool, .order = order, .next = all };
	stored->channel = order->channel = channel_new(place->pool, producer, &consumer, order->slots, err);
	if (stored->channel == NULL) {
		free(stored);
		return false;
	}
	all = stored;
	counter_add(&place->engine->transfers, 1);
	return true;
}

static void
pump(struct order *order)
{
	if (channel_take_hunger(order->channel))
		channel_tell(order->channel, CHANNEL_DATA);
}

const struct sink fake_store_sink = { .begin = begin, .pump = pump };

void
fake_store_speak(void)
{
	store.owes_words = false;
	for (struct stored *stored = all; stored != NULL; stored = stored->next)
		speak(stored);
}

void
fake_store_break(void)
{
	struct stored *stored = all;

	while (stored != NULL && (!stored->is_whole || stored->has_ended))
		stored = stored->next;
	assert_non_null(stored);
	lose(stored);
}
