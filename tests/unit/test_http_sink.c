// SPDX-License-Identifier: MIT
/* test_http_sink.c - a transfer to a store keeps to upload.h's life and channel.h's protocol, whatever the store does and
 * whenever it is cancelled: what the store has got, and what is said of it, fit. */
#include "lib/one_order.h"

#include "lib/check.h"
#include "lib/until.h"

#include <stdio.h>

#define LENGTH 100000

/* -- scripts --------------------------------------------------------------------------------------------- */

/* Answers the first request and owes the second one. */
static void
owes_the_second(struct peer *peer, const void *arg)
{
	peer_read(peer);
	peer_say(peer, ONE_OK_ANSWER);
	peer_owes(peer, arg);
}

static void
answers_and_then(struct peer *peer, const void *arg)
{
	const char *then = arg;

	peer_read(peer);
	peer_say(peer, ONE_OK_ANSWER);
	peer_read(peer);
	peer_say(peer, then);
	peer_close(peer);
	while (peer_read(peer)) {
		peer_say(peer, then);
		peer_close(peer);
	}
}

/* -- life ------------------------------------------------------------------------------------------------ */

/* With the tail held back until the commit, which lies in no chunk, and without. */
static void
a_stream_has_no_end_before_the_commit(void **state)
{
	static const size_t lengths[] = { LENGTH, LENGTH - ONE_TAIL };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one_begin_case(one_waits_for_the_tail, &lengths[i]);
		sent.settings.hold_every_ms = i == 0 ? LIMIT_NONE : YEAR_MS;
		sent.order.says_digest = i == 1; /* then it leaves with the end */
		one_stream(50000);
		one_push(LENGTH - 50000);
		until_told(1);
		assert_int_equal(sent.news & ~(unsigned)CHANNEL_SPACE, 0);
		sent.order.digest = "sha-256=:eA==:";
		one_tell(CHANNEL_FINISH);
		one_until_news(CHANNEL_PREPARED);
		assert_int_equal(pool_available(one_pool), pool_total(one_pool) - one_large_sends());
		one_tell(CHANNEL_COMMIT);
		one_until_committed();
		one_end_case(i == 0 ? "1 PUT /x 100000 good bytes\n"
				    : "1 PUT /x 100000 good bytes Content-Digest: sha-256=:eA==:\n");
	}
}

static void
the_tail_drips(void **state)
{
	static const size_t nearly_all = LENGTH - ONE_TAIL + 20;

	(void)state;
	one_begin_case(one_waits_for_the_tail, &nearly_all);
	sent.settings.hold_every_ms = 1;
	one_stream(LENGTH);
	one_tell(CHANNEL_FINISH);
	until_told(1);
	assert_int_equal(sent.n_ended, 0);
	one_tell(CHANNEL_COMMIT);
	one_until_committed();
	one_end_case("1 PUT /x 100000 good bytes\n");
}

static void
a_stream_that_is_committed_goes_on(void **state)
{
	(void)state;
	one_begin_case(peer_answers, ONE_OK_ANSWER);
	one_stream(50000);
	one_tell(CHANNEL_COMMIT);
	one_push(50000);
	one_tell(CHANNEL_FINISH);
	one_until_committed();
	one_end_case("1 PUT /x 100000 good bytes\n");
}

/* -- cancelled ------------------------------------------------------------------------------------------ */

static void
cancel(enum outcome_state state, enum error_kind kind)
{
	one_tell(CHANNEL_CANCEL);
	one_until_news(CHANNEL_ENDED);
	one_check(state, kind, 0);
	one_tell(CHANNEL_CANCEL); /* crosses the end */
}

static void
what_has_not_begun_leaves_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		one_begin_case(peer_answers, ONE_OK_ANSWER);
		if (i == 2)
			one_keep(60000);
		one_open();
		if (i == 1)
			one_push(50000);
		if (i == 2) {
			one_tell(CHANNEL_START | CHANNEL_FINISH);
			one_until_news(CHANNEL_PREPARED);
		}
		cancel(OUTCOME_ABORTED, ERR_NONE);
		one_end_case("");
	}
}

