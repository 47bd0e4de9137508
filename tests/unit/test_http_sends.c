// SPDX-License-Identifier: MIT
/* test_http_sends.c - in which sends an object goes to a store: what is kept whole, a stream in small ones until there is more and
 * memory for it, and never not at all. */
#include "lib/one_order.h"

#include "lib/check.h"
#include "lib/until.h"

#include <stdio.h>

#define LENGTH 100000

/* [wrapped] The loop's clock stands still but where a test moves it, so that no stream is slow because the machine is. */
uint64_t __wrap_clock_now_ms(void);

static uint64_t now_ms = 1000000;

uint64_t
__wrap_clock_now_ms(void)
{
	return now_ms;
}

struct pieces {
	const size_t *sizes;
	size_t n;
};

static void
tells_of_each_piece(struct peer *peer, const void *arg)
{
	const struct pieces *pieces = arg;

	peer_read_head(peer);
	for (size_t i = 0; i < pieces->n; i++) {
		peer_read_bytes(peer, pieces->sizes[i]);
		peer_tell(peer);
	}
	if (peer_read(peer))
		peer_say(peer, ONE_OK_ANSWER);
}

static void
what_is_kept_is_sent_at_the_commit(void **state)
{
	static const size_t sizes[] = { 0, 3, 16384, 60000, 65536, 200000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (int at_once = 0; at_once < 2; at_once++) {
			char log[100];

			one_begin_case(peer_answers, ONE_OK_ANSWER);
			one_keep(sizes[i]);
			one_open();
			if (!at_once) {
				one_tell(CHANNEL_START | CHANNEL_FINISH);
				one_until_news(CHANNEL_PREPARED);
				one_tell(CHANNEL_COMMIT);
			} else {
				one_tell(CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
			}
			one_until_committed();
			assert_string_equal(sent.order.outcome.location, "/there");
			assert_string_equal(sent.order.outcome.type, "text/x");
			if (sizes[i] > 40)
				snprintf(log, sizeof log, "1 PUT /x %d good bytes\n", (int)sizes[i]);
			else
				snprintf(log, sizeof log, "1 PUT /x %.*s\n", (int)sizes[i], "abcd");
			one_end_case(log);
		}
}

/* What would be gathered is read as it lies. */
static void
without_room_to_gather_it_is_sent_all_the_same(void **state)
{
	struct chunk *all = NULL;
	size_t n;

	(void)state;
	one_begin_case(peer_answers, ONE_OK_ANSWER);
	one_keep(60000);
	n = pool_keepable(one_pool);
	assert_true(pool_set_aside(one_pool, n, &all));
	one_open();
	one_tell(CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
	one_until_committed();
	pool_take_back(one_pool, &all);
	one_end_case("1 PUT /x 60000 good bytes\n");
}

/* As every stream begins: with what was collected. And where nothing more can be charged. */
static void
sends_are_small_without_more_to_send_or_room(void **state)
{
	static const size_t lengths[] = { 16384, LENGTH };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct chunk *all = NULL;
		size_t taken = i == 0 ? 0 : pool_keepable(one_pool);

		one_begin_case(one_waits_for_the_tail, &lengths[i]);
		assert_true(taken == 0 || pool_set_aside(one_pool, taken, &all));
		one_stream(lengths[i]);
		until_told(1);
		assert_int_equal(pool_available(one_pool), pool_total(one_pool) - taken);
		pool_take_back(one_pool, &all);
		one_tell(CHANNEL_FINISH | CHANNEL_COMMIT);
		one_until_committed();
		one_end_case(i == 0 ? "1 PUT /x 16384 good bytes\n" : "1 PUT /x 100000 good bytes\n");
	}
}

/* Much less than libcurl has room for, again and again: without memory for more, from a client that stops after each piece, and to a
 * store that takes one piece after the other. Each of them arrives before the next one is sent. */
static void
a_stream_of_small_sends_never_stands_still(void **state)
{
	static const size_t pieces[] = { 1, 1000, 5000, 30000, 100000, 3 };
	struct pieces script = { pieces, sizeof pieces / sizeof pieces[0] };
	struct chunk *all = NULL;
	size_t all_of_it = 0;
	char log[100];

	(void)state;
	one_begin_case(tells_of_each_piece, &script);
	one_open();
	one_tell(CHANNEL_START);
	assert_true(pool_set_aside(one_pool, pool_keepable(one_pool), &all));
	for (size_t i = 0; i < script.n; i++) {
		one_push(pieces[i]);
		until_told((unsigned)i + 1);
		all_of_it += pieces[i];
	}
	pool_take_back(one_pool, &all);
	one_tell(CHANNEL_FINISH | CHANNEL_COMMIT);
	one_until_committed();
	snprintf(log, sizeof log, "1 PUT /x %zu good bytes\n", all_of_it);
	one_end_case(log);
}

/* Where memory is short, but for uploads that begin: a stream that is fast gets room for larger sends, one that is not
 * does not, and none does where new uploads would be refused. */
static void
a_fast_stream_has_more_where_memory_is_short(void **state)
{
	static const size_t pieces[] = { 131072, 131072 };
	struct pieces script = { pieces, sizeof pieces / sizeof pieces[0] };
	size_t all = pool_total(one_pool) - pool_streams(one_pool);

	(void)state;
	for (size_t left = all / 16; left <= all / 8; left++)
		for (int is_slow = 0; is_slow < 2; is_slow++) {
			struct chunk *taken = NULL;
			bool has_more = !is_slow && left > all / 16;

			one_begin_case(tells_of_each_piece, &script);
			assert_true(pool_set_aside(one_pool, pool_keepable(one_pool) - left, &taken));
			assert_true(pool_shortage(one_pool) > 0);
			one_stream(pieces[0]);
			until_told(1);
			now_ms += is_slow ? 1000 : 0;
			one_push(pieces[1]);
			until_told(2);
			assert_int_equal(pool_keepable(one_pool) < left, has_more);
			pool_take_back(one_pool, &taken);
			one_tell(CHANNEL_FINISH | CHANNEL_COMMIT);
			one_until_committed();
			one_end_case("1 PUT /x 262144 good bytes\n");
		}
}

/* What was collected of an object is in a chunk, and its first sends are small: they follow one another, so that the chunk does not wait
 * for as many turns of a busy loop. */
static void
small_sends_follow_one_another(void **state)
{
	static const size_t pieces[] = { 1, 16384 };
	struct pieces script = { pieces, sizeof pieces / sizeof pieces[0] };

	(void)state;
	one_begin_case(tells_of_each_piece, &script);
	one_stream(1);
	until_told(1);
	one_push(16384);
	until_turned();
	assert_int_equal(pool_available(one_pool), pool_total(one_pool));
	until_told(2);
	one_tell(CHANNEL_FINISH | CHANNEL_COMMIT);
	one_until_committed();
	one_end_case("1 PUT /x 16385 good bytes\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_sent_at_the_commit),
		cmocka_unit_test(without_room_to_gather_it_is_sent_all_the_same),
		cmocka_unit_test(sends_are_small_without_more_to_send_or_room),
		cmocka_unit_test(a_stream_of_small_sends_never_stands_still),
		cmocka_unit_test(a_fast_stream_has_more_where_memory_is_short),
		cmocka_unit_test(small_sends_follow_one_another),
	};

	return cmocka_run_group_tests(tests, one_set_up, one_tear_down);
}
