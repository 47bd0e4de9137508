// SPDX-License-Identifier: MIT
/* test_claims.c - digests that a part says of its own bytes: those that are so are taken, and a form with any other is refused, as is one
 * in which they cannot be read; however the part is cut, and for one part of a form after another. */
#include "stage/claims.h"
#include "stage/stages.h"

#include "lib/check.h"

#include <string.h>

#define CD VERIFY_CONTENT_DIGEST
#define RD VERIFY_REPR_DIGEST
#define MD5 VERIFY_CONTENT_MD5

/* Of "hello". */
#define SHA256 "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
#define SHA512 "m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw=="
#define OTHER "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCR="
#define WRONG "MPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="

#define UNREAD(name) "its " name " cannot be read"
#define NONE_KNOWN "its content-digest has no digest that is compared here: sha-256, sha-512, sha, md5, crc32c"

static const struct {
	unsigned headers;
	const char *lines;   /* "Name: value|..." */
	const char *message; /* NULL: taken */
} rows[] = {
	{ CD, "", NULL },
	{ CD, "Content-Digest: sha-256=:" SHA256 ":", NULL },
	{ CD, "CONTENT-digest:  sha-256=:" SHA256 ":  ", NULL },
	{ CD, "content-digest: sha-512=:" SHA512 ":", NULL },
	{ CD, "content-digest: sha=:qvTGHdzF6KLavt4PO0gs2a6pQ00=:, md5=:XUFAKrxLKna5cZ2REBfFkg==:,\tcrc32c=:mnG7TA==:",
		NULL },
	{ CD, "content-digest: md5=:XUFAKrxLKna5cZ2REBfFkg:", NULL }, /* without its padding */
	{ CD, "content-digest: sha-256=:" OTHER ":", NULL },          /* bits that say nothing */
	{ CD, "content-digest: x.y_*-9=::, sha-256=:" SHA256 ":", NULL },
	{ CD | RD, "repr-digest: sha-256=:" SHA256 ":|content-digest: sha-512=:" SHA512 ":", NULL },
	{ MD5, "content-md5: XUFAKrxLKna5cZ2REBfFkg==", NULL },
	{ MD5, "content-digest: sha-256=:" WRONG ":", NULL }, /* of which the rule says nothing */
	{ CD | RD | MD5,
		"content-md5: XUFAKrxLKna5cZ2REBfFkg==|repr-digest: sha-256=:" SHA256
		":|content-digest: sha-256=:" SHA256 ":",
		NULL },
	/* not so */
	{ CD, "content-digest: sha-256=:" WRONG ":", "its bytes have another sha256 than its content-digest says" },
	{ CD, "content-digest: md5=:XUFAKrxLKna5cZ2REBfFkg==:, sha-256=:" WRONG ":",
		"its bytes have another sha256 than its content-digest says" },
	{ CD | RD, "content-digest: sha-256=:" SHA256 ":|repr-digest: sha-256=:" WRONG ":",
		"its bytes have another sha256 than its repr-digest says" },
	{ CD, "content-digest: crc32c=:mnG7TB==:", NULL },
	{ CD, "content-digest: crc32c=:mnG7SA==:", "its bytes have another crc32c than its content-digest says" },
	{ MD5, "content-md5: YUFAKrxLKna5cZ2REBfFkg==", "its bytes have another md5 than its content-md5 says" },
	/* cannot be read */
	{ CD, "content-digest: ", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=" SHA256, UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=:" SHA256, UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=:" SHA256 ":,", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=:" SHA256 ": md5=::", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=:" SHA256 ":;a=b", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=:" SHA256 ":, sha-256=:" SHA256 ":", UNREAD("content-digest") },
	{ CD, "content-digest: =:" SHA256 ":", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=::", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=:mnG7TA==:", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=:" SHA512 ":", UNREAD("content-digest") },
	{ CD, "content-digest: sha-256=:" SHA256 "=:", UNREAD("content-digest") },
	{ CD, "content-digest: md5=:XUFAKrxLKna5cZ2REBfF_g==:", UNREAD("content-digest") },
	{ CD, "content-digest: md5=:XUFAKrxL na5cZ2REBfFkg==:", UNREAD("content-digest") },
	{ MD5, "content-md5: 5d41402abc4b2a76b9719d911017c592", UNREAD("content-md5") },
	{ MD5, "content-md5:", UNREAD("content-md5") },
	{ RD, "repr-digest: sha-256=:" SHA256 ":|Repr-Digest: sha-256=:" SHA256 ":",
		"its repr-digest stands twice" },
	/* nothing to compare */
	{ CD, "content-digest: sha3=:" SHA256 ":", NONE_KNOWN },
	{ CD, "content-digest: SHA-256=:" SHA256 ":", UNREAD("content-digest") },
};

static bool
nth_line(const void *arg, struct str name, size_t nth, struct str *value)
{
	struct str rest = str_of(arg);

	while (rest.len > 0) {
		size_t len = strcspn(rest.data, "|"), colon = strcspn(rest.data, ":");

		*value = str_trim((struct str){ rest.data + colon + 1, len - colon - 1 });
		if (str_equal_nocase((struct str){ rest.data, colon }, name) && nth-- == 0)
			return true;
		len += len < rest.len;
		rest = (struct str){ rest.data + len, rest.len - len };
	}
	return false;
}

static bool
send(struct stages *stages, const struct rule *rule, const char *lines, size_t step, struct facts *facts,
	struct error *err)
{
	static const struct route route = { .limits = { .values = LIMIT_NONE } };
	struct stage_part part = { .route = &route,
		.rule = rule,
		.facts = facts,
		.at = 10,
		.data_at = 100,
		.header = lines != NULL ? nth_line : NULL,
		.header_arg = lines };

	if (!stages_begin(stages, &part, err))
		return false;
	for (size_t at = 0; at < 5; at += step)
		if (!stages_look(stages, "hello" + at, 5 - at < step ? 5 - at : step, err))
			return false;
	return stages_end(stages, err);
}

static void
check_row(size_t row, size_t step)
{
	struct rule rule = { .max_size = LIMIT_NONE, .verify = { .headers = rows[row].headers } };
	struct stages *stages = stages_new(NULL);

	for (int i = 0; i < 2; i++) { /* two parts of a form */
		struct facts facts = { 0 };
		struct error err = { 0 };
		bool ok = send(stages, &rule, rows[row].lines, step, &facts, &err);

		if (ok != (rows[row].message == NULL) || strcmp(err.message, ok ? "" : rows[row].message) != 0)
			fail_msg("%s: %s", rows[row].lines, err.message);
		assert_int_equal(facts.n, 0);
		if (!ok) {
			assert_int_equal(err.kind, ERR_RULE);
			assert_string_equal(err.limit, "verify");
			assert_true(err.offset == (strstr(err.message, "its bytes") != NULL ? 105u : 10u));
			break;
		}
	}
	stages_free(stages);
}

static void
what_a_part_says_of_its_bytes_has_to_be_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t step = 1; step <= 5; step += 2)
			check_row(i, step);
}