static void
a_stream_that_is_cancelled_never_becomes_whole(void **state)
{
	static const size_t some = 50000;

	(void)state;
	for (int is_held = 0; is_held < 2; is_held++) {
		one_begin_case(one_waits_for_the_tail, &some);
		one_stream(LENGTH / 2);
		if (is_held) {
			one_tell(CHANNEL_FINISH);
			one_until_news(CHANNEL_PREPARED);
		}
		until_told(1);
		cancel(OUTCOME_ABORTED, ERR_NONE);
		peer_join(sent.peer);
		one_end_case("1 PUT /x 50000 good bytes...\n1 closed\n");
	}
}

static void
an_answer_that_is_owed_leaves_it_open(void **state)
{
	(void)state;
	for (int is_kept = 0; is_kept < 2; is_kept++) {
		one_begin_case(peer_owes, NULL);
		if (is_kept)
			one_keep(60000);
		one_open();
		one_tell(CHANNEL_START | CHANNEL_COMMIT);
		if (!is_kept)
			one_push(60000);
		one_tell(CHANNEL_FINISH);
		until_told(1);
		cancel(OUTCOME_UNKNOWN, ERR_UPSTREAM_TIMEOUT);
		peer_join(sent.peer);
		one_end_case("1 PUT /x 60000 good bytes\n1 closed\n");
	}
}

/* -- outcomes -------------------------------------------------------------------------------------------- */

#define EMPTY "\r\nContent-Length: 0\r\n\r\n"

