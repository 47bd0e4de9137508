// SPDX-License-Identifier: MIT
/* A delivery whose destination takes nothing holds what its client brought, and not a chunk for each time that it brought
 * something; and whatever was pushed late arrives. */
#include "lib/check.h"
#include "loop/loop.h"
#include "sink/directory/settings.h"
#include "txn/txn.h"

#include <string.h>

#define SLOTS 16

static struct pool *pool;
static struct blocks *blocks;
static struct loop *loop;
static char name[] = "folder";
static struct destination folder = { .name = name, .kind = &directory_kind };
static struct rule rule = { .to = &folder };
static unsigned n_pumped;

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	pool = pool_new(256 * CHUNK_SIZE, &err);
	blocks = pool != NULL ? blocks_new(pool) : NULL;
	loop = loop_new(&err);
	return blocks != NULL && loop != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	blocks_free(blocks);
	pool_free(pool);
	return 0;
}

/* -- a destination that is asked by hand -------------------------------------------------------------- */

/* The channel of the one order of a test: when it closes, the delivery that held the order is gone. */
static struct channel *opened;

static void
on_orders(void *arg, unsigned orders)
{
	(void)arg;
	if (orders & CHANNEL_CANCEL)
		channel_report(opened, CHANNEL_ENDED);
	if (orders & CHANNEL_CLOSE)
		channel_free(opened);
}

static size_t transfer_cost;

static size_t
cost(void *arg, const struct order *order)
{
	(void)arg;
	(void)order;
	return transfer_cost;
}

static bool
open_order(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct channel_side consumer = { .box = loop_mailbox(loop), .on_mail = on_orders };

	(void)arg;
	opened = order->channel = channel_new(pool, producer, &consumer, order->slots, err);
	return order->channel != NULL;
}

static void
pump(void *arg, struct order *order)
{
	(void)arg;
	(void)order;
	n_pumped++;
}

static const struct sinks sinks = { .cost = cost, .open = open_order, .pump = pump };

static void
on_news(void *arg)
{
	(void)arg;
}

static struct delivery *
prepare(size_t piece)
{
	struct txn_setup setup = {
		.sinks = &sinks, .blocks = blocks, .piece = piece, .box = loop_mailbox(loop), .on_news = on_news
	};
	struct error err = { 0 };
	struct txn *txn = txn_new(&setup, &err);
	struct delivery *delivery = txn != NULL ? txn_add(txn, &rule) : NULL;

	assert_non_null(delivery);
	delivery->order.slots = SLOTS;
	buf_add_text(&delivery->target, "name");
	return delivery;
}

static bool
start(struct delivery *delivery, struct error *err)
{
	size_t credits = 0;

	return delivery_start_stream(delivery, txn_keep(delivery->txn), &credits, err);
}

static struct delivery *
begin(void)
{
	struct delivery *delivery = prepare(0);
	struct error err = { 0 };

	assert_true(start(delivery, &err));
	return delivery;
}

static void
end(struct delivery *delivery)
{
	delivery_cancel(delivery);
	loop_deliver_rest(loop);
	assert_true(delivery_has_ended(delivery));
	txn_free(delivery->txn);
	loop_deliver_rest(loop);
	assert_int_equal(pool_available(pool), pool_total(pool));
}

static void
bring(struct delivery *delivery, size_t len)
{
	static const char zeros[CHUNK_SIZE];
	size_t credits = 3, before = 3;

	assert_true(pool_reserve(pool, credits, POOL_STREAM));
	delivery_write(delivery, zeros, len, &credits);
	assert_true(credits <= before);
	pool_unreserve(pool, credits, POOL_STREAM);
	delivery_flush(delivery);
}

static size_t
held(void)
{
	return pool_total(pool) - pool_available(pool);
}

static size_t
take_one(struct delivery *delivery)
{
	struct chunk *chunk = channel_pop(delivery->order.channel);
	size_t n;

	if (chunk == NULL)
		return 0;
	n = chunk->end;
	pool_give(pool, chunk);
	loop_deliver_rest(loop);
	return n;
}

static void
drops_do_not_take_a_chunk_each(void **state)
{
	struct delivery *delivery = begin();
	size_t got = 0, n;

	(void)state;
	for (int i = 0; i < 1000; i++)
		bring(delivery, 1);
	assert_true(held() <= 2);
	while ((n = take_one(delivery)) > 0)
		got += n;
	assert_int_equal(got, 1000);
	end(delivery);
}

/* A destination that has taken all gets what there is at once, however little. */
static void
the_first_drop_is_on_its_way_at_once(void **state)
{
	struct delivery *delivery = begin();

	(void)state;
	for (int i = 0; i < 3; i++) {
		n_pumped = 0;
		bring(delivery, 1);
		assert_int_equal(n_pumped, 1);
		assert_int_equal(take_one(delivery), 1);
	}
	end(delivery);
}

static void
what_would_come_back_is_counted(void **state)
{
	struct delivery *delivery = begin();

	(void)state;
	assert_int_equal(delivery_held(delivery), 0);
	bring(delivery, 1); /* pushed: on its way */
	bring(delivery, 1); /* gathered */
	assert_int_equal(delivery_held(delivery), CHUNK_SIZE);
	end(delivery);
}

/* No transfer goes on for which there is no room. */
static void
what_a_transfer_costs_is_charged(void **state)
{
	static const struct {
		size_t cost, chunks; /* no chunks: refused */
	} cases[] = { { 1, 1 }, { CHUNK_SIZE, 1 }, { CHUNK_SIZE + 1, 2 }, { 192 * CHUNK_SIZE, 192 },
		{ 192 * CHUNK_SIZE + 1, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct delivery *delivery = prepare(1 << 20);
		struct error err = { 0 };
		bool is_refused = cases[i].chunks == 0;

		transfer_cost = cases[i].cost;
		assert_true(start(delivery, &err) == !is_refused);
		assert_int_equal(err.kind, is_refused ? ERR_BUSY : ERR_NONE);
		assert_int_equal(held(), cases[i].chunks);
		assert_int_equal(delivery_held(delivery), is_refused ? 0 : cases[i].cost);
		end(delivery);
	}
	transfer_cost = 0;
}

/* What was collected of it makes room for what it costs: a pool in which nothing more can be kept bears one more stream. */
static void
what_was_collected_makes_room(void **state)
{
	struct delivery *delivery = prepare(0);
	struct error err = { 0 };
	struct chunk *rest = NULL;
	size_t credits = DELIVERY_START_CHUNKS;

	(void)state;
	assert_true(keep_add(txn_keep(delivery->txn), &delivery->order.kept, "0123456789", 10));
	assert_true(pool_reserve(pool, credits, POOL_STREAM));
	assert_true(pool_set_aside(pool, pool_keepable(pool), &rest));
	transfer_cost = CHUNK_SIZE;
	assert_true(delivery_start_stream(delivery, txn_keep(delivery->txn), &credits, &err));
	assert_int_equal(pool_keepable(pool), 0);
	transfer_cost = 0;
	pool_unreserve(pool, credits, POOL_STREAM);
	pool_take_back(pool, &rest);
	end(delivery);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drops_do_not_take_a_chunk_each),
		cmocka_unit_test(the_first_drop_is_on_its_way_at_once),
		cmocka_unit_test(what_would_come_back_is_counted),
		cmocka_unit_test(what_a_transfer_costs_is_charged),
		cmocka_unit_test(what_was_collected_makes_room),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
