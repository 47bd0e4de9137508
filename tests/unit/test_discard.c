// SPDX-License-Identifier: MIT
/* test_discard.c - a discard keeps to the channel's protocol: bytes go back to the pool, and an end is told once. */
#include "lib/check.h"
#include "sink/sink.h"

#include "base/mem.h"
#include "sink/discard/settings.h"

static unsigned news;

static void
on_news(void *arg, unsigned bits)
{
	(void)arg;
	news |= bits;
}

static void
it_takes_all_and_can_be_taken_back(void **state)
{
	struct error err = { 0 };
	struct loop *loop = loop_new(&err);
	struct pool *pool = pool_new(64 * CHUNK_SIZE, &err);
	struct engine engine = { .loop = loop };
	struct sink_place place = { .engine = &engine, .pool = pool };
	struct destination to = { .kind = kind_find(STR("discard")) };
	struct order order = { .to = &to, .slots = 4 };
	struct channel_side producer = { .box = loop_mailbox(loop), .on_mail = on_news };
	size_t before = pool_available(pool);
	struct chunk *chunk;

	(void)state;
	assert_true(sink_of(&to)->begin(&place, &order, &producer, &err));
	channel_tell(order.channel, CHANNEL_START);
	loop_deliver_rest(loop);
	assert_true(pool_set_aside(pool, 1, &chunk));
	channel_push(order.channel, chunk);
	assert_true(pool_available(pool) < before);
	sink_of(&to)->pump(&order);
	loop_deliver_rest(loop);
	assert_int_equal(pool_available(pool), before);
	channel_tell(order.channel, CHANNEL_FINISH);
	loop_deliver_rest(loop);
	assert_int_equal(news, CHANNEL_PREPARED);
	channel_tell(order.channel, CHANNEL_COMMIT);
	loop_deliver_rest(loop);
	assert_int_equal(order.outcome.state, OUTCOME_COMMITTED);
	channel_tell(order.channel, CHANNEL_UNDO);
	loop_deliver_rest(loop);
	assert_int_equal(order.outcome.state, OUTCOME_UNDONE);
	assert_int_equal(news, CHANNEL_PREPARED | CHANNEL_ENDED | CHANNEL_UNDONE);
	channel_tell(order.channel, CHANNEL_CLOSE);
	loop_deliver_rest(loop);
	assert_int_equal(counter_read(&engine.transfers), 0);
	pool_free(pool);
	loop_free(loop);
}

/* Of three chunks, two are held at a time: with the second one both go. */
static void
it_holds_what_it_has_memory_for(void **state)
{
	struct error err = { 0 };
	struct loop *loop = loop_new(&err);
	struct pool *pool = pool_new(64 * CHUNK_SIZE, &err);
	struct engine engine = { .loop = loop };
	struct sink_place place = { .engine = &engine, .pool = pool };
	struct discard_settings settings = { .memory = 2 * CHUNK_SIZE };
	struct destination to = { .kind = kind_find(STR("discard")), .settings = &settings.common };
	struct order order = { .to = &to, .slots = 4 };
	struct channel_side producer = { .box = loop_mailbox(loop), .on_mail = on_news };
	struct reserve_user other = { 0 };
	size_t before;

	(void)state;
	news = 0;
	assert_true(pool_reserve_ahead(pool, 2));
	order.reserve = reserve_new(pool, 2);
	before = pool_available(pool);
	assert_true(sink_of(&to)->begin(&place, &order, &producer, &err));
	other.channel = order.channel;
	channel_tell(order.channel, CHANNEL_START);
	for (size_t i = 0; i < 3; i++) {
		assert_true(pool_reserve(pool, 1, POOL_STREAM));
		channel_push(order.channel, pool_draw(pool, POOL_STREAM));
		loop_deliver_rest(loop);
		sink_of(&to)->pump(&order);
		loop_deliver_rest(loop);
		assert_int_equal(
			pool_available(pool), before); /* the chunk's place in the stream is free at once */
		assert_int_equal(reserve_take(order.reserve, &other, 1), i == 1); /* it has all of it, or nothing */
		reserve_forget(order.reserve, &other);
		if (i == 1)
			reserve_put(order.reserve, 1);
	}
	assert_true(pool_reserve(pool, 1, POOL_STREAM));
	channel_push(order.channel, pool_draw(pool, POOL_STREAM));
	sink_of(&to)->pump(&order);
	loop_deliver_rest(loop);
	assert_true(reserve_take(order.reserve, &other, 1)); /* now nothing is left to hold more */
	assert_true(pool_reserve(pool, 1, POOL_STREAM));
	channel_push(order.channel, pool_draw(pool, POOL_STREAM));
	sink_of(&to)->pump(&order);
	channel_tell(order.channel, CHANNEL_FINISH);
	loop_deliver_rest(loop);
	assert_int_equal(pool_available(pool), before - 1);
	assert_int_equal(news, 0);
	reserve_put(order.reserve, 1);
	loop_deliver_rest(loop);
	assert_int_equal(pool_available(pool), before);
	assert_int_equal(news, CHANNEL_PREPARED);
	channel_tell(order.channel, CHANNEL_CANCEL);
	loop_deliver_rest(loop);
	channel_tell(order.channel, CHANNEL_CLOSE);
	loop_deliver_rest(loop);
	reserve_release(order.reserve);
	pool_free(pool);
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_takes_all_and_can_be_taken_back),
		cmocka_unit_test(it_holds_what_it_has_memory_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
