// SPDX-License-Identifier: MIT
/* test_s3_judge.c - what an answer of S3 means, and how many parts of what size an object is cut into. */
#include "sink/s3/judge.h"
#include "sink/s3/plan.h"

#include "lib/check.h"

#include <stdio.h>
#include <string.h>

static const struct {
	unsigned status;
	const char *code;
	bool whole, complete, document;
	enum s3_fate fate;
	enum error_kind kind;
	bool open;
} rows[] = {
	{ 200, "", true, true, true, S3_DONE, ERR_NONE, false },
	{ 200, "", true, true, false, S3_AGAIN, ERR_UPSTREAM, true },  /* no document */
	{ 200, "", false, true, false, S3_AGAIN, ERR_UPSTREAM, true }, /* cut short */
	{ 200, "InternalError", true, true, false, S3_AGAIN, ERR_UPSTREAM, true },
	{ 200, "InvalidPart", true, true, false, S3_REFUSED, ERR_UPSTREAM, true },
	{ 0, "", false, true, false, S3_AGAIN, ERR_UPSTREAM, true },   /* no answer */
	{ 0, "", false, false, false, S3_AGAIN, ERR_UPSTREAM, false }, /* it never got all */
	{ 400, "RequestTimeout", true, false, false, S3_AGAIN, ERR_UPSTREAM_TIMEOUT, false },
	{ 400, "BadDigest", true, true, false, S3_AGAIN, ERR_UPSTREAM, false },
	{ 400, "InvalidPart", true, true, false, S3_REFUSED, ERR_UPSTREAM, false },
	{ 403, "AccessDenied", true, true, false, S3_REFUSED, ERR_UPSTREAM, false },
	{ 403, "", true, true, false, S3_REFUSED, ERR_UPSTREAM, false },
	{ 404, "NoSuchUpload", true, true, false, S3_REFUSED, ERR_UPSTREAM, false },
	{ 409, "ConditionalRequestConflict", true, true, false, S3_REFUSED, ERR_BUSY, false },
	{ 412, "PreconditionFailed", true, true, false, S3_REFUSED, ERR_EXISTS, false },
	{ 412, "", true, true, false, S3_REFUSED, ERR_EXISTS, false },
	{ 429, "", true, true, false, S3_AGAIN, ERR_UPSTREAM, false },
	{ 500, "InternalError", true, true, false, S3_AGAIN, ERR_UPSTREAM, true },
	{ 503, "SlowDown", true, false, false, S3_AGAIN, ERR_UPSTREAM, false },
	{ 503, "WhoKnows", true, true, false, S3_AGAIN, ERR_UPSTREAM, true },
	{ 507, "", true, true, false, S3_REFUSED, ERR_UPSTREAM_FULL, true },
};

static struct s3_facts
facts_of(size_t i, struct exchange_result *result)
{
	*result = (struct exchange_result){ .status = rows[i].status,
		.is_whole = rows[i].whole,
		.was_complete = rows[i].complete,
		.kind = rows[i].whole ? ERR_NONE : ERR_UPSTREAM,
		.why = rows[i].whole ? NULL : "it cut the connection" };
	return (struct s3_facts){ .destination = "photos",
		.call = "CompleteMultipartUpload",
		.result = result,
		.wants_document = true,
		.has_document = rows[i].document,
		.code = rows[i].code,
		.own_time = "",
		.store_time = "" };
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct exchange_result result;
		struct s3_facts facts = facts_of(i, &result);
		struct error error = { 0 };
		enum s3_fate fate = s3_judge(&facts, &error);

		if (fate != rows[i].fate || error.kind != rows[i].kind || s3_is_open(&facts, fate) != rows[i].open)
			fail_msg("row %zu: %u %s: fate %d, kind %d, open %d: %s", i, rows[i].status, rows[i].code,
				(int)fate, (int)error.kind, s3_is_open(&facts, fate), error.message);
	}
}

static void
test_sentences(void **state)
{
	struct exchange_result result = { .status = 403, .is_whole = true, .was_complete = true };
	struct s3_facts facts = { .destination = "photos",
		.call = "PutObject",
		.result = &result,
		.code = "RequestTimeTooSkewed",
		.own_time = "2026-11-29T00:00:00Z",
		.store_time = "2026-11-29T01:00:00Z" };
	struct error error = { 0 };

	(void)state;
	assert_int_equal(s3_judge(&facts, &error), S3_REFUSED);
	assert_string_equal(error.message,
		"destination \"photos\": PutObject was answered 403 RequestTimeTooSkewed; the clocks differ: here it is "
		"2026-11-29T00:00:00Z, there 2026-11-29T01:00:00Z");
}

