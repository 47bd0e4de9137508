// SPDX-License-Identifier: MIT
/* delivery.c - see delivery.h: a delivery's life. Its bytes are delivery_write.c's. */
#include "txn/delivery_priv.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/kind.h"
#include "config/memory.h"

#include <string.h>

/* Room for a whole piece and half of the next, and never so little that small pieces stop and go. */
static unsigned
slots_for(size_t piece)
{
	size_t slots = piece / CHUNK_SIZE + piece / CHUNK_SIZE / 4;

	return slots < STREAM_SLOTS_MIN    ? STREAM_SLOTS_MIN
		: slots > STREAM_SLOTS_MAX ? STREAM_SLOTS_MAX
					   : (unsigned)slots;
}

/* What has been collected goes into the channel at once, and what made it too much with it. */
static unsigned
slots_to_start(const struct rule *rule)
{
	size_t most = kind_keep_max(rule);

	must(most >= KIND_KEEP_USUAL && most <= KIND_KEEP_MOST);
	return (unsigned)(DELIVERY_START_CHUNKS + most / BLOCK_MAX + 1 + DELIVERY_WRITE_MAX / CHUNK_SIZE + 1);
}

static void
set_order(struct order *order, const struct txn_setup *setup, const struct rule *rule)
{
	order->method = rule->method;
	order->length = ORDER_LENGTH_UNKNOWN;
	order->largest = memory_largest(rule, setup->body);
	order->table = setup->table;
	order->request_id = setup->request_id;
	order->traceparent = setup->traceparent;
	order->client = setup->client;
	order->unit = setup->piece;
	order->slots = slots_for(setup->piece);
	if (order->slots < slots_to_start(rule))
		order->slots = slots_to_start(rule);
	order->want_body = setup->want_body;
}

struct delivery *
delivery_new(struct txn *txn, struct lent *lent, const struct rule *rule, const struct destination *to)
{
	struct delivery *delivery = mem_zalloc(sizeof *delivery);

	if (delivery == NULL)
		return NULL;
	delivery->rule = rule;
	delivery->txn = txn;
	delivery->lent = lent;
	delivery->writer = delivery;
	delivery->item.rank = kind_has(to->kind, KIND_LOCAL) ? RANK_RENAME : RANK_STORE;
	delivery->item.can_undo = to->kind->can_undo(to->settings);
	delivery->order.to = to;
	set_order(&delivery->order, &lent->setup, rule);
	delivery->order.form = txn;
	delivery->order.reserve = lent->reserve;
	keep_init(&delivery->own_keep, lent->setup.blocks);
	return delivery;
}

void
delivery_join(struct delivery *delivery, struct delivery *writer)
{
	must(writer->writer == writer && writer->item.state == ITEM_COLLECTING && writer->order.kept.length == 0);
	delivery->writer = writer;
	delivery->beside = writer->beside;
	writer->beside = delivery;
}

static void
drop_open_chunk(struct delivery *delivery)
{
	if (delivery->open != NULL)
		pool_give(pool_of(delivery), delivery->open);
	delivery->open = NULL;
}

void
delivery_free(struct delivery *delivery)
{
	if (delivery == NULL)
		return;
	must(delivery->order.channel == NULL || delivery_has_ended(delivery));
	if (delivery->order.channel != NULL)
		channel_tell(delivery->order.channel, CHANNEL_CLOSE);
	drop_open_chunk(delivery);
	keep_fini(&delivery->own_keep);
	buf_free(&delivery->order.outcome.body);
	buf_free(&delivery->order.outcome.challenge);
	if (delivery->answer != NULL)
		pool_take_back(pool_of(delivery), &delivery->answer);
	buf_free(&delivery->target);
	buf_free(&delivery->shown);
	buf_free(&delivery->type);
	buf_free(&delivery->head);
	buf_free(&delivery->digest);
	buf_free(&delivery->link_as);
	mem_free(delivery->lines);
	mem_free(delivery);
}

