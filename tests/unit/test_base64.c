// SPDX-License-Identifier: MIT
/* test_base64.c - bytes as base64 and back. */
#include "base/base64.h"

#include "lib/check.h"

#include <string.h>

static const struct {
	const char *hex, *base64;
} rows[] = {
	/* RFC 4648 section 10 */
	{ "", "" },
	{ "66", "Zg==" },
	{ "666f", "Zm8=" },
	{ "666f6f", "Zm9v" },
	{ "666f6f62", "Zm9vYg==" },
	{ "666f6f6261", "Zm9vYmE=" },
	{ "666f6f626172", "Zm9vYmFy" },
	{ "00ff10fbefbf", "AP8Q+++/" },
};

static void
hex_becomes_base64(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf out = { 0 };

		buf_add_char(&out, ':');
		base64_add_hex(&out, str_of(rows[i].hex));
		buf_add_char(&out, '\0');
		assert_string_equal(out.data + 1, rows[i].base64);
		assert_int_equal(strlen(rows[i].base64), BASE64_LENGTH(strlen(rows[i].hex) / 2));
		buf_free(&out);
	}
}

static void
base64_becomes_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].hex) / 2;
		unsigned char out[8] = { 0 };

		assert_true(base64_read((struct str){ rows[i].base64, BASE64_DIGITS(n) }, out));
		for (size_t k = 0; k < n; k++)
			assert_int_equal(out[k],
				str_hex_value(rows[i].hex[2 * k]) * 16 + str_hex_value(rows[i].hex[2 * k + 1]));
		assert_int_equal(out[n], 0);
	}
}

static void
what_is_no_digit_is_not_read(void **state)
{
	static const struct str bad[] = { STR("Zg=="), STR("Z-9v"), STR("Zm9_"), STR(" Zm9"), STR("Zm\0v") };
	unsigned char out[8];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(base64_read(bad[i], out));
	assert_true(base64_read(STR("Zh"), out) && out[0] == 'f'); /* bits that say nothing */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_becomes_base64),
		cmocka_unit_test(base64_becomes_bytes),
		cmocka_unit_test(what_is_no_digit_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
