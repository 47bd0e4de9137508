// SPDX-License-Identifier: MIT
/* test_discard.c - a discard keeps to the channel's protocol: bytes go back to the pool, and an end is told once. */
#include "lib/check.h"
#include "sink/sink.h"

#include "base/mem.h"
#include "config/kind.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_takes_all_and_can_be_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
