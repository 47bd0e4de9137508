// SPDX-License-Identifier: MIT
/* test_verdict.c - what became of an object, from what libcurl and the upstream said. */
#include "upload/verdict.h"

#include "lib/check.h"

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
every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct verdict_facts facts = {
			.destination = "d",
			.code = rows[i].code,
			.status = rows[i].status,
			.was_complete = rows[i].complete,
			.was_early = rows[i].early,
			.was_idle = rows[i].idle,
		};
		struct outcome outcome = { 0 };

		verdict_of(&facts, &outcome);
		if (outcome.state != rows[i].state || outcome.error.kind != rows[i].kind)
			print_message("row %zu: %s\n", i, outcome.error.message);
		assert_int_equal(outcome.state, rows[i].state);
		assert_int_equal(outcome.error.kind, rows[i].kind);
		assert_int_equal(verdict_may_retry(&facts), rows[i].retry);
		facts.body_begun = true;
		assert_false(verdict_may_retry(&facts));
	}
}

static void
an_answer_whose_head_is_cut_is_none(void **state)
{
	struct verdict_facts facts = { .destination = "d", .status = 201, .was_complete = true, .is_cut = true };
	struct outcome outcome = { 0 };

	(void)state;
	verdict_of(&facts, &outcome);
	assert_int_equal(outcome.state, OUTCOME_UNKNOWN);
	assert_string_equal(outcome.error.message, "destination \"d\": its answer was cut short");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_row),
		cmocka_unit_test(an_answer_whose_head_is_cut_is_none) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
