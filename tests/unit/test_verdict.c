// SPDX-License-Identifier: MIT
/* test_verdict.c - what became of an object, from what libcurl and the upstream said. */
#include "sink/exchange_fault.h"
#include "sink/http/verdict.h"

#include "lib/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	CURLcode code;
	unsigned status;
	bool complete, early, idle;
	enum outcome_state state;
	enum error_kind kind;
	bool retry;
} rows[] = {
	{ CURLE_OK, 201, true, false, false, OUTCOME_COMMITTED, ERR_NONE, false },
	{ CURLE_WRITE_ERROR, 200, true, false, false, OUTCOME_COMMITTED, ERR_NONE, false },
	{ CURLE_OK, 201, false, false, false, OUTCOME_ABORTED, ERR_UPSTREAM, false },
	{ CURLE_ABORTED_BY_CALLBACK, 201, false, true, false, OUTCOME_UNKNOWN, ERR_UPSTREAM, false },
	{ CURLE_OK, 413, false, false, false, OUTCOME_ABORTED, ERR_UPSTREAM, false },
	{ CURLE_ABORTED_BY_CALLBACK, 413, false, false, false, OUTCOME_ABORTED, ERR_UPSTREAM, false },
	{ CURLE_OK, 500, true, false, false, OUTCOME_ABORTED, ERR_UPSTREAM, false },
	{ CURLE_OK, 507, true, false, false, OUTCOME_ABORTED, ERR_UPSTREAM_FULL, false },
	{ CURLE_OK, 504, true, false, false, OUTCOME_UNKNOWN, ERR_UPSTREAM_TIMEOUT, false },
	{ CURLE_OK, 502, true, false, false, OUTCOME_UNKNOWN, ERR_UPSTREAM, false },
	{ CURLE_OK, 502, false, true, false, OUTCOME_ABORTED, ERR_UPSTREAM, false },
	{ CURLE_RECV_ERROR, 0, true, false, false, OUTCOME_UNKNOWN, ERR_UPSTREAM, false },
	{ CURLE_RECV_ERROR, 201, true, false, false, OUTCOME_UNKNOWN, ERR_UPSTREAM, false },
	{ CURLE_SEND_ERROR, 0, false, false, false, OUTCOME_ABORTED, ERR_UPSTREAM, false },
	{ CURLE_GOT_NOTHING, 0, true, false, false, OUTCOME_UNKNOWN, ERR_UPSTREAM, false },
	{ CURLE_COULDNT_CONNECT, 0, false, false, false, OUTCOME_ABORTED, ERR_UPSTREAM, true },
	{ CURLE_COULDNT_RESOLVE_HOST, 0, false, false, false, OUTCOME_ABORTED, ERR_UPSTREAM, true },
	{ CURLE_OPERATION_TIMEDOUT, 0, false, false, false, OUTCOME_ABORTED, ERR_UPSTREAM_TIMEOUT, false },
	{ CURLE_OPERATION_TIMEDOUT, 0, true, false, true, OUTCOME_UNKNOWN, ERR_UPSTREAM_TIMEOUT, false },
	{ CURLE_OUT_OF_MEMORY, 0, false, false, false, OUTCOME_ABORTED, ERR_NOMEM, false },
};

static void
judge(const struct exchange_facts *facts, bool is_chunked, struct outcome *outcome)
{
	struct exchange_result result = exchange_fault_judge(facts);
	struct verdict_facts verdict = { .destination = "d", .is_chunked = is_chunked, .result = &result };

	verdict_of(&verdict, outcome);
}

static void
every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct exchange_facts facts = {
			.code = rows[i].code,
			.status = rows[i].status,
			.was_complete = rows[i].complete,
			.was_early = rows[i].early,
			.was_idle = rows[i].idle,
		};
		struct outcome outcome = { 0 };

		judge(&facts, false, &outcome);
		if (outcome.state != rows[i].state || outcome.error.kind != rows[i].kind)
			print_message("row %zu: %s\n", i, outcome.error.message);
		assert_int_equal(outcome.state, rows[i].state);
		assert_int_equal(outcome.error.kind, rows[i].kind);
		assert_int_equal(exchange_fault_may_retry(&facts), rows[i].retry);
		facts.body_begun = true;
		assert_false(exchange_fault_may_retry(&facts));
	}
}

/* A refusal of the second time says nothing of the first, which may be what it is about. */
static void
what_was_sent_before_may_be_there(void **state)
{
	static const unsigned statuses[] = { 0, 403, 412, 500 };
	struct outcome outcome = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		struct exchange_facts facts = { .code = statuses[i] == 0 ? CURLE_COULDNT_CONNECT : CURLE_OK,
			.status = statuses[i],
			.was_complete = true,
			.was_sent_before = true };

		judge(&facts, false, &outcome);
		assert_int_equal(outcome.state, OUTCOME_UNKNOWN);
		assert_int_equal(outcome.status, statuses[i]);
	}
	judge(&(struct exchange_facts){ .status = 201, .was_complete = true, .was_sent_before = true }, false,
		&outcome);
	assert_int_equal(outcome.state, OUTCOME_COMMITTED);
}