/* Whoever answers 2xx to half a request has acted on half of it. */
static void
test_an_answer_before_the_end_of_the_request_is_no_success(void **state)
{
	struct exchange_result result = { .status = 200, .is_whole = true, .was_early = true };
	struct s3_facts facts = { .destination = "photos", .call = "PutObject", .result = &result, .code = "" };
	struct error error = { 0 };

	(void)state;
	assert_int_equal(s3_judge(&facts, &error), S3_AGAIN);
	assert_string_equal(
		error.message, "destination \"photos\": PutObject was answered 200 before it was complete");
}

static void
test_a_part_of_which_the_store_has_other_bytes_is_sent_again(void **state)
{
	struct exchange_result result = { .status = 200, .is_whole = true, .was_complete = true };
	struct s3_facts facts = {
		.destination = "photos", .call = "UploadPart", .result = &result, .has_other_sum = true, .code = ""
	};
	struct error error = { 0 };

	(void)state;
	assert_int_equal(s3_judge(&facts, &error), S3_AGAIN);
	assert_string_equal(error.message,
		"destination \"photos\": UploadPart: it has got other bytes than it was sent, by its own checksum");
}

/* That we have the name already may be about ourselves. */
static void
test_what_was_sent_before_is_open_unless_it_is_done(void **state)
{
	struct exchange_result result = {
		.status = 412, .is_whole = true, .was_complete = true, .was_sent_before = true
	};
	struct s3_facts facts = { .destination = "photos", .call = "PutObject", .result = &result, .code = "" };

	(void)state;
	assert_true(s3_is_open(&facts, S3_REFUSED));
	assert_false(s3_is_open(&facts, S3_DONE));
}

static void
test_conflicts_of_puts_are_asked_again(void **state)
{
	struct exchange_result result = { .status = 409, .is_whole = true, .was_complete = true };
	struct s3_facts facts = { .destination = "photos",
		.call = "PutObject",
		.result = &result,
		.is_conflict_once = true,
		.code = "ConditionalRequestConflict",
		.own_time = "",
		.store_time = "" };
	struct error error = { 0 };

	(void)state;
	assert_int_equal(s3_judge(&facts, &error), S3_AGAIN);
	assert_int_equal(error.kind, ERR_BUSY);
}

