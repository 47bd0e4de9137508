// SPDX-License-Identifier: MIT
/* What is kept comes back as it was, and what is taken out again leaves no chunk behind. */
#include "lib/check.h"
#include "part/keep.h"

#include <string.h>

static struct pool *pool;

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	pool = pool_new(64 * CHUNK_SIZE, &err);
	return pool != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	pool_free(pool); /* which checks that every chunk is back */
	return 0;
}

static void
check_content(const struct kept *kept, char expected, size_t length)
{
	size_t len;

	assert_int_equal(kept->length, length);
	for (uint64_t at = 0; at < length; at += len) {
		const char *data = kept_at(kept, at, &len);

		assert_true(len > 0);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(data[i], expected);
	}
}

static void
add(struct keep *keep, struct kept *kept, char what, size_t length)
{
	char piece[1000];

	memset(piece, what, sizeof piece);
	for (size_t n; length > 0; length -= n) {
		n = length < sizeof piece ? length : sizeof piece;
		assert_true(keep_add(keep, kept, piece, n));
	}
}

static void
taking_the_only_part_out_gives_its_chunks_back(void **state)
{
	struct keep keep;
	struct kept kept = { 0 };
	size_t before = pool_available(pool);

	(void)state;
	keep_init(&keep, pool);
	add(&keep, &kept, 'a', 16384);
	assert_true(pool_available(pool) < before);
	keep_rewind(&keep, &kept);
	assert_int_equal(pool_available(pool), before);
	assert_int_equal(kept.length, 0);
	keep_fini(&keep);
}

static void
taking_one_out_leaves_those_before_it(void **state)
{
	static const size_t lengths[] = { 1, 1000, 16384, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1,
		3 * CHUNK_SIZE };
	size_t n = sizeof lengths / sizeof lengths[0];

	(void)state;
	for (size_t i = 0; i < n * n; i++) {
		struct keep keep;
		struct kept first = { 0 }, second = { 0 }, third = { 0 };
		size_t left;

		keep_init(&keep, pool);
		add(&keep, &first, 'a', lengths[i / n]);
		left = pool_available(pool);
		add(&keep, &second, 'b', lengths[i % n]);
		keep_rewind(&keep, &second);
		assert_int_equal(pool_available(pool), left);
		add(&keep, &third, 'c', lengths[i % n]);
		check_content(&first, 'a', lengths[i / n]);
		check_content(&third, 'c', lengths[i % n]);
		keep_fini(&keep);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taking_the_only_part_out_gives_its_chunks_back),
		cmocka_unit_test(taking_one_out_leaves_those_before_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
