// SPDX-License-Identifier: MIT
/* test_exchange_ends.c - what exchange.h tells of an end is what a server did that does what each case says; a request that is
 * stopped never becomes whole. */
#include "lib/asked.h"

#include "lib/check.h"
#include "lib/until.h"

#include <stdio.h>

/* -- how it ends ---------------------------------------------------------------------------------------- */

static void
has_a_long_line(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_say(peer, "HTTP/1.1 200 OK\r\nX: ");
	peer_say_many(peer, 'x', 300000);
	peer_read_end(peer);
}

static void
has_a_long_body(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		peer_say_many(peer, 'x', 100000);
	peer_read_end(peer);
}

struct end {
	const char *name;
	peer_script script;
	const char *arg;
	unsigned status;
	bool is_whole;
	enum error_kind kind;
	const char *why;
};

#define NOT_HTTP ERR_UPSTREAM, "its answer is not HTTP/1.1"
#define NO_FAULT ERR_NONE, NULL

static const struct end ends[] = {
	{ "an answer", peer_says, ASKED_OK, 201, true, NO_FAULT },
	{ "without a length", peer_says, "HTTP/1.1 200 OK\r\n\r\nall until the end", 200, true, NO_FAULT },
	{ "chunks", peer_says, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 200,
		true, NO_FAULT },
	{ "no", peer_says, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 503, true, NO_FAULT },
	{ "a line like a first one", peer_says, "HTTP/1.1 503 No\r\nHTTP/1.1 201: x\r\nContent-Length: 0\r\n\r\n",
		503, true, NO_FAULT },
	{ "a trailer like a first line", peer_says,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nHTTP/1.1 503: x\r\n\r\n", 200,
		true, NO_FAULT },
	{ "100 first", peer_says, "HTTP/1.1 100 Continue\r\n\r\n" ASKED_OK, 201, true, NO_FAULT },
	{ "103 first", peer_says, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" ASKED_OK, 201, true, NO_FAULT },
	{ "100 alone", peer_says, "HTTP/1.1 100 Continue\r\n\r\n", 0, false, ERR_UPSTREAM,
		"it closed the connection without an answer" },
	{ "none", peer_says, "", 0, false, ERR_UPSTREAM, "it closed the connection without an answer" },
	{ "a reset", peer_resets, NULL, 0, false, ERR_UPSTREAM, "it cut the connection" },
	{ "a short body", peer_says, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 200, false, ERR_UPSTREAM,
		"its answer was cut short" },
	{ "a chunk that breaks off", peer_says, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 200,
		false, ERR_UPSTREAM, "its answer was cut short" },
	{ "a head that breaks off", peer_says, "HTTP/1.1 200 OK\r\nX: y\r\n", 200, false, ERR_UPSTREAM,
		"its answer was cut short" },
	{ "no HTTP", peer_says, "SSH-2.0-x\r\n\r\n", 0, false, NOT_HTTP },
	{ "a long head", peer_floods, NULL, 200, false, ERR_UPSTREAM, "the head of its answer is too long" },
	{ "a long line", has_a_long_line, NULL, 200, false, ERR_UPSTREAM, "the head of its answer is too long" },
	{ "a long body", has_a_long_body, NULL, 200, true, NO_FAULT },
};

static void
check_end(const struct end *end, const char *method, enum exchange_body kind)
{
	struct asked asked = { .size = 3 };
	struct peer *peer = asked_start(end->script, end->arg);
	const struct exchange_result *result = &asked.result;

	asked_ask(&asked, peer, method, kind);
	exchange_free(asked.exchange);
	if (result->status != end->status || result->is_whole != end->is_whole || !result->was_complete ||
		result->was_early)
		fail_msg("%s, body %d: %u, whole %d, complete %d, early %d", end->name, (int)kind, result->status,
			result->is_whole, result->was_complete, result->was_early);
	if (end->why != NULL && (result->kind != end->kind || strcmp(result->why, end->why) != 0))
		fail_msg("%s, body %d: %s", end->name, (int)kind, result->why);
	peer_end(peer);
}

static void
each_end_is_told_as_it_is(void **state)
{
	static const enum exchange_body kinds[] = { EXCHANGE_NO_BODY, EXCHANGE_WHOLE, EXCHANGE_READ,
		EXCHANGE_STREAM };

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
			check_end(&ends[i], "PUT", kinds[k]);
			check_end(&ends[i], "POST", kinds[k]);
		}
}

static const struct {
	const char *answer;
	unsigned status;
} early[] = { { ASKED_OK, 201 }, { "HTTP/1.1 413 Too long\r\nContent-Length: 0\r\n\r\n", 413 } };

