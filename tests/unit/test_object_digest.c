// SPDX-License-Identifier: MIT
/* test_object_digest.c - the digests of a part, as they go with its object: those that RFC 9530 has, in base64. */
#include "part/object_digest.h"

#include "lib/check.h"

static void
what_goes_with_an_object(void **state)
{
	static const struct {
		bool says;
		const char *facts[4];
		const char *value;
	} rows[] = {
		{ false, { "sha256" }, NULL },
		{ true, { "sha256" }, "sha-256=:Zm9v:" },
		{ true, { "sha512" }, "sha-512=:Zm9v:" },
		{ true, { "md5", "sha512", "crc32c", "sha256" }, "sha-256=:Zm9v:, sha-512=:Zm9v:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct delivery delivery = { .order.says_digest = rows[i].says };
		struct facts facts = { 0 };

		for (size_t k = 0; k < 4 && rows[i].facts[k] != NULL; k++)
			assert_true(facts_add(&facts, rows[i].facts[k], STR("666f6f")));
		assert_true(object_digest_say(&delivery, &facts));
		if (rows[i].value == NULL)
			assert_null(delivery.order.digest);
		else
			assert_string_equal(delivery.order.digest, rows[i].value);
		facts_free(&facts);
		buf_free(&delivery.digest);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_with_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
