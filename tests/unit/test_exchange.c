// SPDX-License-Identifier: MIT
/* test_exchange.c - the table of exchange.h, against a server that does what each case says: over which connection a request
 * goes, and when it is sent again. */
#include "lib/asked.h"

#include "base/mem.h"
#include "lib/check.h"
#include "lib/until.h"
#include "sink/engine.h"

#include <stdio.h>

/* -- which connection ---------------------------------------------------------------------------------- */

/* After a PUT that leaves its connection open: does this one go over the same? */
static bool
goes_over_kept(const char *method, enum exchange_body kind, bool reuse_always)
{
	struct asked first = { 0 }, second = { .size = 5, .request.reuse_always = reuse_always };
	struct peer *peer = asked_start(peer_answers, ASKED_OK);
	char over_first[50], over_second[50];
	const char *log;
	bool is_kept;

	first.size = 1;
	asked_ask(&first, peer, "PUT", EXCHANGE_WHOLE);
	assert_int_equal(first.result.status, 201);
	asked_ask(&second, peer, method, kind);
	assert_int_equal(second.result.status, 201);
	assert_true(second.result.is_whole && second.result.was_complete && !second.result.was_early);
	assert_string_equal(second.answer, "done");
	exchange_free(first.exchange);
	exchange_free(second.exchange);
	snprintf(over_first, sizeof over_first, "1 PUT /a a\n1 %s /a %s\n", method,
		kind == EXCHANGE_NO_BODY ? "" : "abcde");
	snprintf(over_second, sizeof over_second, "1 PUT /a a\n2 %s /a %s\n", method,
		kind == EXCHANGE_NO_BODY ? "" : "abcde");
	peer_stop(peer);
	log = peer_join(peer);
	is_kept = strcmp(log, over_first) == 0;
	if (!is_kept)
		assert_string_equal(log, over_second);
	peer_end(peer);
	return is_kept;
}