/* A small budget gives small buffers, and so does one of which a quarter is taken. */
static size_t
unit_for(const struct pool *pool, size_t unit)
{
	size_t most = pool_total(pool) / 32 * CHUNK_SIZE;

	if (pool_available(pool) < pool_total(pool) / 4 * 3 || most < STREAM_UNIT_MIN)
		most = STREAM_UNIT_MIN;
	return unit < most ? unit : most;
}

bool
delivery_set_lines(struct delivery *delivery, size_t n, const char *const *shown, struct error *err)
{
	const char *at = delivery->head.data;

	if (n == 0)
		return true;
	delivery->lines = mem_array(n, sizeof *delivery->lines);
	if (delivery->lines == NULL)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct order_line *line = &delivery->lines[i];

		line->name = at;
		line->value = at + strlen(at) + 1;
		line->shown = shown != NULL ? shown[i] : NULL;
		at = line->value + strlen(line->value) + 1;
	}
	delivery->order.lines = delivery->lines;
	delivery->order.n_lines = n;
	return true;
}

/* Before the transfer begins: once the upstream has got all, it is too late to say that there is no room for its answer. */
static bool
charge_answer(struct delivery *delivery, struct error *err)
{
	if (!delivery->order.want_body ||
		pool_set_aside(pool_of(delivery), OUTCOME_BODY_MAX / CHUNK_SIZE, &delivery->answer))
		return true;
	return error_no_room(err, "for the upstream's answer");
}

/* What a transfer holds until the commit (a connection, a buffer for a send) is, with many parts in a form, more than
 * their bytes, so it is charged to the budget. */
static bool
charge(struct delivery *delivery)
{
	const struct sinks *sinks = setup_of(delivery)->sinks;
	size_t cost = sinks->cost(sinks->arg, &delivery->order);

	if (cost == 0)
		return true;
	if (!blocks_charge(setup_of(delivery)->blocks, cost))
		return false;
	delivery->charged = cost;
	return true;
}

size_t
delivery_held(const struct delivery *delivery)
{
	return delivery->own_keep.held + delivery->charged + (delivery->open != NULL ? CHUNK_SIZE : 0) +
		(delivery->answer != NULL ? OUTCOME_BODY_MAX : 0);
}

static void
discharge(struct delivery *delivery)
{
	if (delivery->charged > 0)
		blocks_discharge(setup_of(delivery)->blocks, delivery->charged);
	delivery->charged = 0;
}

static void
end(struct delivery *delivery)
{
	const struct outcome *outcome = &delivery->order.outcome;

	if (outcome->state == OUTCOME_COMMITTED)
		delivery_move(delivery, ITEM_COMMITTED);
	else if (error_is_set(&outcome->error) || outcome->state == OUTCOME_UNKNOWN)
		plan_fail(&delivery->lent->plan, &delivery->item);
	else
		delivery_move(delivery, ITEM_GONE);
	drop_open_chunk(delivery);
	discharge(delivery);
}

/* [from the mailbox] News of the transfer. ENDED is its last word, so it is looked at last. */
static void
on_news(void *arg, unsigned news)
{
	struct delivery *delivery = arg;

	if ((news & CHANNEL_PREPARED) && delivery->item.state == ITEM_SENDING)
		delivery_move(delivery, ITEM_PREPARED);
	if (news & (CHANNEL_ENDED | CHANNEL_UNDONE))
		end(delivery);
	if ((news & CHANNEL_SPACE) && delivery->item.state == ITEM_STREAMING)
		delivery_flush(delivery->writer);
	setup_of(delivery)->on_news(setup_of(delivery)->arg);
}

bool
delivery_has_ended(const struct delivery *delivery)
{
	return delivery->item.state == ITEM_COMMITTED || delivery->item.state == ITEM_GONE;
}

