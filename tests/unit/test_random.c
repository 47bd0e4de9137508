// SPDX-License-Identifier: MIT
/* Random bytes and the names that are made of them: none twice, also over the end of what was fetched at once, and on any thread. */
#include "base/random.h"
#include "base/str.h"
#include "base/uuid.h"

#include "lib/check.h"

#include <pthread.h>
#include <stdlib.h>

#define N 2000

static int
by_text(const void *a, const void *b)
{
	return memcmp(a, b, UUID_SIZE);
}

static void *
make_many(void *arg)
{
	char(*out)[UUID_SIZE] = arg;

	for (size_t i = 0; i < N / 2; i++)
		uuid_make(out[i]);
	return NULL;
}

static void
test_no_uuid_comes_twice(void **state)
{
	static char all[N][UUID_SIZE];
	pthread_t other;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, make_many, all[N / 2]), 0);
	make_many(all[0]);
	assert_int_equal(pthread_join(other, NULL), 0);
	qsort(all, N, UUID_SIZE, by_text);
	for (size_t i = 1; i < N; i++)
		assert_string_not_equal(all[i - 1], all[i]);
}

static void
test_a_uuid_has_its_form(void **state)
{
	char uuid[UUID_SIZE];

	(void)state;
	for (size_t n = 0; n < N; n++) {
		uuid_make(uuid);
		assert_int_equal(strlen(uuid), 36);
		for (size_t i = 0; i < 36; i++)
			if (i == 8 || i == 13 || i == 18 || i == 23)
				assert_int_equal(uuid[i], '-');
			else
				assert_true(str_hex_value(uuid[i]) >= 0 && (uuid[i] < 'A' || uuid[i] > 'F'));
		assert_int_equal(uuid[14], '4');
		assert_true(strchr("89ab", uuid[19]) != NULL);
	}
}

/* Of each length, so that the end of what was fetched is met at every distance. */
static void
test_every_bit_varies(void **state)
{
	(void)state;
	for (size_t len = 1; len <= RANDOM_MOST; len++) {
		unsigned char some[RANDOM_MOST] = { 0 }, all[RANDOM_MOST];

		memset(all, 0xff, sizeof all);
		for (int n = 0; n < 100; n++) {
			unsigned char bytes[RANDOM_MOST + 1] = { 0 };

			random_bytes(bytes, len);
			assert_int_equal(bytes[len], 0);
			for (size_t i = 0; i < len; i++) {
				some[i] |= bytes[i];
				all[i] &= bytes[i];
			}
		}
		for (size_t i = 0; i < len; i++)
			assert_true(some[i] == 0xff && all[i] == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_uuid_comes_twice),
		cmocka_unit_test(test_a_uuid_has_its_form),
		cmocka_unit_test(test_every_bit_varies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
