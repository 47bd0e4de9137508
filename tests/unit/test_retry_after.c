// SPDX-License-Identifier: MIT
/* test_retry_after.c - when a store asks to come again, from the lines of its answer's head. */
#include "sink/retry_after.h"

#include "lib/check.h"

#define DATE "Date: Sun, 29 Nov 2026 08:00:00 GMT\r\n"

static const struct {
	const char *lines[2];
	unsigned want;
} rows[] = {
	{ { "Retry-After: 7\r\n", NULL }, 7 },
	{ { "retry-AFTER:0\r\n", NULL }, 0 },
	{ { "Retry-After: 86400\r\n", NULL }, 86400 },
	{ { "Retry-After: 86401\r\n", NULL }, 86400 },
	{ { "Retry-After: 99999999999999999999999\r\n", NULL }, 0 },
	{ { "Retry-After: -1\r\n", NULL }, 0 },
	{ { "Retry-After: soon\r\n", NULL }, 0 },
	{ { "Retry-After:\r\n", NULL }, 0 },
	{ { "X-Retry-After: 7\r\n", NULL }, 0 },
	{ { DATE, "Retry-After: Sun, 29 Nov 2026 08:02:00 GMT\r\n" }, 120 },
	{ { "Retry-After: Sun, 29 Nov 2026 08:02:00 GMT\r\n", DATE }, 120 },
	{ { DATE, "Retry-After: Sun, 29 Nov 2026 08:00:00 GMT\r\n" }, 0 },
	{ { DATE, "Retry-After: Sun, 29 Nov 2026 07:59:59 GMT\r\n" }, 0 },
	{ { DATE, "Retry-After: Mon, 29 Nov 2027 08:00:00 GMT\r\n" }, 86400 },
	{ { DATE, "Retry-After: Sun, 29 Nov 2026 08:02:00 UTC\r\n" }, 0 },
	{ { DATE, "Retry-After: Sunday, 29-Nov-26 08:02:00 GMT\r\n" }, 0 },
	{ { "Retry-After: Sun, 29 Nov 2026 08:02:00 GMT\r\n", NULL }, 0 }, /* by whose clock? */
	{ { "Date: now\r\n", "Retry-After: Sun, 29 Nov 2026 08:02:00 GMT\r\n" }, 0 },
	{ { DATE, NULL }, 0 },
};

static void
seconds_and_times_of_the_stores_clock_are_heard(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct retry_after said = { 0 };

		for (size_t k = 0; k < 2 && rows[i].lines[k] != NULL; k++)
			retry_after_note(&said, str_of(rows[i].lines[k]));
		if (retry_after_seconds(&said) != rows[i].want)
			print_message("row %zu\n", i);
		assert_int_equal(retry_after_seconds(&said), rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(seconds_and_times_of_the_stores_clock_are_heard) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