static bool
open_transfer(struct delivery *delivery, struct error *err)
{
	struct channel_side producer = { .box = setup_of(delivery)->box, .on_mail = on_news, .arg = delivery };

	if (delivery->target.failed || delivery->type.failed)
		return error_nomem(err);
	delivery->order.target = delivery->target.data;
	delivery->order.type = delivery->type.len > 0 ? delivery->type.data : NULL;
	return setup_of(delivery)->sinks->open(setup_of(delivery)->sinks->arg, &delivery->order, &producer, err);
}

static bool
start_one_stream(struct delivery *delivery, struct error *err)
{
	must(delivery->item.state == ITEM_COLLECTING);
	delivery->order.unit = unit_for(pool_of(delivery), delivery->order.unit);
	if (!charge_answer(delivery, err) || !open_transfer(delivery, err))
		return false;
	channel_tell(delivery->order.channel, CHANNEL_START);
	delivery_move(delivery, ITEM_STREAMING);
	return true;
}

/* What was collected is in the channel before the transfers are charged: so the one makes room for the other, and many slow clients
 * whose objects turn out long at the same time all find some. */
bool
delivery_start_stream(struct delivery *writer, struct keep *keep, size_t *credits, struct error *err)
{
	for (struct delivery *d = writer; d != NULL; d = d->beside)
		if (!start_one_stream(d, err))
			return false;
	delivery_write_collected(writer, keep, credits);
	for (struct delivery *d = writer; d != NULL; d = d->beside)
		if (!charge(d))
			return error_no_room(err, "for one more transfer");
	return true;
}

bool
delivery_start_kept(struct delivery *delivery, bool commit, struct error *err)
{
	must(delivery->item.state == ITEM_KEPT);
	delivery->order.slots = 1; /* nothing goes through the ring */
	delivery->order.is_kept = true;
	delivery->order.length = delivery->order.kept.length;
	if (!charge_answer(delivery, err) || !open_transfer(delivery, err))
		return false;
	channel_tell(delivery->order.channel, CHANNEL_START | CHANNEL_FINISH | (commit ? CHANNEL_COMMIT : 0u));
	delivery_move(delivery, commit ? ITEM_COMMITTING : ITEM_SENDING);
	return true;
}

void
delivery_set_target(struct delivery *delivery)
{
	must(kind_has(delivery->order.to->kind, KIND_NAMES_LATE));
	delivery->order.target = delivery->target.data;
}

void
delivery_commit(struct delivery *delivery)
{
	channel_tell(delivery->order.channel, CHANNEL_COMMIT);
	delivery_move(delivery, ITEM_COMMITTING);
}

void
delivery_cancel(struct delivery *delivery)
{
	if (delivery->order.channel == NULL) { /* nothing had been started, so it ends here and now */
		delivery->order.outcome.state = OUTCOME_ABORTED;
		end(delivery);
		if (delivery->beside == NULL) /* who is beside it may be sending what was kept */
			keep_fini(&delivery->own_keep);
		return;
	}
	channel_tell(delivery->order.channel, CHANNEL_CANCEL);
	delivery_move(delivery, ITEM_CANCELLING);
	drop_open_chunk(delivery);
}

void
delivery_undo(struct delivery *delivery)
{
	must(delivery->order.outcome.state == OUTCOME_COMMITTED);
	delivery_move(delivery, ITEM_UNDOING);
	channel_tell(delivery->order.channel, CHANNEL_UNDO);
}

void
delivery_cut(struct delivery *delivery)
{
	if (kind_has(delivery->order.to->kind, KIND_LOCAL))
		return;
	plan_forbid_undo(&delivery->lent->plan, &delivery->item);
	if (delivery->item.state == ITEM_COMMITTING)
		delivery_cancel(delivery);
	else if (delivery->item.state == ITEM_UNDOING)
		channel_tell(delivery->order.channel, CHANNEL_CANCEL);
}