/* Keys are renewed and clocks are set right; what is not allowed to these keys stays so. */
static void
test_what_is_refused_for_good(void **state)
{
	static const struct {
		enum s3_fate fate;
		unsigned status;
		const char *code;
		bool for_good;
	} cases[] = {
		{ S3_REFUSED, 403, "AccessDenied", true },
		{ S3_REFUSED, 403, "", true },
		{ S3_REFUSED, 400, "InvalidRequest", true },
		{ S3_REFUSED, 499, "", true },
		{ S3_REFUSED, 399, "", false },
		{ S3_REFUSED, 500, "", false },
		{ S3_REFUSED, 0, "", false },
		{ S3_AGAIN, 400, "RequestTimeout", false },
		{ S3_AGAIN, 409, "OperationAborted", false },
		{ S3_AGAIN, 429, "", false },
		{ S3_DONE, 204, "", false },
		{ S3_REFUSED, 403, "InvalidAccessKeyId", false },
		{ S3_REFUSED, 403, "SignatureDoesNotMatch", false },
		{ S3_REFUSED, 403, "RequestTimeTooSkewed", false },
		{ S3_REFUSED, 400, "ExpiredToken", false },
		{ S3_REFUSED, 400, "InvalidToken", false },
		{ S3_REFUSED, 400, "TokenRefreshRequired", false },
		{ S3_REFUSED, 400, "AuthorizationHeaderMalformed", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (s3_is_for_good(cases[i].fate, cases[i].status, cases[i].code) != cases[i].for_good)
			fail_msg("case %zu: %u %s", i, cases[i].status, cases[i].code);
}

/* What a store says comes into logs and to clients. */
static void
test_words_of_a_store_are_plain(void **state)
{
	char word[8];

	(void)state;
	s3_take_word("a\n<b>\"c\x1b", word, sizeof word);
	assert_string_equal(word, "abc");
	s3_take_word("0123456789", word, sizeof word);
	assert_string_equal(word, "0123456");
	s3_take_word(NULL, word, sizeof word);
	assert_string_equal(word, "");
}

static void
test_parts_suffice(void **state)
{
	static const uint64_t sizes[] = { 0, 1, S3_PART_MIN - 1, S3_PART_MIN, S3_PART_MIN + 1,
		S3_PART_MIN * S3_PARTS_MAX - 1, S3_PART_MIN * S3_PARTS_MAX, S3_PART_MIN * S3_PARTS_MAX + 1,
		MIB << 20, (MIB << 20) * 5 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint64_t part = s3_plan_part_size(sizes[i]);

		assert_true(part >= S3_PART_MIN && part <= S3_PART_MAX);
		assert_true(s3_plan_parts(sizes[i], part) <= S3_PARTS_MAX);
	}
	assert_int_equal(s3_plan_part_size(MIB * 1024), S3_PART_MIN);
	assert_int_equal(s3_plan_part_size(UINT64_MAX), S3_PART_MIN);
	assert_int_equal(s3_plan_parts(UINT64_MAX, S3_PART_MIN), S3_PARTS_MAX);
	assert_int_equal(s3_plan_parts(10 * MIB + 1, 5 * MIB), 3);
	assert_true(s3_plan_parts((MIB << 20) * 5, S3_PART_MIN) > S3_PARTS_MAX);
}

/* The largest object of ten thousand parts has just these, one byte more takes larger ones. */
static void
test_the_size_grows_at_ten_thousand_parts(void **state)
{
	(void)state;
	for (uint64_t mib = 5; mib <= 5 * 1024; mib++) {
		uint64_t largest = mib * MIB * S3_PARTS_MAX;

		assert_int_equal(s3_plan_part_size(largest - 1), mib * MIB);
		assert_int_equal(s3_plan_part_size(largest), mib * MIB);
		assert_int_equal(s3_plan_parts(largest, mib * MIB), S3_PARTS_MAX);
		assert_int_equal(s3_plan_part_size(largest + 1), mib < 5 * 1024 ? (mib + 1) * MIB : S3_PART_MAX);
	}
}

static void
test_a_piece_is_no_more_than_the_object(void **state)
{
	static const struct {
		uint64_t part_size, largest, piece;
	} pieces[] = {
		{ 0, UINT64_MAX, 5 * MIB },
		{ 0, UINT64_MAX - 1, S3_PART_MAX },
		{ 0, 0, 1 },
		{ 0, 1, 1 },
		{ 0, 5 * MIB - 1, 5 * MIB - 1 },
		{ 0, 5 * MIB, 5 * MIB },
		{ 0, 5 * MIB + 1, 5 * MIB },
		{ 0, 50000 * MIB, 5 * MIB },
		{ 0, 50000 * MIB + 1, 6 * MIB },
		{ 8 * MIB, UINT64_MAX, 8 * MIB },
		{ 8 * MIB, 8 * MIB - 1, 8 * MIB - 1 },
		{ 8 * MIB, 80000 * MIB + 1, 8 * MIB },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
		assert_int_equal(s3_plan_piece(pieces[i].part_size, pieces[i].largest), pieces[i].piece);
	assert_int_equal(s3_plan_receipts(UINT64_MAX, MIB), 10000 * S3_RECEIPT_BYTES);
	assert_int_equal(s3_plan_receipts(10001 * MIB, MIB), 10000 * S3_RECEIPT_BYTES);
	assert_int_equal(s3_plan_receipts(3 * MIB + 1, MIB), 4 * S3_RECEIPT_BYTES);
	assert_int_equal(s3_plan_receipts(0, 1), 0);
}

static void
test_a_part_has_chunks_for_all_of_it(void **state)
{
	(void)state;
	for (uint64_t size = S3_PART_MIN; size < S3_PART_MIN + 3 * 32768; size += 4096)
		assert_true(s3_plan_chunks(size, 32768) * UINT64_C(32768) >= size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_an_answer_before_the_end_of_the_request_is_no_success),
		cmocka_unit_test(test_a_part_of_which_the_store_has_other_bytes_is_sent_again),
		cmocka_unit_test(test_what_was_sent_before_is_open_unless_it_is_done),
		cmocka_unit_test(test_conflicts_of_puts_are_asked_again),
		cmocka_unit_test(test_what_is_refused_for_good),
		cmocka_unit_test(test_words_of_a_store_are_plain),
		cmocka_unit_test(test_parts_suffice),
		cmocka_unit_test(test_the_size_grows_at_ten_thousand_parts),
		cmocka_unit_test(test_a_piece_is_no_more_than_the_object),
		cmocka_unit_test(test_a_part_has_chunks_for_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
