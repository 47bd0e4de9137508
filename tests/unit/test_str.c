// SPDX-License-Identifier: MIT
/* test_str.c - what clients send, made fit for JSON; globs; and sentences of errors. */
#include "base/error.h"
#include "base/str.h"

#include "lib/check.h"

static const struct {
	const char *text, *json;
} rows[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "\"\\/", "\"\\\"\\\\/\"" },
	{ "\t\r\n\x01\x1f\x7f", "\"\\u0009\\u000d\\u000a\\u0001\\u001f\\u007f\"" },
	{ "caf\xc3\xa9 \xf0\x9f\x93\xb7", "\"caf\xc3\xa9 \xf0\x9f\x93\xb7\"" },
	{ "\xff\xc3(\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
};

static void
any_text_becomes_a_string_of_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf out = { 0 };

		buf_add_json(&out, str_of(rows[i].text));
		assert_string_equal(out.data, rows[i].json);
		buf_free(&out);
	}
}

static void
a_glob_fits_all_of_a_text(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} globs[] = { { "", "", true }, { "*", "", true }, { "***", "", true }, { "a", "a", true },
		{ "a", "b", false }, { "a*", "a", true }, { "a**", "a", true }, { "?", "", false },
		{ "?", "\xc3\xa9", false }, { "??", "\xc3\xa9", true }, { "*b", "abab", true },
		{ "*b", "aba", false }, { "a*b*c", "a-b-b-c", true }, { "a*b*c", "a-c-b", false },
		{ "[a]", "a", false }, { "[a]", "[a]", true } };

	(void)state;
	for (size_t i = 0; i < sizeof globs / sizeof globs[0]; i++)
		if (glob_match(str_of(globs[i].pattern), str_of(globs[i].text)) != globs[i].fits)
			fail_msg("\"%s\" and \"%s\"", globs[i].pattern, globs[i].text);
}

static void
nothing_has_no_first_character(void **state)
{
	(void)state;
	assert_int_equal(utf8_length(STR("")), 0);
	assert_int_equal(utf8_length(STR("\xf0\x9f\x93")), 0);
	assert_int_equal(utf8_length(STR("\xf0\x9f\x93\xb7x")), 4);
}

static void
the_first_error_stays_and_gets_its_surroundings_in_front(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_false(error_wrap(&err, "route %s", "a")); /* nothing has gone wrong */
	assert_false(error_wrap(NULL, "route %s", "a"));
	assert_false(error_is_set(&err));
	assert_false(error_set(&err, ERR_RULE, "it is %s", "empty"));
	assert_false(error_set(&err, ERR_INTERNAL, "what came of it"));
	assert_false(error_wrap(&err, "field \"%s\"", "f"));
	assert_int_equal(err.kind, ERR_RULE);
	assert_string_equal(err.message, "field \"f\": it is empty");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_text_becomes_a_string_of_json),
		cmocka_unit_test(a_glob_fits_all_of_a_text),
		cmocka_unit_test(nothing_has_no_first_character),
		cmocka_unit_test(the_first_error_stays_and_gets_its_surroundings_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
