// SPDX-License-Identifier: MIT
/* test_str.c - what clients send, made fit for JSON. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_text_becomes_a_string_of_json) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