/* What was asked for besides is a fact all the same, and what was only compared is none. */
static void
what_is_compared_is_not_told(void **state)
{
	struct rule rule = { .max_size = LIMIT_NONE, .digests = DIGEST_MD5, .verify = { .headers = CD } };
	struct stages *stages = stages_new(NULL);
	struct facts facts = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(send(stages, &rule, "content-digest: sha-256=:" SHA256 ":, md5=:XUFAKrxLKna5cZ2REBfFkg==:", 2,
		&facts, &err));
	assert_int_equal(facts.n, 1);
	assert_string_equal(facts_find(&facts, "md5"), "5d41402abc4b2a76b9719d911017c592");
	facts_free(&facts);
	stages_free(stages);
}

static void
a_part_that_says_nothing_is_taken_or_refused(void **state)
{
	static const char *const nothing[] = { NULL, "", "content-type: a/b",
		"content-md5: XUFAKrxLKna5cZ2REBfFkg==" };

	(void)state;
	for (int refuses = 0; refuses < 2; refuses++)
		for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
			struct rule rule = { .max_size = LIMIT_NONE,
				.verify = { .headers = CD | RD, .refuses_missing = refuses } };
			struct stages *stages = stages_new(NULL);
			struct facts facts = { 0 };
			struct error err = { 0 };

			assert_int_equal(send(stages, &rule, nothing[i], 5, &facts, &err), !refuses);
			if (refuses)
				assert_string_equal(
					err.message, "it says no digest of its bytes, and its rule wants one");
			stages_free(stages);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_part_says_of_its_bytes_has_to_be_so),
		cmocka_unit_test(what_is_compared_is_not_told),
		cmocka_unit_test(a_part_that_says_nothing_is_taken_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