static void
a_refusal_that_helps_to_look_is_explained(void **state)
{
	static const struct {
		unsigned status;
		const char *words;
	} told[] = { { 409, "; the name is taken, or what it lies in is not there" },
		{ 412, "; see the conditions in `headers` of the destination" } };

	(void)state;
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
		struct exchange_facts facts = { .status = told[i].status, .was_complete = true };
		struct outcome outcome = { 0 };

		judge(&facts, false, &outcome);
		assert_non_null(strstr(outcome.error.message, told[i].words));
	}
}

static void
an_answer_whose_head_is_cut_is_none(void **state)
{
	struct exchange_facts facts = { .status = 201, .was_complete = true, .is_cut = true };
	struct outcome outcome = { 0 };

	(void)state;
	judge(&facts, false, &outcome);
	assert_int_equal(outcome.state, OUTCOME_UNKNOWN);
	assert_string_equal(outcome.error.message, "destination \"d\": its answer was cut short");
}

/* Whose fault it is that there is no answer. */
static void
what_is_ours_is_not_told_as_the_destinations(void **state)
{
	static const struct {
		struct exchange_facts facts;
		enum error_kind kind;
		const char *sentence;
	} faults[] = {
		{ { .code = CURLE_COULDNT_CONNECT, .os_error = ECONNREFUSED }, ERR_UPSTREAM,
			"it refused the connection" },
		{ { .code = CURLE_COULDNT_CONNECT, .os_error = EMFILE }, ERR_BUSY,
			"no file descriptor is left for a connection to it" },
		{ { .code = CURLE_COULDNT_CONNECT, .os_error = ENFILE }, ERR_BUSY,
			"no file descriptor is left for a connection to it" },
		{ { .code = CURLE_COULDNT_CONNECT, .os_error = ENOENT }, ERR_UPSTREAM, "its socket is not there" },
		{ { .code = CURLE_COULDNT_CONNECT, .os_error = EIO }, ERR_UPSTREAM,
			"it could not be connected to" },
		{ { .code = CURLE_COULDNT_CONNECT }, ERR_UPSTREAM, "it could not be connected to" },
		{ { .code = CURLE_COULDNT_RESOLVE_HOST }, ERR_UPSTREAM, "its host name does not resolve" },
		{ { .code = CURLE_COULDNT_RESOLVE_HOST, .is_short_of_files = true }, ERR_BUSY,
			"no file descriptor is left for a connection to it" },
		{ { .code = CURLE_SSL_CACERT_BADFILE, .is_short_of_files = true }, ERR_BUSY,
			"no file descriptor is left for a connection to it" },
		{ { .code = CURLE_SSL_CACERT_BADFILE }, ERR_INTERNAL, "the authorities to trust cannot be read" },
		{ { .code = CURLE_RECV_ERROR, .is_short_of_files = true }, ERR_UPSTREAM, "it cut the connection" },
		{ { .code = CURLE_OUT_OF_MEMORY }, ERR_NOMEM, "out of memory" },
		{ { .code = CURLE_OUT_OF_MEMORY, .is_in_head = true }, ERR_UPSTREAM,
			"the head of its answer is too long" },
		{ { .code = CURLE_OUT_OF_MEMORY, .was_complete = true }, ERR_UPSTREAM,
			"the head of its answer is too long" },
		{ { .code = (CURLcode)100 /* CURLE_TOO_LARGE */ }, ERR_UPSTREAM,
			"the head of its answer is too long" },
		{ { .code = CURLE_WRITE_ERROR, .status = 201, .was_complete = true, .is_head_too_long = true },
			ERR_UPSTREAM, "the head of its answer is too long" },
		{ { .code = CURLE_OPERATION_TIMEDOUT, .is_nameless = true }, ERR_UPSTREAM_TIMEOUT,
			"resolving its host name took longer than timeout.connect" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		struct exchange_facts facts = faults[i].facts;
		struct outcome outcome = { 0 };
		char want[240];

		judge(&facts, false, &outcome);
		snprintf(want, sizeof want, "destination \"d\": %s", faults[i].sentence);
		assert_string_equal(outcome.error.message, want);
		assert_int_equal(outcome.error.kind, faults[i].kind);
		assert_int_equal(outcome.state, facts.was_complete ? OUTCOME_UNKNOWN : OUTCOME_ABORTED);
	}
}

static void
an_answer_with_a_remedy_names_it(void **state)
{
	static const struct {
		unsigned status;
		bool is_chunked;
		const char *word; /* NULL: nothing behind the status */
	} answers[] = {
		{ 411, true, "`buffer: true`" },
		{ 411, false, NULL },
		{ 501, true, "`buffer: true`" },
		{ 408, true, "`buffer: true`" },
		{ 301, true, "`url`" },
		{ 308, false, "`url`" },
		{ 401, true, "`headers`" },
		{ 403, false, "`headers`" },
		{ 405, true, "`method`" },
		{ 413, true, "`max_size`" },
		{ 417, true, "Expect" },
		{ 500, true, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct exchange_facts facts = { .status = answers[i].status, .was_complete = true };
		struct outcome outcome = { 0 };
		char bare[64];

		judge(&facts, answers[i].is_chunked, &outcome);
		snprintf(bare, sizeof bare, "destination \"d\" answered %u", answers[i].status);
		if (answers[i].word == NULL)
			assert_string_equal(outcome.error.message, bare);
		else
			assert_non_null(strstr(outcome.error.message, answers[i].word));
	}
}

static struct outcome
refuse(unsigned status, bool passes, const char *challenge, bool was_sent_before)
{
	struct exchange_result result = {
		.status = status, .is_whole = true, .was_complete = true, .was_sent_before = was_sent_before
	};
	struct retry_after later = { .seconds = 7 };
	struct verdict_facts facts = {
		.destination = "d", .passes_errors = passes, .later = &later, .result = &result
	};
	struct outcome outcome = { 0 };

	buf_add_text(&outcome.challenge, challenge);
	verdict_of(&facts, &outcome);
	buf_free(&outcome.challenge);
	return outcome;
}

static bool
is_listed(unsigned status)
{
	static const unsigned listed[] = { 401, 403, 404, 409, 412, 413, 415, 429, 503 };

	for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++)
		if (listed[i] == status)
			return true;
	return false;
}

static void
a_refusal_is_the_clients_if_the_route_file_says_so(void **state)
{
	(void)state;
	for (unsigned status = 300; status < 600; status++) {
		char bare[64];

		snprintf(bare, sizeof bare, "destination \"d\" answered %u", status);
		for (int passes = 0; passes < 2; passes++) {
			struct outcome outcome = refuse(status, passes, "Bearer", false);
			bool is_passed = passes && is_listed(status);
			bool is_later = status == 413 || status == 429 || status == 503;

			assert_int_equal(outcome.error.kind == ERR_UPSTREAM_REFUSED, is_passed);
			assert_int_equal(outcome.error.status, is_passed ? status : 0);
			assert_int_equal(outcome.retry_after_s, is_later ? 7 : 0);
			if (is_passed)
				assert_string_equal(outcome.error.message, bare);
		}
		assert_int_equal(
			refuse(status, true, "Bearer", true).error.status, 0); /* the object may be there */
	}
}

static void
a_401_without_a_challenge_is_nobodys(void **state)
{
	struct exchange_result result = { .status = 401, .is_whole = true, .was_complete = true };
	struct verdict_facts facts = { .destination = "d", .passes_errors = true, .result = &result };
	struct outcome none = refuse(401, true, "", false), long_one = { .challenge = { .failed = true } };

	(void)state;
	verdict_of(&facts, &long_one);
	assert_int_equal(none.error.kind, ERR_UPSTREAM);
	assert_int_equal(long_one.error.kind, ERR_UPSTREAM);
	assert_string_equal(none.error.message,
		"destination \"d\" answered 401 without a WWW-Authenticate that could be passed on");
}

/* Only then may it be asked once more. */
static void
a_kept_connection_that_dies_without_an_answer_is_stale(void **state)
{
	struct exchange_facts facts = { .code = CURLE_GOT_NOTHING, .was_kept = true, .was_complete = true };
	struct outcome outcome = { 0 };

	(void)state;
	assert_true(exchange_fault_is_stale(&facts));
	judge(&facts, false, &outcome);
	assert_int_equal(outcome.state, OUTCOME_UNKNOWN); /* where it may not be asked again */
	facts.is_in_head = true;
	assert_false(exchange_fault_is_stale(&facts));
	facts = (struct exchange_facts){ .code = CURLE_GOT_NOTHING };
	assert_false(exchange_fault_is_stale(&facts));
	facts = (struct exchange_facts){ .code = CURLE_RECV_ERROR, .was_kept = true, .was_idle = true };
	assert_false(exchange_fault_is_stale(&facts));
	facts = (struct exchange_facts){ .code = CURLE_ABORTED_BY_CALLBACK, .was_asked_twice = true };
	assert_true(exchange_fault_is_stale(&facts));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_row),
		cmocka_unit_test(what_was_sent_before_may_be_there),
		cmocka_unit_test(a_refusal_that_helps_to_look_is_explained),
		cmocka_unit_test(an_answer_whose_head_is_cut_is_none),
		cmocka_unit_test(what_is_ours_is_not_told_as_the_destinations),
		cmocka_unit_test(an_answer_with_a_remedy_names_it),
		cmocka_unit_test(a_refusal_is_the_clients_if_the_route_file_says_so),
		cmocka_unit_test(a_401_without_a_challenge_is_nobodys),
		cmocka_unit_test(a_kept_connection_that_dies_without_an_answer_is_stale) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