/* The rest of a stream is never sent, so that it cannot become whole. */
static void
an_early_answer_is_told_as_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof early / sizeof early[0]; i++) {
		struct asked asked = { .size = 10, .is_open = true };
		struct peer *peer = asked_start(peer_says_early, early[i].answer);

		asked_ask(&asked, peer, "PUT", EXCHANGE_STREAM);
		assert_int_equal(asked.result.status, early[i].status);
		assert_true(asked.result.was_early);
		assert_false(asked.result.was_complete);
		assert_string_equal(peer_join(peer), "1 PUT /a abcdefghij...\n1 closed\n");
		asked_end(&asked, peer);
	}
}

static void
says_before_it_reads(struct peer *peer, const void *arg)
{
	peer_read_head(peer);
	peer_say(peer, arg);
	peer_wait(peer);
	peer_read_end(peer);
}

/* Nothing of it is left to be asked for, and the other side has not got it. */
static void
an_answer_to_what_is_still_under_way_is_an_early_one(void **state)
{
	struct asked asked = { .size = ASKED_WHOLE_MAX };
	struct peer *peer = asked_start(
		says_before_it_reads, "HTTP/1.1 201 Made\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

	(void)state;
	asked_ask(&asked, peer, "PUT", EXCHANGE_WHOLE);
	assert_int_equal(asked.result.status, 201);
	assert_true(asked.result.was_complete && asked.result.was_early);
	peer_go(peer);
	asked_end(&asked, peer);
}

static void
leaves_in_the_middle(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read_head(peer);
	peer_read_bytes(peer, 10);
	peer_close(peer);
	peer_tell(peer);
}

/* libcurl 7.88 sees it with the next bytes that it has to send, and no sooner. */
static void
a_connection_lost_in_the_middle_has_not_become_whole(void **state)
{
	struct asked asked = { .size = 10, .is_open = true };
	struct peer *peer = asked_start(leaves_in_the_middle, NULL);

	(void)state;
	asked_begin(&asked, peer, "PUT", EXCHANGE_STREAM);
	until_told(1);
	while (asked.n_done == 0) {
		asked.size++;
		exchange_resume(asked.exchange);
		until_turned();
	}
	assert_int_equal(asked.result.status, 0);
	assert_false(asked.result.is_whole || asked.result.was_complete || asked.result.was_early);
	assert_int_equal(asked.result.kind, ERR_UPSTREAM);
	asked_end(&asked, peer);
}

/* -- time, and nobody there ------------------------------------------------------------------------------ */

/* On a machine that is slow the time may be over before the request is away: then it is asked once more. */
static void
check_silence(uint64_t idle_ms, uint64_t total_ms, const char *why)
{
	bool was_complete = false;

	while (!was_complete) {
		struct asked asked = { .size = 3, .to.idle_ms = idle_ms };
		struct peer *peer = asked_start(peer_owes, NULL);

		asked.request.total_at_ms = total_ms > 0 ? clock_now_ms() + total_ms : 0;
		asked_ask(&asked, peer, "PUT", EXCHANGE_WHOLE);
		was_complete = asked.result.was_complete;
		assert_int_equal(asked.result.status, 0);
		assert_false(asked.result.is_whole || asked.result.was_early);
		assert_int_equal(asked.result.kind, ERR_UPSTREAM_TIMEOUT);
		assert_string_equal(asked.result.why, why);
		if (was_complete)
			assert_string_equal(peer_join(peer), "1 PUT /a abc\n1 closed\n");
		asked_end(&asked, peer);
	}
}

static void
silence_has_an_end(void **state)
{
	(void)state;
	check_silence(50, 0, "nothing moved for longer than timeout.idle");
	check_silence(0, 50, "it took longer than timeout.total");
}

static void
whoever_is_not_there_has_got_nothing(void **state)
{
	struct asked asked = { .size = 3 };
	struct peer *peer = peer_start_deaf();

	(void)state;
	asked_ask(&asked, peer, "PUT", EXCHANGE_WHOLE);
	assert_int_equal(asked.result.status, 0);
	assert_false(asked.result.is_whole || asked.result.was_complete);
	assert_int_equal(asked.result.kind, ERR_UPSTREAM);
	assert_string_equal(asked.result.why, "it refused the connection");
	asked_end(&asked, peer);
}

/* It comes up in the middle of the tries. */
static void
connecting_is_tried_again(void **state)
{
	struct asked asked = { .size = 3, .to.retry_connect = 12 };
	struct peer *peer = peer_start_deaf();

	(void)state;
	asked_begin(&asked, peer, "PUT", EXCHANGE_WHOLE);
	until_turned();
	assert_int_equal(asked.n_done, 0);
	assert_true(peer_listen(peer, peer_answers, ASKED_OK));
	asked_until_done(&asked);
	assert_int_equal(asked.result.status, 201);
	exchange_free(asked.exchange);
	peer_stop(peer);
	assert_string_equal(peer_join(peer), "1 PUT /a abc\n");
	peer_end(peer);
}

static void
only_looks(struct peer *peer, const void *arg)
{
	(void)arg;
	if (peer_accept(peer))
		peer_read_end(peer);
}

static void
a_connection_alone_can_be_had(void **state)
{
	struct asked asked = { 0 };
	struct peer *peer = asked_start(only_looks, NULL);

	(void)state;
	asked_ask(&asked, peer, "GET", EXCHANGE_CONNECT);
	assert_true(asked.result.is_whole);
	assert_string_equal(peer_join(peer), "1 closed\n");
	asked_end(&asked, peer);
	peer = peer_start_deaf();
	asked = (struct asked){ 0 };
	asked_ask(&asked, peer, "GET", EXCHANGE_CONNECT);
	assert_false(asked.result.is_whole);
	assert_string_equal(asked.result.why, "it refused the connection");
	asked_end(&asked, peer);
}

/* -- stopped ------------------------------------------------------------------------------------------- */

static void
reads_some(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read_head(peer);
	peer_read_bytes(peer, 10);
	peer_tell(peer);
	peer_read_end(peer);
}

static void
a_stream_that_is_stopped_never_becomes_whole(void **state)
{
	struct asked asked = { .size = 10, .is_open = true };
	struct peer *peer = asked_start(reads_some, NULL);

	(void)state;
	asked_begin(&asked, peer, "PUT", EXCHANGE_STREAM);
	until_told(1);
	assert_false(exchange_may_have_arrived(asked.exchange));
	exchange_stop(asked.exchange);
	assert_false(exchange_is_asking(asked.exchange));
	assert_string_equal(peer_join(peer), "1 PUT /a abcdefghij...\n1 closed\n");
	assert_int_equal(asked.n_done, 0);
	asked_end(&asked, peer);
}

static void
one_that_was_sent_may_have_arrived(void **state)
{
	static const enum exchange_body kinds[] = { EXCHANGE_NO_BODY, EXCHANGE_WHOLE, EXCHANGE_READ,
		EXCHANGE_STREAM };

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct asked asked = { .size = 3 };
		struct peer *peer = asked_start(peer_owes, NULL);

		until_forget();
		asked_begin(&asked, peer, "PUT", kinds[k]);
		until_told(1);
		assert_true(exchange_may_have_arrived(asked.exchange));
		exchange_stop(asked.exchange);
		peer_join(peer);
		assert_int_equal(asked.n_done, 0);
		asked_end(&asked, peer);
	}
}