static void
what_can_be_sent_again_goes_over_a_kept_connection(void **state)
{
	static const struct {
		const char *method;
		enum exchange_body body;
		bool reuse_always, is_kept;
	} rows[] = {
		{ "PUT", EXCHANGE_NO_BODY, false, true },
		{ "PUT", EXCHANGE_WHOLE, false, true },
		{ "PUT", EXCHANGE_READ, false, true },
		{ "PUT", EXCHANGE_STREAM, false, false },
		{ "PUT", EXCHANGE_STREAM, true, false },
		{ "DELETE", EXCHANGE_NO_BODY, false, true },
		{ "GET", EXCHANGE_NO_BODY, false, true },
		{ "POST", EXCHANGE_NO_BODY, false, false },
		{ "POST", EXCHANGE_WHOLE, false, false },
		{ "POST", EXCHANGE_READ, false, false },
		{ "POST", EXCHANGE_STREAM, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (goes_over_kept(rows[i].method, rows[i].body, rows[i].reuse_always) != rows[i].is_kept)
			fail_msg("%s, body %d", rows[i].method, (int)rows[i].body);
}

/* Only one that was left within this second: which one is, is a matter of luck. */
static void
any_other_does_if_it_is_to(void **state)
{
	(void)state;
	while (!goes_over_kept("POST", EXCHANGE_WHOLE, true))
		;
	while (!goes_over_kept("POST", EXCHANGE_READ, true))
		;
}

/* -- once more ----------------------------------------------------------------------------------------- */

/* Answers one request, and does with the second one what the case says; answers what comes over another connection. */
static void
drops_the_second(struct peer *peer, const void *arg)
{
	const char *said = arg;

	peer_read(peer);
	peer_say(peer, ASKED_OK);
	peer_read(peer);
	if (*said == '!')
		peer_reset(peer);
	else
		peer_say(peer, said);
	peer_close(peer);
	while (peer_read(peer))
		peer_say(peer, ASKED_OK);
}

static char log_of_two[300];

/* What the second request led to. */
static struct asked
ask_second(const char *said, const char *method, enum exchange_body kind, bool reuse_always)
{
	struct asked first = { .size = 1 }, second = { .size = 5, .request.reuse_always = reuse_always };
	struct peer *peer = asked_start(drops_the_second, said);

	asked_ask(&first, peer, "PUT", EXCHANGE_WHOLE);
	asked_ask(&second, peer, method, kind);
	exchange_free(first.exchange);
	exchange_free(second.exchange);
	peer_stop(peer);
	snprintf(log_of_two, sizeof log_of_two, "%s", peer_join(peer));
	peer_end(peer);
	return second;
}

static void
a_kept_connection_that_dies_is_no_failure(void **state)
{
	static const char *const methods[] = { "PUT", "DELETE" };
	static const enum exchange_body kinds[] = { EXCHANGE_NO_BODY, EXCHANGE_WHOLE, EXCHANGE_READ };

	(void)state;
	for (size_t m = 0; m < 2; m++)
		for (size_t k = 0; k < 3; k++)
			for (size_t reset = 0; reset < 2; reset++) {
				struct asked asked = ask_second(reset ? "!" : "", methods[m], kinds[k], false);
				const char *sent = kinds[k] == EXCHANGE_NO_BODY ? "" : "abcde";
				char want[100];

				assert_int_equal(asked.result.status, 201);
				assert_true(asked.result.is_whole);
				assert_int_equal(asked.n_status, 1);
				if (kinds[k] == EXCHANGE_READ)
					assert_int_equal(asked.n_rewinds, 2);
				snprintf(want, sizeof want, "1 PUT /a a\n1 %s /a %s\n2 %s /a %s\n", methods[m],
					sent, methods[m], sent);
				assert_string_equal(log_of_two, want);
			}
}

#define FAREWELL "HTTP/1.1 408 Too late\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye"

/* Its server said so when it closed, and that crossed the request. */
static void
a_408_over_a_kept_connection_is_no_answer(void **state)
{
	static const enum exchange_body kinds[] = { EXCHANGE_NO_BODY, EXCHANGE_WHOLE, EXCHANGE_READ };

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct asked asked = ask_second(FAREWELL, "PUT", kinds[k], false);

		assert_int_equal(asked.result.status, 201);
		assert_true(asked.result.is_whole && asked.result.was_sent_before);
		assert_int_equal(asked.n_status, 1);
		assert_string_equal(asked.answer, "done");
		assert_string_equal(log_of_two,
			kinds[k] == EXCHANGE_NO_BODY ? "1 PUT /a a\n1 PUT /a \n2 PUT /a \n"
						     : "1 PUT /a a\n1 PUT /a abcde\n2 PUT /a abcde\n");
	}
}

/* Answers one request, and then nobody; and whoever comes over another connection. */
static void
answers_unasked(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_say(peer, ASKED_OK);
	peer_wait(peer);
	peer_say(peer, "HTTP/1.1 200 Nobody Asked\r\nContent-Length: 0\r\n\r\n");
	peer_tell(peer);
	while (peer_read(peer))
		peer_say(peer, ASKED_OK);
}

static void
what_nobody_asked_for_is_no_answer(void **state)
{
	static const char *const methods[] = { "PUT", "POST" };

	(void)state;
	for (size_t m = 0; m < 2; m++) {
		struct asked first = { .size = 1 }, second = { .size = 5, .request.reuse_always = true };
		struct peer *peer = asked_start(answers_unasked, NULL);
		char want[100];

		asked_ask(&first, peer, "PUT", EXCHANGE_WHOLE);
		peer_go(peer);
		until_told((unsigned)m + 1);
		asked_ask(&second, peer, methods[m], EXCHANGE_WHOLE);
		assert_int_equal(second.result.status, 201);
		assert_true(second.result.is_whole && !second.result.was_sent_before);
		exchange_free(first.exchange);
		exchange_free(second.exchange);
		peer_stop(peer);
		snprintf(want, sizeof want, "1 PUT /a a\n2 %s /a abcde\n", methods[m]);
		assert_string_equal(peer_join(peer), want);
		peer_end(peer);
	}
}

static void
it_is_one_once_an_answer_has_begun(void **state)
{
	struct asked asked = ask_second("HTTP/1.1 200 OK\r\n", "PUT", EXCHANGE_WHOLE, false);

	(void)state;
	assert_int_equal(asked.n_done, 1);
	assert_false(asked.result.is_whole);
	assert_true(asked.result.was_complete);
	assert_string_equal(log_of_two, "1 PUT /a a\n1 PUT /a abcde\n");
	asked = ask_second("HTTP/1.1 200 OK\r\nX: y\r\n", "PUT", EXCHANGE_READ, false);
	assert_false(asked.result.is_whole);
	assert_string_equal(log_of_two, "1 PUT /a a\n1 PUT /a abcde\n");
}

static void
what_may_not_be_repeated_is_sent_once(void **state)
{
	static const enum exchange_body kinds[] = { EXCHANGE_WHOLE, EXCHANGE_READ };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct asked asked;

		do /* until it goes over the one that was kept */
			asked = ask_second("", "POST", kinds[k], true);
		while (asked.result.status == 201);
		assert_int_equal(asked.result.status, 0);
		assert_true(asked.result.was_complete && !asked.result.is_whole);
		assert_string_equal(asked.result.why, "it closed the connection without an answer");
		assert_string_equal(log_of_two, "1 PUT /a a\n1 POST /a abcde\n");
	}
}

