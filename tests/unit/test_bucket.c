// SPDX-License-Identifier: MIT
/* test_bucket.c - what a rate gives to whom and when, by a clock that the test sets. */
#include "lib/check.h"
#include "route/bucket.h"

#define RATE UINT64_C(1000000)
#define START UINT64_C(50000) /* ms */

/* Books pieces until one has to wait: how many bytes came at once. */
static size_t
take_at_once(struct bucket *bucket, size_t piece, uint64_t now_ms)
{
	size_t n = 0;

	while (bucket_book(bucket, RATE, piece, now_ms) <= now_ms)
		n += piece;
	bucket_give_back(bucket, RATE, piece);
	return n;
}

static void
a_burst_is_bounded(void **state)
{
	static const size_t pieces[] = { 1000, 10000, 100000 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct bucket bucket = { 0 };

		assert_int_equal(take_at_once(&bucket, pieces[i], START), RATE * BUCKET_BURST_MS / 1000);
		assert_int_equal(take_at_once(&bucket, pieces[i], START), 0);
		assert_int_equal(take_at_once(&bucket, pieces[i], START + 60000), RATE * BUCKET_BURST_MS / 1000);
	}
}

static void
a_piece_that_is_longer_than_a_burst_waits(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	assert_int_equal(bucket_book(&bucket, RATE, RATE, START), START + 1000 - BUCKET_BURST_MS);
	assert_int_equal(bucket_book(&bucket, RATE, RATE, START), START + 2000 - BUCKET_BURST_MS);
}

/* However long it is, and whoever books: nothing is lost and nothing is given away. */
static void
over_time_exactly_the_rate_is_given(void **state)
{
	struct bucket bucket = { 0 };
	uint64_t now = START, bytes = 0;

	(void)state;
	while (now < START + 100000) {
		size_t n = 1 + (size_t)(bytes * 31 % 90000);

		now = bucket_book(&bucket, RATE, n, now);
		bytes += n;
	}
	assert_in_range(bytes, RATE * (now - START) / 1000 + RATE * BUCKET_BURST_MS / 1000 - RATE / 1000 * 2,
		RATE * (now - START) / 1000 + RATE * BUCKET_BURST_MS / 1000);
}

/* In turn, by what each booked: one that books half as much in its turn is behind, one that comes late is not. */
static void
who_books_in_turn_gets_the_same(void **state)
{
	struct bucket bucket = { 0 };
	uint64_t at[3] = { START, START, START + 5000 }, got[3] = { 0 }, now = START;

	(void)state;
	while (now < START + 20000) {
		size_t next = at[1] < at[0] ? 1 : 0;

		next = at[2] < at[next] ? 2 : next;
		now = at[next];
		got[next] += 50000;
		at[next] = bucket_book(&bucket, RATE, 50000, now);
	}
	assert_in_range(got[0], got[1] - 150000, got[1] + 150000);
	assert_in_range(got[2], 4900000, 5100000); /* a third of fifteen seconds */
}

static void
what_is_given_back_can_be_had(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	bucket_give_back(&bucket, RATE, 1000);
	assert_int_equal(bucket.booked_us, 0);
	assert_true(bucket_is_full(&bucket, START));
	bucket_book(&bucket, RATE, 500000, START);
	assert_false(bucket_is_full(&bucket, START + 499));
	assert_true(bucket_is_full(&bucket, START + 500));
	bucket_give_back(&bucket, RATE, 500000);
	assert_true(bucket_is_full(&bucket, START));
	assert_true(bucket_is_full(&(struct bucket){ 0 }, 0)); /* as soon as there is a clock */
}

static void
no_rate_is_too_large_or_too_small(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	assert_int_equal(bucket_book(&bucket, UINT64_C(1) << 60, SIZE_MAX, START), START + 14900);
	bucket = (struct bucket){ 0 };
	assert_int_equal(bucket_book(&bucket, UINT64_MAX, 1 << 30, START), START);
	assert_int_equal(bucket_book(&bucket, 1, 3, START), START + 3000 - BUCKET_BURST_MS);
	assert_int_equal(bucket_piece(1), 1024);
	assert_int_equal(bucket_piece(1 << 20), (1 << 20) / 20);
	assert_int_equal(bucket_piece(UINT64_MAX), UINT64_MAX / 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_bounded),
		cmocka_unit_test(a_piece_that_is_longer_than_a_burst_waits),
		cmocka_unit_test(over_time_exactly_the_rate_is_given),
		cmocka_unit_test(who_books_in_turn_gets_the_same),
		cmocka_unit_test(what_is_given_back_can_be_had),
		cmocka_unit_test(no_rate_is_too_large_or_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
