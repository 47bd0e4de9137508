// SPDX-License-Identifier: MIT
/* test_beside.c - two participants of one part, whose sinks a test plays: both get its bytes, which are written and kept once;
 * the slower one sets the pace; and whichever fails, the other is never told that it has got all. */
#include "lib/check.h"
#include "loop/loop.h"
#include "sink/directory/settings.h"
#include "txn/txn.h"

#include <string.h>

#define SLOTS 4
#define N 2

struct sink_side {
	struct order *order;
	struct channel *channel; /* NULL: not open any more */
	unsigned told;
};

static struct pool *pool;
static struct blocks *blocks;
static struct loop *loop;
static char names[N][8] = { "first", "second" };
static struct destination places[N] = { { .name = names[0], .at = names[0], .kind = &directory_kind },
	{ .name = names[1], .at = names[1], .kind = &directory_kind } };
static struct rule rule = { .to = &places[0] };
static struct sink_side sides[N];
static const struct destination *refuses_to_open;
static struct delivery *writer, *beside;

/* -- the sinks ------------------------------------------------------------------------------------------ */

static void
end(struct sink_side *side, enum outcome_state state)
{
	if (state == OUTCOME_NONE) {
		state = OUTCOME_ABORTED;
		error_set(&side->order->outcome.error, ERR_UPSTREAM, "it said no");
	}
	side->order->outcome.state = state;
	channel_report(side->channel, CHANNEL_ENDED);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct sink_side *side = arg;

	side->told |= orders;
	if (orders & CHANNEL_CANCEL)
		end(side, OUTCOME_ABORTED);
	else if (orders & CHANNEL_COMMIT)
		end(side, OUTCOME_COMMITTED);
	else if (orders & CHANNEL_FINISH)
		channel_report(side->channel, CHANNEL_PREPARED);
	if (orders & CHANNEL_UNDO) {
		side->order->outcome.state = OUTCOME_UNDONE;
		channel_report(side->channel, CHANNEL_UNDONE);
	}
	if (orders & CHANNEL_CLOSE) {
		channel_free(side->channel);
		side->channel = NULL;
	}
}

static bool
open_order(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct sink_side *side = &sides[order->to - places];
	struct channel_side consumer = { .box = loop_mailbox(loop), .on_mail = on_orders, .arg = side };

	(void)arg;
	if (order->to == refuses_to_open)
		return error_set(err, ERR_SYSTEM, "no descriptor is left");
	*side = (struct sink_side){ .order = order };
	side->channel = order->channel = channel_new(pool, producer, &consumer, order->slots, err);
	return order->channel != NULL;
}

static size_t
cost(void *arg, const struct order *order)
{
	(void)arg;
	(void)order;
	return 0;
}

static void
pump(void *arg, struct order *order)
{
	(void)arg;
	(void)order;
}

static const struct sinks sinks = { .cost = cost, .open = open_order, .pump = pump };

static void
on_news(void *arg)
{
	(void)arg;
}

/* -- a part --------------------------------------------------------------------------------------------- */

static int
set_up(void **state)
{
	struct txn_setup setup = { .sinks = &sinks, .on_news = on_news };
	struct error err = { 0 };
	struct txn *txn;

	(void)state;
	pool = pool_new(64 * CHUNK_SIZE, &err);
	setup.blocks = blocks = blocks_new(pool);
	loop = loop_new(&err);
	setup.box = loop_mailbox(loop);
	refuses_to_open = NULL;
	memset(sides, 0, sizeof sides);
	rule.buffer = false;
	txn = txn_new(&setup, &err);
	writer = txn_add(txn, &rule);
	beside = txn_add_beside(writer, &places[1]);
	if (beside == NULL)
		return -1;
	writer->order.slots = beside->order.slots = SLOTS;
	buf_add_text(&writer->target, "x");
	buf_add_text(&beside->target, "y");
	return 0;
}

/* What is not visible is given up; then every chunk must be back. */
static int
tear_down(void **state)
{
	struct txn *txn = writer->txn;

	(void)state;
	while (!txn_step(txn, TXN_GIVE_UP))
		loop_deliver_rest(loop);
	txn_free(txn);
	loop_deliver_rest(loop);
	blocks_free(blocks);
	assert_int_equal(pool_available(pool), pool_total(pool));
	pool_free(pool);
	loop_free(loop);
	return 0;
}

static void
start(void)
{
	struct error err = { 0 };
	size_t credits = 0;

	assert_true(delivery_start_stream(writer, txn_keep(writer->txn), &credits, &err));
	loop_deliver_rest(loop);
}

static size_t
held(void)
{
	return pool_total(pool) - pool_available(pool);
}

static void
bring(char byte, size_t len)
{
	static char bytes[SLOTS * CHUNK_SIZE];
	size_t credits = SLOTS + 1;

	memset(bytes, byte, len);
	assert_true(pool_reserve(pool, credits, POOL_STREAM));
	delivery_write(writer, bytes, len, &credits);
	pool_unreserve(pool, credits, POOL_STREAM);
	delivery_flush(writer);
}

/* Bytes of the next chunk, which must begin with `byte`. 0: there is none. */
static size_t
take_one(size_t i, char byte)
{
	struct chunk *chunk = channel_pop(sides[i].channel);
	size_t n;

	if (chunk == NULL)
		return 0;
	assert_int_equal(chunk->data[0], byte);
	n = chunk->end;
	pool_give(pool, chunk);
	return n;
}

