// SPDX-License-Identifier: MIT
/* test_scalar.c - sizes, times, numbers and switches of a route file; and the nearest word. */
#include "config/nearest.h"
#include "config/scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	bool (*read)(struct str text, uint64_t *out, struct error *err);
	uint64_t value;
	const char *error; /* NULL: it is good */
} rows[] = {
	{ "0", scalar_size, 0, NULL },
	{ "1023", scalar_size, 1023, NULL },
	{ "7B", scalar_size, 7, NULL },
	{ "64KiB", scalar_size, 65536, NULL },
	{ "15EiB", scalar_size, UINT64_C(15) << 60, NULL },
	{ "16EiB", scalar_size, 0, "16EiB is too large" },
	{ "18446744073709551616", scalar_size, 0, "18446744073709551616 is too large" },
	{ "64MB", scalar_size, 0, "unknown unit \"MB\"; did you mean \"MiB\"?" },
	{ "64mib", scalar_size, 0, "unknown unit \"mib\"; did you mean \"MiB\"?" },
	{ "64 MiB", scalar_size, 0, "\"64 MiB\" has a blank between number and unit" },
	{ "1.5GiB", scalar_size, 0, "\"1.5GiB\" has a fraction; use a smaller unit" },
	{ "1_000", scalar_size, 0, "\"1_000\": the digits of a number stand together" },
	{ "1,000ms", scalar_time, 0, "\"1,000ms\": the digits of a number stand together" },
	{ "-5MiB", scalar_size, 0, "-5MiB is negative" },
	{ "-5s", scalar_time, 0, "-5s is negative" },
	{ "-s", scalar_time, 0, "\"-s\" does not begin with a number" },
	{ "5XB", scalar_size, 0, "unknown unit \"XB\"; the units are B, KiB, MiB, GiB, TiB, PiB and EiB" },
	{ "MiB", scalar_size, 0, "\"MiB\" does not begin with a number" },
	{ "", scalar_size, 0, "\"\" does not begin with a number" },
	{ "500ms", scalar_time, 500, NULL },
	{ "30s", scalar_time, 30000, NULL },
	{ "2m", scalar_time, 120000, NULL },
	{ "1h", scalar_time, 3600000, NULL },
	{ "30", scalar_time, 0, "30 needs a unit: ms, s, m and h" },
	{ "30sec", scalar_time, 0, "unknown unit \"sec\"; did you mean \"s\"?" },
	{ "3MiB", scalar_time, 0, "unknown unit \"MiB\"; the units are ms, s, m and h" },
	{ "8MiB/s", scalar_rate, 8 << 20, NULL },
	{ "100/s", scalar_rate, 100, NULL },
	{ "8MiB", scalar_rate, 0, "\"8MiB\" is no rate; it is a size and \"/s\": 8MiB/s" },
	{ "", scalar_rate, 0, "\"\" is no rate; it is a size and \"/s\": 8MiB/s" },
	{ "8MB/s", scalar_rate, 0, "unknown unit \"MB\"; did you mean \"MiB\"?" },
	{ "8MiB/m", scalar_rate, 0, "\"8MiB/m\" is no rate; it is a size and \"/s\": 8MiB/s" },
	{ "18446744073709551615", scalar_count, UINT64_MAX, NULL },
	{ "18446744073709551616", scalar_count, 0, "18446744073709551616 is too large a number" },
	{ "-1", scalar_count, 0, "-1 is negative" },
	{ "0x10", scalar_count, 0, "\"0x10\" is not a whole number" },
	{ "1_000", scalar_count, 0, "\"1_000\" is not a whole number" },
};

static void
each_text_gives_its_value_or_its_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error err = { 0 };
		uint64_t value = 0;
		bool ok = rows[i].read(str_of(rows[i].text), &value, &err);

		assert_int_equal(ok, rows[i].error == NULL);
		assert_string_equal(err.message, ok ? "" : rows[i].error);
		if (ok)
			assert_true(value == rows[i].value);
	}
}

static void
only_true_and_false_are_switches(void **state)
{
	struct error err = { 0 };
	bool value = false;

	(void)state;
	assert_true(scalar_bool(STR("true"), &value, &err) && value);
	assert_true(scalar_bool(STR("false"), &value, &err) && !value);
	assert_false(scalar_bool(STR("yes"), &value, &err));
	assert_string_equal(err.message, "\"yes\" is neither true nor false");
}

static void
a_value_is_shown_in_its_largest_whole_unit(void **state)
{
	struct buf out = { 0 };

	(void)state;
	scalar_add_size(&out, 1536);
	buf_add_char(&out, ' ');
	scalar_add_size(&out, UINT64_C(64) << 20);
	buf_add_char(&out, ' ');
	scalar_add_size(&out, 0);
	buf_add_char(&out, ' ');
	scalar_add_time(&out, 90000);
	buf_add_char(&out, ' ');
	scalar_add_time(&out, 0);
	assert_string_equal(out.data, "1536B 64MiB 0B 90s 0s");
	buf_free(&out);
}

static const char *
nearest_of(const char *word)
{
	static const char *const known[] = { "max_size", "max_count", "name", "kind", "nth" };
	struct nearest nearest = { .word = str_of(word) };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		nearest_offer(&nearest, known[i]);
	return nearest.best != NULL ? nearest.best : "";
}

static void
a_slip_is_near_and_another_word_is_not(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("max_sise"), "max_size");
	assert_string_equal(nearest_of("maxSize"), "max_size");
	assert_string_equal(nearest_of("MAX-COUNT"), "max_count");
	assert_string_equal(nearest_of("nmae"), "name");
	assert_string_equal(nearest_of("digest"), "");
	assert_string_equal(nearest_of(""), "");
	assert_int_equal(nearest_distance(STR("ab"), STR("ba")), 1);
	assert_int_equal(nearest_distance(STR("kitten"), STR("sitting")), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_gives_its_value_or_its_sentence),
		cmocka_unit_test(only_true_and_false_are_switches),
		cmocka_unit_test(a_value_is_shown_in_its_largest_whole_unit),
		cmocka_unit_test(a_slip_is_near_and_another_word_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