static void
reads_in_two(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read_head(peer);
	peer_read_bytes(peer, 10);
	peer_tell(peer);
	peer_read(peer);
	peer_say(peer, ASKED_OK);
}

/* What comes later goes on, and its end completes it. */
static void
a_paused_stream_goes_on(void **state)
{
	struct asked asked = { .size = 10, .is_open = true };
	struct peer *peer = asked_start(reads_in_two, NULL);

	(void)state;
	asked_begin(&asked, peer, "PUT", EXCHANGE_STREAM);
	until_told(1);
	asked.size = ASKED_MAX;
	exchange_resume(asked.exchange);
	asked.is_open = false;
	exchange_resume(asked.exchange);
	asked_until_done(&asked);
	assert_int_equal(asked.result.status, 201);
	assert_true(asked.result.was_complete && !asked.result.was_early);
	assert_string_equal(peer_join(peer), "1 PUT /a 100000 good bytes\n");
	asked_end(&asked, peer);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, asked_begin_case, asked_end_case)
	const struct CMUnitTest tests[] = {
		CASE(each_end_is_told_as_it_is),
		CASE(an_early_answer_is_told_as_one),
		CASE(an_answer_to_what_is_still_under_way_is_an_early_one),
		CASE(a_connection_lost_in_the_middle_has_not_become_whole),
		CASE(silence_has_an_end),
		CASE(whoever_is_not_there_has_got_nothing),
		CASE(connecting_is_tried_again),
		CASE(a_connection_alone_can_be_had),
		CASE(a_stream_that_is_stopped_never_becomes_whole),
		CASE(one_that_was_sent_may_have_arrived),
		CASE(a_paused_stream_goes_on),
	};

	return cmocka_run_group_tests(tests, asked_set_up, asked_tear_down);
}