static void
both_get_the_bytes_and_one_chunk_holds_them(void **state)
{
	(void)state;
	start();
	bring('a', CHUNK_SIZE + CHUNK_SIZE / 2);
	assert_int_equal(held(), 2);
	assert_int_equal(take_one(0, 'a'), CHUNK_SIZE);
	assert_int_equal(take_one(0, 'a'), CHUNK_SIZE / 2);
	assert_int_equal(held(), 2); /* the other has not read them */
	assert_int_equal(take_one(1, 'a'), CHUNK_SIZE);
	assert_int_equal(held(), 1);
	delivery_finish(writer);
	delivery_finish(beside); /* is done with the writer's */
	loop_deliver_rest(loop);
	assert_int_equal(take_one(1, 'a'), CHUNK_SIZE / 2);
	assert_int_equal(held(), 0);
	while (!txn_step(writer->txn, TXN_END))
		loop_deliver_rest(loop);
	assert_true(txn_is_whole(writer->txn));
}

/* The fast one has nothing to do, but what it could have would be one more chunk for the slow one. */
static void
the_slower_one_sets_the_pace(void **state)
{
	for (size_t slow = 0; slow < N; slow++) {
		if (slow > 0)
			set_up(state);
		start();
		bring('a', SLOTS / 2 * CHUNK_SIZE + CHUNK_SIZE / 2);
		while (take_one(1 - slow, 'a') > 0)
			;
		bring('a', CHUNK_SIZE / 4);
		assert_int_equal(take_one(1 - slow, 'a'), 0);
		assert_int_equal(held(), SLOTS);
		assert_int_equal(take_one(slow, 'a'), CHUNK_SIZE); /* there is room, and its channel says so */
		loop_deliver_rest(loop);
		assert_int_equal(take_one(1 - slow, 'a'), CHUNK_SIZE / 4);
		if (slow == 0)
			tear_down(state);
	}
}

/* A form that has failed brings no more bytes; those that still came are not for the one that has ended. */
static void
whoever_fails_nobody_is_told_that_he_has_all(void **state)
{
	for (size_t failing = 0; failing < N; failing++) {
		if (failing > 0)
			set_up(state);
		start();
		bring('a', CHUNK_SIZE);
		end(&sides[failing], OUTCOME_NONE);
		loop_deliver_rest(loop);
		if (writer->item.state == ITEM_STREAMING)
			bring('b', CHUNK_SIZE);
		assert_string_equal(txn_failure(writer->txn)->message, "it said no");
		if (failing == 0) {
			delivery_finish(writer);
			loop_deliver_rest(loop);
			assert_int_equal(sides[1].told & CHANNEL_FINISH, 0);
		}
		assert_false(txn_step(writer->txn, TXN_END)); /* the other one is being cancelled */
		loop_deliver_rest(loop);
		assert_true(sides[1 - failing].told & CHANNEL_CANCEL);
		assert_true(txn_step(writer->txn, TXN_END));
		assert_int_equal(writer->item.state, ITEM_GONE);
		assert_int_equal(beside->item.state, ITEM_GONE);
		if (failing == 0)
			tear_down(state);
	}
}

static void
one_that_cannot_be_opened_fails_the_part(void **state)
{
	for (size_t i = 0; i < N; i++) {
		struct error err = { 0 };
		size_t credits = 0;

		if (i > 0)
			set_up(state);
		refuses_to_open = &places[i];
		assert_false(delivery_start_stream(writer, txn_keep(writer->txn), &credits, &err));
		assert_string_equal(err.message, "no descriptor is left");
		while (!txn_step(writer->txn, TXN_GIVE_UP))
			loop_deliver_rest(loop);
		assert_int_equal(writer->item.state, ITEM_GONE);
		assert_int_equal(beside->item.state, ITEM_GONE);
		if (i == 0)
			tear_down(state);
	}
}

/* -- what is kept --------------------------------------------------------------------------------------- */

static void
keep(struct keep *keep, const char *text)
{
	assert_true(keep_add(keep, &writer->order.kept, text, strlen(text)));
	delivery_finish(writer);
	assert_int_equal(beside->item.state, ITEM_KEPT);
}

static void
assert_kept(const struct order *order, const char *text)
{
	size_t len;
	const char *data = kept_at(&order->kept, 0, &len);

	assert_true(order->is_kept);
	assert_int_equal(order->length, strlen(text));
	assert_int_equal(len, strlen(text));
	assert_memory_equal(data, text, len);
}

static void
what_is_kept_is_kept_once_and_sent_by_each(void **state)
{
	(void)state;
	keep(txn_keep(writer->txn), "hello");
	while (!txn_step(writer->txn, TXN_END))
		loop_deliver_rest(loop);
	assert_true(txn_is_whole(writer->txn));
	for (size_t i = 0; i < N; i++)
		assert_kept(sides[i].order, "hello");
	assert_ptr_equal(sides[0].order->kept.first, sides[1].order->kept.first);
}

/* The writer is given up before it was started, and its own keep must stay for the one that was. */
static void
what_one_sends_stays_when_the_other_is_given_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	rule.buffer = true;
	keep(&writer->own_keep, "hello");
	assert_true(delivery_start_kept(beside, false, &err));
	delivery_cancel(writer);
	assert_int_equal(writer->item.state, ITEM_GONE);
	assert_int_equal(held(), 1);
	assert_kept(sides[1].order, "hello");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(both_get_the_bytes_and_one_chunk_holds_them),
		CASE(the_slower_one_sets_the_pace),
		CASE(whoever_fails_nobody_is_told_that_he_has_all),
		CASE(one_that_cannot_be_opened_fails_the_part),
		CASE(what_is_kept_is_kept_once_and_sent_by_each),
		CASE(what_one_sends_stays_when_the_other_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
