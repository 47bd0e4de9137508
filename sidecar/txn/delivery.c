// SPDX-License-Identifier: MIT
/* delivery.c - see delivery.h.
 *
 * The chunk being filled is pushed when it is full, when a piece of body has ended and the
 * transfer has little left, or at the end. While a slow destination has enough to do, small pieces are
 * gathered in one chunk instead of spending a chunk on each. */
#include "txn/delivery.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"

#include <string.h>

static const unsigned may_become[] = {
	[DELIVERY_COLLECTING] = BIT(DELIVERY_STREAMING) | BIT(DELIVERY_KEPT) | BIT(DELIVERY_ENDED),
	[DELIVERY_KEPT] = BIT(DELIVERY_SENDING) | BIT(DELIVERY_COMMITTING) | BIT(DELIVERY_ENDED),
	[DELIVERY_STREAMING] = BIT(DELIVERY_SENDING) | BIT(DELIVERY_CANCELLING) | BIT(DELIVERY_ENDED),
	[DELIVERY_SENDING] = BIT(DELIVERY_PREPARED) | BIT(DELIVERY_COMMITTING) | BIT(DELIVERY_CANCELLING) |
		BIT(DELIVERY_ENDED),
	[DELIVERY_PREPARED] = BIT(DELIVERY_COMMITTING) | BIT(DELIVERY_CANCELLING) | BIT(DELIVERY_ENDED),
	[DELIVERY_COMMITTING] = BIT(DELIVERY_CANCELLING) | BIT(DELIVERY_ENDED),
	[DELIVERY_CANCELLING] = BIT(DELIVERY_ENDED),
	[DELIVERY_UNDOING] = BIT(DELIVERY_ENDED),
	[DELIVERY_ENDED] = BIT(DELIVERY_UNDOING),
};

static void
delivery_move(struct delivery *delivery, enum delivery_state to)
{
	must(state_may_become(may_become, (int)delivery->state, (int)to));
	delivery->state = to;
}

struct delivery *
delivery_new(const struct rule *rule, const struct outlets *outlets, struct blocks *blocks)
{
	struct delivery *delivery = mem_zalloc(sizeof *delivery);

	if (delivery == NULL)
		return NULL;
	delivery->rule = rule;
	delivery->outlets = outlets;
	delivery->pool = blocks != NULL ? blocks_pool(blocks) : NULL;
	delivery->order.to = rule->to;
	delivery->order.method = rule->method;
	delivery->order.length = ORDER_LENGTH_UNKNOWN;
	keep_init(&delivery->own_keep, blocks);
	return delivery;
}

static void
drop_open_chunk(struct delivery *delivery)
{
	if (delivery->open != NULL)
		pool_give(delivery->pool, delivery->open);
	delivery->open = NULL;
}

void
delivery_free(struct delivery *delivery)
{
	if (delivery == NULL)
		return;
	must(delivery->order.channel == NULL || delivery->state == DELIVERY_ENDED);
	if (delivery->order.channel != NULL)
		channel_tell(delivery->order.channel, CHANNEL_CLOSE);
	drop_open_chunk(delivery);
	keep_fini(&delivery->own_keep);
	buf_free(&delivery->order.outcome.body);
	if (delivery->answer != NULL)
		pool_take_back(delivery->pool, &delivery->answer);
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
		pool_set_aside(delivery->pool, OUTCOME_BODY_MAX / CHUNK_SIZE, &delivery->answer))
		return true;
	return refuse_busy(err, "the upstream's answer");
}

static bool
reserve_for(struct delivery *delivery, size_t unit)
{
	if (!pool_set_aside(delivery->pool, unit / CHUNK_SIZE + 1, &delivery->charged))
		return false;
	delivery->order.unit = unit;
	return true;
}

/* A transfer to an HTTP destination holds a buffer for one send and a connection, until the commit: with many parts
 * in a form that is more than their bytes, so it is charged to the budget. Files hold next to nothing. */
static bool
charge(struct delivery *delivery)
{
	if (delivery->order.to->type != DESTINATION_HTTP)
		return true;
	return reserve_for(delivery, unit_for(delivery->pool, delivery->order.unit)) ||
		reserve_for(delivery, STREAM_UNIT_MIN);
}

size_t
delivery_held(const struct delivery *delivery)
{
	size_t chunks = (delivery->open != NULL) +
		(delivery->charged != NULL ? delivery->order.unit / CHUNK_SIZE + 1 : 0) +
		(delivery->answer != NULL ? OUTCOME_BODY_MAX / CHUNK_SIZE : 0);

	return delivery->own_keep.held + chunks * CHUNK_SIZE;
}

static void
discharge(struct delivery *delivery)
{
	pool_take_back(delivery->pool, &delivery->charged);
}