static void
a_408_over_a_new_connection_or_to_what_may_not_be_repeated_is_one(void **state)
{
	struct asked asked = { .size = 5 };
	struct peer *peer = asked_start(peer_says, FAREWELL);

	(void)state;
	asked_ask(&asked, peer, "PUT", EXCHANGE_WHOLE);
	assert_int_equal(asked.result.status, 408);
	assert_true(asked.result.is_whole && !asked.result.was_sent_before);
	asked_end(&asked, peer);
	do /* until it goes over the one that was kept */
		asked = ask_second(FAREWELL, "POST", EXCHANGE_WHOLE, true);
	while (asked.result.status == 201);
	assert_int_equal(asked.result.status, 408);
	assert_string_equal(log_of_two, "1 PUT /a a\n1 POST /a abcde\n");
}

/* Answers one request, has all of the second one, and is gone; or comes back with a refusal, if `arg` is one. */
static void
goes_with_the_second(struct peer *peer, const void *arg)
{
	peer_read(peer);
	peer_say(peer, ASKED_OK);
	peer_read(peer);
	if (arg == NULL)
		peer_leave(peer);
	peer_close(peer);
	if (arg != NULL && peer_read(peer))
		peer_say(peer, arg);
}

/* The log says whether it went over the kept connection. */
static struct exchange_result
ask_who_goes(const char *method, enum exchange_body kind, const char *refusal)
{
	struct asked first = { .size = 1 },
		     second = { .size = 5, .request.reuse_always = true, .to.retry_connect = 1 };
	struct peer *peer = asked_start(goes_with_the_second, refusal);

	asked_ask(&first, peer, "PUT", EXCHANGE_WHOLE);
	asked_ask(&second, peer, method, kind);
	exchange_free(first.exchange);
	exchange_free(second.exchange);
	peer_stop(peer);
	snprintf(log_of_two, sizeof log_of_two, "%s", peer_join(peer));
	peer_end(peer);
	return second.result;
}

/* It may have been carried out, whatever comes of the next time that it is sent. */
static void
what_a_dead_connection_had_taken_is_told(void **state)
{
	static const enum exchange_body kinds[] = { EXCHANGE_NO_BODY, EXCHANGE_WHOLE, EXCHANGE_READ };

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct exchange_result result = ask_who_goes("PUT", kinds[k], NULL);

		assert_int_equal(result.status, 0);
		assert_true(result.was_complete);
		result = ask_who_goes("PUT", kinds[k], "HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n");
		assert_int_equal(result.status, 412);
		assert_true(result.was_complete && result.was_sent_before);
	}
}

