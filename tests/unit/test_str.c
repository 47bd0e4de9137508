// SPDX-License-Identifier: MIT
/* test_str.c - what clients send, made fit for JSON; globs; and sentences of errors. */
#include "base/error.h"
#include "base/mem.h"
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
what_has_no_room_has_failed_and_takes_nothing_more(void **state)
{
	struct buf huge = { 0 }, poor = { 0 };

	(void)state;
	buf_make_room(&huge, SIZE_MAX);
	assert_true(huge.failed);
	buf_free(&huge);
	mem_fail(1, 1);
	buf_add_text(&poor, "a");
	mem_fail(0, 0);
	buf_make_room(&poor, 1);
	assert_true(poor.failed);
	assert_null(poor.data);
	buf_free(&poor);
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
	assert_false(error_no_room(&err, "for what came of it"));
	assert_false(error_no_room(NULL, "for whom nobody asks"));
	assert_string_equal(err.limit, "");
	assert_false(error_wrap(&err, "field \"%s\"", "f"));
	assert_int_equal(err.kind, ERR_RULE);
	assert_string_equal(err.message, "field \"f\": it is empty");
}

/* Each byte, at each place of what is looked at eight bytes at a time. */
static void
control_bytes_are_seen_wherever_they_stand(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 20; len++) {
		for (unsigned c = 0; c < 256 * len; c++) {
			char text[20];
			unsigned char byte = (unsigned char)(c % 256);

			memset(text, 'a', sizeof text);
			text[c / 256] = (char)byte;
			if (str_has_control((struct str){ text, len }) !=
				((byte < 0x20 && byte != '\t') || byte == 0x7f))
				fail_msg("byte %u at %u of %zu", byte, c / 256, len);
		}
	}
	assert_true(str_has_control(STR("a tab\tand then\x01one")));
	assert_false(str_has_control(STR("a tab\tand then none")));
}

static void
tokens_are_made_of_what_the_rfc_lists(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bool is_one = c != 0 &&
			strchr("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
				(int)c) != NULL;

		if (str_is_token_char((char)c) != is_one)
			fail_msg("%u", c);
	}
}

/* No other byte is taken for another one because it differs from it by the bit that cases do. */
static void
letters_alone_have_cases(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			char one[2] = { (char)a, '\0' }, other[2] = { (char)b, '\0' };
			unsigned lower_a = a >= 'A' && a <= 'Z' ? a + 32 : a;
			unsigned lower_b = b >= 'A' && b <= 'Z' ? b + 32 : b;

			if (str_equal_nocase((struct str){ one, 1 }, (struct str){ other, 1 }) !=
				(lower_a == lower_b))
				fail_msg("%u and %u", a, b);
			if (b != 0 && str_starts_nocase((struct str){ one, 1 }, other) != (lower_a == lower_b))
				fail_msg("%u begins with %u", a, b);
		}
	}
	assert_true(str_starts_nocase(STR("Content-Type: x"), "content-TYPE:"));
	assert_true(str_starts_nocase(STR("x"), ""));
	assert_false(str_starts_nocase(STR("Content"), "content-type"));
	assert_false(str_starts_nocase(STR_NONE, "a"));
}

static void
texts_and_numbers_are_written_whole(void **state)
{
	struct buf out = { 0 };

	(void)state;
	buf_add_u64(&out, 0);
	buf_addf(&out, " %.*s ", 200, "");
	buf_add_u64(&out, UINT64_MAX);
	assert_string_equal(out.data, "0  18446744073709551615");
	for (int n = 0; n < 300; n++) { /* the room that is there is passed at some of them */
		size_t before = out.len;

		buf_addf(&out, "%0*d", n, 0);
		assert_int_equal(out.len, before + (n > 0 ? (size_t)n : 1));
		assert_int_equal(strlen(out.data), out.len);
	}
	assert_false(out.failed);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_text_becomes_a_string_of_json),
		cmocka_unit_test(what_has_no_room_has_failed_and_takes_nothing_more),
		cmocka_unit_test(a_glob_fits_all_of_a_text),
		cmocka_unit_test(control_bytes_are_seen_wherever_they_stand),
		cmocka_unit_test(tokens_are_made_of_what_the_rfc_lists),
		cmocka_unit_test(letters_alone_have_cases),
		cmocka_unit_test(texts_and_numbers_are_written_whole),
		cmocka_unit_test(nothing_has_no_first_character),
		cmocka_unit_test(the_first_error_stays_and_gets_its_surroundings_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
