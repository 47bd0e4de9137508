// SPDX-License-Identifier: MIT
/* delivery.c - see delivery.h.
 *
 * The chunk being filled is pushed when it is full, when a piece of body has ended and the
 * transfer has little left, or at the end. While a slow destination has enough to do, small pieces are
 * gathered in one chunk instead of spending a chunk on each. */
#include "txn/delivery.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/kind.h"
#include "txn/txn.h"

#include <string.h>

static const struct txn_setup *
setup_of(const struct delivery *delivery)
{
	return txn_setup_of(delivery->txn);
}

static struct pool *
pool_of(const struct delivery *delivery)
{
	return blocks_pool(setup_of(delivery)->blocks);
}

static void
delivery_move(struct delivery *delivery, enum plan_state to)
{
	plan_move(txn_plan(delivery->txn), &delivery->item, to);
}

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
	order->to = rule->to;
	order->method = rule->method;
	order->length = ORDER_LENGTH_UNKNOWN;
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
delivery_new(struct txn *txn, const struct rule *rule)
{
	struct delivery *delivery = mem_zalloc(sizeof *delivery);

	if (delivery == NULL)
		return NULL;
	delivery->rule = rule;
	delivery->txn = txn;
	delivery->item.rank = kind_has(rule->to->kind, KIND_LOCAL) ? RANK_RENAME : RANK_STORE;
	delivery->item.can_undo = rule->to->kind->can_undo(rule->to->settings);
	set_order(&delivery->order, txn_setup_of(txn), rule);
	delivery->order.form = txn;
	keep_init(&delivery->own_keep, txn_setup_of(txn)->blocks);
	return delivery;
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
	if (delivery->answer != NULL)
		pool_take_back(pool_of(delivery), &delivery->answer);
	buf_free(&delivery->target);
	buf_free(&delivery->shown);
	buf_free(&delivery->type);
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

static bool
refuse_busy(struct error *err, const char *why)
{
	error_set(err, ERR_BUSY, "no memory left for %s; try again later", why);
	memcpy(err->limit, "memory", sizeof "memory");
	return false;
}

/* Before the transfer begins: once the upstream has got all, it is too late to say that there is no room for its answer. */
static bool
charge_answer(struct delivery *delivery, struct error *err)
{
	if (!delivery->order.want_body ||
		pool_set_aside(pool_of(delivery), OUTCOME_BODY_MAX / CHUNK_SIZE, &delivery->answer))
		return true;
	return refuse_busy(err, "the upstream's answer");
}

static bool
charge_for(struct delivery *delivery, size_t unit)
{
	const struct outlets *outlets = setup_of(delivery)->outlets;
	size_t n;

	delivery->order.unit = unit;
	n = (outlets->cost(outlets->arg, &delivery->order) + CHUNK_SIZE - 1) / CHUNK_SIZE;
	if (n > 0 && !pool_set_aside(pool_of(delivery), n, &delivery->charged))
		return false;
	delivery->n_charged = n;
	return true;
}

/* What a transfer holds until the commit (a buffer for one send, a connection) is, with many parts in a form, more than
 * their bytes, so it is charged to the budget. */
static bool
charge(struct delivery *delivery)
{
	return charge_for(delivery, unit_for(pool_of(delivery), delivery->order.unit)) ||
		charge_for(delivery, STREAM_UNIT_MIN);
}

size_t
delivery_held(const struct delivery *delivery)
{
	size_t chunks = (delivery->open != NULL) + delivery->n_charged +
		(delivery->answer != NULL ? OUTCOME_BODY_MAX / CHUNK_SIZE : 0);

	return delivery->own_keep.held + chunks * CHUNK_SIZE;
}

static void
discharge(struct delivery *delivery)
{
	if (delivery->n_charged > 0)
		pool_take_back(pool_of(delivery), &delivery->charged);
	delivery->n_charged = 0;
}

static void
end(struct delivery *delivery)
{
	const struct outcome *outcome = &delivery->order.outcome;

	if (outcome->state == OUTCOME_COMMITTED)
		delivery_move(delivery, ITEM_COMMITTED);
	else if (error_is_set(&outcome->error) || outcome->state == OUTCOME_UNKNOWN)
		plan_fail(txn_plan(delivery->txn), &delivery->item);
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
		delivery_flush(delivery);
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
	return setup_of(delivery)->outlets->open(
		setup_of(delivery)->outlets->arg, &delivery->order, &producer, err);
}

static void
push_open_chunk(struct delivery *delivery)
{
	channel_push(delivery->order.channel, delivery->open);
	delivery->open = NULL;
}

/* The last of them may have room for more. */
static void
push_chunks(struct delivery *delivery, struct chunk *chunks)
{
	if (chunks != NULL && delivery->open != NULL)
		push_open_chunk(delivery);
	while (chunks != NULL) {
		delivery->open = chunks;
		chunks = chunks->link;
		if (chunks != NULL || delivery->open->end == CHUNK_SIZE)
			push_open_chunk(delivery);
	}
}

static void
send_collected(struct delivery *delivery, struct keep *keep, size_t *credits)
{
	struct kept *kept = &delivery->order.kept;
	size_t loose = kept_loose(kept), len;

	for (size_t at = 0; at < loose; at += len) {
		const char *data = kept_at(kept, at, &len);

		delivery_write(delivery, data, len, credits);
	}
	push_chunks(delivery, keep_take_out(keep, kept));
}

bool
delivery_start_stream(struct delivery *delivery, struct keep *keep, size_t *credits, struct error *err)
{
	must(delivery->item.state == ITEM_COLLECTING);
	if (!charge(delivery))
		return refuse_busy(err, "one more transfer");
	if (!charge_answer(delivery, err) || !open_transfer(delivery, err)) {
		discharge(delivery);
		return false;
	}
	channel_tell(delivery->order.channel, CHANNEL_START);
	delivery_move(delivery, ITEM_STREAMING);
	send_collected(delivery, keep, credits);
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
delivery_write(struct delivery *delivery, const char *data, size_t len, size_t *credits)
{
	while (len > 0) {
		struct chunk *chunk = delivery->open;
		uint32_t n;

		if (chunk == NULL) {
			must(*credits > 0);
			(*credits)--;
			chunk = delivery->open = pool_draw(pool_of(delivery), POOL_STREAM);
		}
		n = CHUNK_SIZE - chunk->end < len ? CHUNK_SIZE - chunk->end : (uint32_t)len;
		memcpy(chunk->data + chunk->end, data, n);
		chunk->end += n;
		data += n;
		len -= n;
		if (chunk->end == CHUNK_SIZE)
			push_open_chunk(delivery);
	}
}

/* With a channel half full or more the transfer has enough to do, so small pieces are gathered; and where there is next to
 * nothing in the chunk, with any at all: a client that drips shall not hold a chunk for each drop. */
static unsigned
room_to_push(const struct delivery *delivery)
{
	return delivery->open->end < CHUNK_SIZE / 8 ? delivery->order.slots : delivery->order.slots / 2;
}

void
delivery_flush(struct delivery *delivery)
{
	struct channel *channel = delivery->order.channel;

	if (delivery->item.state != ITEM_STREAMING)
		return;
	if (delivery->open != NULL && channel_want_space(channel, room_to_push(delivery)))
		push_open_chunk(delivery);
	setup_of(delivery)->outlets->pump(setup_of(delivery)->outlets->arg, &delivery->order);
}

void
delivery_finish(struct delivery *delivery)
{
	if (delivery->item.state == ITEM_COLLECTING) {
		delivery_move(delivery, ITEM_KEPT);
		return;
	}
	if (delivery->item.state != ITEM_STREAMING)
		return; /* the transfer has ended before: its outcome says why */
	if (delivery->open != NULL)
		push_open_chunk(delivery);
	channel_tell(delivery->order.channel, CHANNEL_FINISH);
	delivery_move(delivery, ITEM_SENDING);
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
	plan_forbid_undo(txn_plan(delivery->txn), &delivery->item);
	if (delivery->item.state == ITEM_COMMITTING)
		delivery_cancel(delivery);
	else if (delivery->item.state == ITEM_UNDOING)
		channel_tell(delivery->order.channel, CHANNEL_CANCEL);
}