static void
what_it_had_taken_is_not_sent_again_if_it_may_not_be(void **state)
{
	static const enum exchange_body kinds[] = { EXCHANGE_WHOLE, EXCHANGE_READ };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct exchange_result result;

		do /* until it goes over the one that was kept */
			result = ask_who_goes("POST", kinds[k], NULL);
		while (strcmp(log_of_two, "1 PUT /a a\n1 POST /a abcde\n") != 0);
		assert_int_equal(result.status, 0);
		assert_true(result.was_complete && !result.was_sent_before);
	}
}

/* curl's issue 11101, mended in 8.1.0. */
static void
a_handle_is_used_again_where_libcurl_bears_it(void **state)
{
	(void)state;
	assert_false(engine_bears_reuse(0x075801)); /* 7.88.1, of bookworm */
	assert_false(engine_bears_reuse(0x080001));
	assert_true(engine_bears_reuse(0x080100));
	assert_true(engine_bears_reuse(0x080e01)); /* 8.14.1, of trixie */
}

/* Nobody is charged for what waits in a handle. Of a sanitizer's heap mem_used() knows nothing. */
static void
what_a_body_was_sent_from_is_not_kept(void **state)
{
	static const enum exchange_body kinds[] = { EXCHANGE_STREAM, EXCHANGE_STREAM, EXCHANGE_READ };

	(void)state;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct asked asked = { .size = 65000 };
		size_t before = mem_used();
		struct peer *peer = asked_start(peer_answers, ASKED_OK);

		asked_ask(&asked, peer, "PUT", kinds[k]);
		asked_end(&asked, peer);
		assert_int_equal(asked.result.status, 201);
		assert_true(k == 0 || mem_used() < before + 32768); /* the first leaves what is known of a name */
	}
}

static void
which_libcurl_stands_still_between_two_addresses_is_known(void **state)
{
	(void)state;
	assert_true(engine_may_stall(0x075801));
	assert_true(engine_may_stall(0x080300));
	assert_false(engine_may_stall(0x080400));
	assert_false(engine_may_stall(0x080e01));
}

static void
what_libcurl_holds_twice_is_known(void **state)
{
	(void)state;
	assert_int_equal(engine_copies_of(0x075801), 1);
	assert_int_equal(engine_copies_of(0x080601), 1);
	assert_int_equal(engine_copies_of(0x080700), 2);
	assert_int_equal(engine_copies_of(0x080e01), 2);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, asked_begin_case, asked_end_case)
	const struct CMUnitTest tests[] = {
		CASE(what_can_be_sent_again_goes_over_a_kept_connection),
		CASE(any_other_does_if_it_is_to),
		CASE(a_kept_connection_that_dies_is_no_failure),
		CASE(a_408_over_a_kept_connection_is_no_answer),
		CASE(a_408_over_a_new_connection_or_to_what_may_not_be_repeated_is_one),
		CASE(what_nobody_asked_for_is_no_answer),
		CASE(it_is_one_once_an_answer_has_begun),
		CASE(what_may_not_be_repeated_is_sent_once),
		CASE(what_a_dead_connection_had_taken_is_told),
		CASE(what_it_had_taken_is_not_sent_again_if_it_may_not_be),
		cmocka_unit_test(a_handle_is_used_again_where_libcurl_bears_it),
		CASE(what_a_body_was_sent_from_is_not_kept),
		cmocka_unit_test(which_libcurl_stands_still_between_two_addresses_is_known),
		cmocka_unit_test(what_libcurl_holds_twice_is_known),
	};

	return cmocka_run_group_tests(tests, asked_set_up, asked_tear_down);
}