static void
the_answer_decides(void **state)
{
	static const struct {
		peer_script script; /* NULL: nobody is there */
		const char *answer;
		unsigned status;
		enum outcome_state state;
		enum error_kind kind;
		const char *why;
	} rows[] = {
		{ peer_says, "HTTP/1.1 204 Made\r\n\r\n", 204, OUTCOME_COMMITTED, ERR_NONE, "" },
		{ peer_says, "HTTP/1.1 404 No" EMPTY, 404, OUTCOME_ABORTED, ERR_UPSTREAM, "answered 404" },
		{ peer_says, "HTTP/1.1 503 No\r\nRetry-After: 7" EMPTY, 503, OUTCOME_ABORTED, ERR_UPSTREAM,
			"answered 503" },
		{ peer_says, "HTTP/1.1 507 Full" EMPTY, 507, OUTCOME_ABORTED, ERR_UPSTREAM_FULL, "answered 507" },
		{ peer_says, "HTTP/1.1 502 Bad" EMPTY, 502, OUTCOME_UNKNOWN, ERR_UPSTREAM, "answered 502" },
		{ peer_says, "HTTP/1.1 504 Late" EMPTY, 504, OUTCOME_UNKNOWN, ERR_UPSTREAM_TIMEOUT,
			"answered 504" },
		{ peer_says, "", 0, OUTCOME_UNKNOWN, ERR_UPSTREAM, "it closed the connection without an answer" },
		{ peer_says, "HTTP/1.1 201 Made\r\nContent-Length: 9\r\n\r\nx", 201, OUTCOME_UNKNOWN, ERR_UPSTREAM,
			"its answer was cut short" },
		{ NULL, NULL, 0, OUTCOME_ABORTED, ERR_UPSTREAM, "it refused the connection" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int is_kept = 0; is_kept < 2; is_kept++) {
			one_begin_case(rows[i].script, rows[i].answer);
			if (is_kept)
				one_keep(60000);
			one_open();
			one_tell(CHANNEL_START | CHANNEL_COMMIT);
			if (!is_kept)
				one_push(60000);
			one_tell(CHANNEL_FINISH);
			one_until_news(CHANNEL_ENDED);
			one_check(rows[i].state, rows[i].kind, rows[i].status);
			assert_non_null(strstr(sent.order.outcome.error.message, rows[i].why));
			assert_int_equal(sent.order.outcome.retry_after_s, rows[i].status == 503 ? 7 : 0);
			one_end_case(rows[i].script != NULL ? "1 PUT /x 60000 good bytes\n" : "");
		}
}

static void
an_early_answer_is_no_success(void **state)
{
	(void)state;
	for (int is_good = 0; is_good < 2; is_good++) {
		one_begin_case(peer_says_early, is_good ? ONE_OK_ANSWER : "HTTP/1.1 413 Long" EMPTY);
		one_stream(10);
		one_until_news(CHANNEL_ENDED);
		one_check(is_good ? OUTCOME_UNKNOWN : OUTCOME_ABORTED, ERR_UPSTREAM, is_good ? 201 : 413);
		peer_join(sent.peer);
		one_end_case("1 PUT /x abcdefghij...\n1 closed\n");
	}
}

static void
the_answers_body_is_kept_where_it_is_wanted(void **state)
{
	(void)state;
	for (int wanted = 0; wanted < 2; wanted++) {
		one_begin_case(peer_answers, ONE_OK_ANSWER);
		sent.order.want_body = wanted;
		one_keep(3);
		one_open();
		one_tell(CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
		one_until_news(CHANNEL_ENDED);
		assert_true(str_is(buf_str(&sent.order.outcome.body), wanted ? "done" : ""));
		one_end_case("1 PUT /x abc\n");
	}
}

/* -- taken back ------------------------------------------------------------------------------------------ */

static void
commit_one(peer_script script, const void *arg)
{
	one_begin_case(script, arg);
	one_keep(3);
	one_open();
	one_tell(CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
	one_until_committed();
	channel_tell(sent.order.channel, CHANNEL_UNDO);
}

static void
what_is_committed_can_be_taken_back(void **state)
{
	static const struct {
		const char *answer;
		enum outcome_state state;
		const char *why;
	} rows[] = {
		{ "HTTP/1.1 204 Gone\r\n\r\n", OUTCOME_UNDONE, "" },
		{ "HTTP/1.1 404 None" EMPTY, OUTCOME_UNDONE, "" },
		{ "HTTP/1.1 410 None" EMPTY, OUTCOME_UNDONE, "" },
		{ "HTTP/1.1 500 No" EMPTY, OUTCOME_COMMITTED, "DELETE was answered 500" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx", OUTCOME_COMMITTED, "DELETE was answered 200" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		commit_one(answers_and_then, rows[i].answer);
		one_until_news(CHANNEL_UNDONE);
		assert_int_equal(sent.order.outcome.state, rows[i].state);
		assert_non_null(strstr(sent.order.outcome.undo_error.message, rows[i].why));
		assert_string_equal(sent.order.outcome.location, "/there"); /* of the object, not of its end */
		one_end_case("1 PUT /x abc\n1 DELETE /x \n");
	}
}

static void
nobody_waits_for_an_undo_that_is_cancelled(void **state)
{
	(void)state;
	commit_one(owes_the_second, NULL);
	until_told(1);
	one_tell(CHANNEL_CANCEL);
	one_until_news(CHANNEL_UNDONE);
	assert_int_equal(sent.order.outcome.state, OUTCOME_COMMITTED);
	assert_int_equal(sent.order.outcome.undo_error.kind, ERR_UPSTREAM);
	peer_join(sent.peer);
	one_end_case("1 PUT /x abc\n1 DELETE /x \n1 closed\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_has_no_end_before_the_commit),
		cmocka_unit_test(the_tail_drips),
		cmocka_unit_test(a_stream_that_is_committed_goes_on),
		cmocka_unit_test(what_has_not_begun_leaves_nothing),
		cmocka_unit_test(a_stream_that_is_cancelled_never_becomes_whole),
		cmocka_unit_test(an_answer_that_is_owed_leaves_it_open),
		cmocka_unit_test(the_answer_decides),
		cmocka_unit_test(an_early_answer_is_no_success),
		cmocka_unit_test(the_answers_body_is_kept_where_it_is_wanted),
		cmocka_unit_test(what_is_committed_can_be_taken_back),
		cmocka_unit_test(nobody_waits_for_an_undo_that_is_cancelled),
	};

	return cmocka_run_group_tests(tests, one_set_up, one_tear_down);
}
