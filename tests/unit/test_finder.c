// SPDX-License-Identifier: MIT
/* test_finder.c - the text of a delimiter is found where it stands first, by each of the ways in which blocks are skipped: the one for
 * this processor, and the one for those that have less. */
#include "source/multipart/finder.c" // NOLINT(bugprone-suspicious-include): both ways are its own

#include "lib/check.h"

#define SIZE 4096u
#define N_ROUNDS 4000

static uint32_t seed = 1;

static uint32_t
any(uint32_t most)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % most;
}

/* Of few different bytes, so that much of it looks like the beginning of a text. */
static void
fill(char *bytes, size_t len)
{
	static const char few[] = "--\r\nab";
	uint32_t kinds = any(3);

	for (size_t i = 0; i < len; i++)
		bytes[i] = kinds == 0 ? few[any(sizeof few - 1)] : (char)any(kinds == 1 ? 256 : 2);
}

static size_t
count_returns(const char *p, const char *end)
{
	size_t n = 0;

	for (; p < end; p++)
		n += *p == '\r';
	return n;
}

/* What it skips has no beginning of the text, and what it has counted are the carriage returns of that, and of one block more. */
static void
check_skip(const char *(*pass)(const struct finder *finder, const char *p, const char *end, size_t *returns),
	const struct finder *finder, const char *p, const char *end)
{
	size_t returns = 7, left;
	const char *stop = pass(finder, p, end, &returns);

	assert_true(stop >= p && stop <= end && (size_t)(stop - p) % BLOCK == 0);
	for (const char *at = p; at < stop; at++)
		assert_false(at[0] == '-' && at[finder->len - 1] == finder->text[finder->len - 1]);
	left = (size_t)(end - stop);
	if (left >= BLOCK + finder->len - 1) /* it stopped for a reason */
		stop += BLOCK;
	assert_int_equal(returns, 7 + count_returns(p, stop));
}

static void
make(struct finder *finder)
{
	struct boundary boundary = { .len = 1 + any(70) };

	for (size_t i = 0; i < boundary.len; i++)
		boundary.text[i] = "ab-"[any(3)];
	finder_init(finder, &boundary);
}

static void
blocks_are_skipped_alike(void **state)
{
	char bytes[SIZE];
	struct finder finder;

	(void)state;
	for (int round = 0; round < N_ROUNDS; round++) {
		size_t from = any(64), len = any(SIZE - 64);

		make(&finder);
		fill(bytes, sizeof bytes);
		check_skip(skip_blocks, &finder, bytes + from, bytes + from + len);
#ifdef __x86_64__
		if (__builtin_cpu_supports("avx2"))
			check_skip(skip_blocks_avx2, &finder, bytes + from, bytes + from + len);
#endif
	}
}

/* Where memmem() finds it. */
static void
the_first_is_found(void **state)
{
	char bytes[SIZE];
	struct finder finder;

	(void)state;
	for (int round = 0; round < N_ROUNDS; round++) {
		size_t returns = 0, len = any(SIZE);
		const char *expected;

		make(&finder);
		fill(bytes, sizeof bytes);
		if (len > finder.len && any(4) != 0)
			memcpy(bytes + any((uint32_t)(len - finder.len)), finder.text, finder.len);
		expected = memmem(bytes, len, finder.text, finder.len);
		assert_ptr_equal(finder_find(&finder, bytes, bytes + len, &returns),
			expected != NULL ? expected : bytes + len);
		assert_true(returns <= count_returns(bytes, bytes + len));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_skipped_alike),
		cmocka_unit_test(the_first_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