/* [request's thread] Mail from the transfer. ENDED is its last word, so it is looked at last. */
static void
on_news(void *arg, unsigned news)
{
	struct delivery *delivery = arg;

	if ((news & CHANNEL_PREPARED) && delivery->state == DELIVERY_SENDING)
		delivery_move(delivery, DELIVERY_PREPARED);
	if (news & (CHANNEL_ENDED | CHANNEL_UNDONE)) {
		delivery_move(delivery, DELIVERY_ENDED);
		drop_open_chunk(delivery);
		discharge(delivery);
	}
	if ((news & CHANNEL_SPACE) && delivery->state == DELIVERY_STREAMING)
		delivery_flush(delivery);
	delivery->on_change(delivery->on_change_arg, delivery);
}

static bool
open_transfer(struct delivery *delivery, struct mailbox *box, struct error *err)
{
	struct channel_side producer = { .box = box, .on_mail = on_news, .arg = delivery };

	if (delivery->target.failed || delivery->type.failed)
		return error_set(err, ERR_NOMEM, "out of memory");
	delivery->order.target = delivery->target.data;
	delivery->order.type = delivery->type.len > 0 ? delivery->type.data : NULL;
	return delivery->outlets->open(delivery->outlets->arg, &delivery->order, &producer, err);
}

bool
delivery_start_stream(struct delivery *delivery, struct mailbox *producer_box, struct error *err)
{
	must(delivery->state == DELIVERY_COLLECTING);
	if (!charge(delivery))
		return refuse_busy(err, "one more transfer");
	if (!charge_answer(delivery, err) || !open_transfer(delivery, producer_box, err)) {
		discharge(delivery);
		return false;
	}
	channel_tell(delivery->order.channel, CHANNEL_START);
	delivery_move(delivery, DELIVERY_STREAMING);
	return true;
}

bool
delivery_start_kept(struct delivery *delivery, struct mailbox *producer_box, bool commit, struct error *err)
{
	must(delivery->state == DELIVERY_KEPT);
	delivery->order.slots = 1; /* nothing goes through the ring */
	delivery->order.is_kept = true;
	delivery->order.length = delivery->order.kept.length;
	if (!charge_answer(delivery, err) || !open_transfer(delivery, producer_box, err))
		return false;
	channel_tell(delivery->order.channel, CHANNEL_START | CHANNEL_FINISH | (commit ? CHANNEL_COMMIT : 0u));
	delivery_move(delivery, commit ? DELIVERY_COMMITTING : DELIVERY_SENDING);
	return true;
}

static void
push_open_chunk(struct delivery *delivery)
{
	channel_push(delivery->order.channel, delivery->open);
	delivery->open = NULL;
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
			chunk = delivery->open = pool_draw(delivery->pool, POOL_STREAM);
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

	if (delivery->state != DELIVERY_STREAMING)
		return;
	if (delivery->open != NULL && channel_want_space(channel, room_to_push(delivery)))
		push_open_chunk(delivery);
	delivery->outlets->pump(delivery->outlets->arg, &delivery->order);
}

void
delivery_finish(struct delivery *delivery)
{
	if (delivery->state == DELIVERY_COLLECTING) {
		delivery_move(delivery, DELIVERY_KEPT);
		return;
	}
	if (delivery->state != DELIVERY_STREAMING)
		return; /* the transfer has ended before: its outcome says why */
	if (delivery->open != NULL)
		push_open_chunk(delivery);
	channel_tell(delivery->order.channel, CHANNEL_FINISH);
	delivery_move(delivery, DELIVERY_SENDING);
}

void
delivery_commit(struct delivery *delivery)
{
	channel_tell(delivery->order.channel, CHANNEL_COMMIT);
	delivery_move(delivery, DELIVERY_COMMITTING);
}

void
delivery_cancel(struct delivery *delivery)
{
	if (delivery->order.channel == NULL) { /* nothing had been started, so it ends here and now */
		delivery->order.outcome.state = OUTCOME_ABORTED;
		delivery_move(delivery, DELIVERY_ENDED);
		keep_fini(&delivery->own_keep);
		return;
	}
	channel_tell(delivery->order.channel, CHANNEL_CANCEL);
	delivery_move(delivery, DELIVERY_CANCELLING);
	drop_open_chunk(delivery);
}

void
delivery_undo(struct delivery *delivery)
{
	must(delivery->order.outcome.state == OUTCOME_COMMITTED);
	delivery_move(delivery, DELIVERY_UNDOING);
	channel_tell(delivery->order.channel, CHANNEL_UNDO);
}

void
delivery_cut(struct delivery *delivery)
{
	if (delivery->order.to->type != DESTINATION_HTTP)
		return;
	if (delivery->state == DELIVERY_COMMITTING)
		delivery_cancel(delivery);
	else if (delivery->state == DELIVERY_UNDOING)
		channel_tell(delivery->order.channel, CHANNEL_CANCEL);
}
