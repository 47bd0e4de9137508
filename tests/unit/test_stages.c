// SPDX-License-Identifier: MIT
/* test_stages.c - what stages find and refuse is the same however a part is cut into pieces, for one part of a form after
 * another; and facts stand in one order. */
#include "base/crc.h"
#include "base/mem.h"
#include "stage/stages.h"

#include "lib/check.h"
#include "lib/random_bytes.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define DATA_AT 100u
#define ALL_DIGESTS (DIGEST_SHA256 | DIGEST_SHA512 | DIGEST_SHA1 | DIGEST_MD5 | DIGEST_CRC32C | DIGEST_CRC64NVME)

static const size_t steps[] = { 1, 7, 1000, SIZE_MAX };

#define EACH(i, list)                                                                                              \
	size_t i = 0;                                                                                              \
	i < sizeof(list) / sizeof(list)[0];                                                                        \
	i++

static bool
send_part(struct stages *stages, const struct stage_part *part, const char *data, size_t len, size_t step,
	struct error *err)
{
	if (!stages_begin(stages, part, err))
		return false;
	for (size_t at = 0, n; at < len; at += n) {
		n = len - at < step ? len - at : step;
		if (!stages_look(stages, data + at, n, err))
			return false;
	}
	return stages_end(stages, err);
}

/* -- limits ------------------------------------------------------------------------------------------- */

#define LONGEST 64u

static const struct {
	uint64_t max_size, min_size, max_values;
	size_t before; /* bytes of a value part that came first */
	size_t len;
	bool is_value, required;
	enum error_kind kind;
	const char *limit, *message;
	uint64_t offset;
} limit_rows[] = {
	{ 10, 0, 99, 0, 10, false, false, ERR_NONE, "", "", 0 },
	{ 10, 0, 99, 0, 11, false, false, ERR_TOO_LARGE, "max_size", "over max_size of 10 bytes", 110 },
	{ 1, 0, 99, 0, 64, false, false, ERR_TOO_LARGE, "max_size", "over max_size of 1 byte", 101 },
	{ 0, 0, 99, 0, 1, false, false, ERR_TOO_LARGE, "max_size", "over max_size of 0 bytes", 100 },
	{ 0, 0, 99, 0, 0, false, false, ERR_NONE, "", "", 0 },
	{ LIMIT_NONE, 0, 20, 5, 15, true, false, ERR_NONE, "", "", 0 },
	{ LIMIT_NONE, 0, 20, 5, 16, true, false, ERR_TOO_LARGE, "values", "over values of 20 bytes", 115 },
	{ LIMIT_NONE, 0, 20, 5, 64, false, false, ERR_NONE, "", "", 0 }, /* files do not count */
	{ 14, 0, 20, 5, 64, true, false, ERR_TOO_LARGE, "max_size", "over max_size of 14 bytes", 114 },
	{ 16, 0, 20, 5, 64, true, false, ERR_TOO_LARGE, "values", "over values of 20 bytes", 115 },
	{ LIMIT_NONE, 4, 99, 0, 4, false, false, ERR_NONE, "", "", 0 },
	{ LIMIT_NONE, 4, 99, 0, 3, false, false, ERR_RULE, "min_size", "under min_size of 4 bytes", 103 },
	{ LIMIT_NONE, 1, 99, 0, 0, false, false, ERR_RULE, "min_size", "it is empty", 100 },
	{ LIMIT_NONE, 1, 99, 0, 0, false, true, ERR_RULE, "min_size", "it is required and empty", 100 },
};

static void
check_limits(size_t row, size_t step, bool has_rule)
{
	static const char data[LONGEST];
	struct route route = { .limits = { .values = limit_rows[row].max_values } };
	struct rule any = { .max_size = LIMIT_NONE };
	struct rule rule = { .max_size = limit_rows[row].max_size,
		.min_size = limit_rows[row].min_size,
		.required = limit_rows[row].required };
	struct facts facts = { 0 };
	struct stage_part part = { .route = &route, .rule = &any, .data_at = DATA_AT, .facts = &facts };
	struct stages *stages = stages_new(NULL);
	struct error err = { 0 };
	bool ok;

	assert_true(send_part(stages, &part, data, limit_rows[row].before, step, &err));
	part.filename = limit_rows[row].is_value ? STR_NONE : STR("f");
	part.rule = has_rule ? &rule : NULL;
	ok = send_part(stages, &part, data, limit_rows[row].len, step, &err);
	assert_int_equal(ok, err.kind == ERR_NONE);
	if (has_rule || strcmp(limit_rows[row].limit, "values") == 0) {
		assert_int_equal(err.kind, limit_rows[row].kind);
		assert_string_equal(err.limit, limit_rows[row].limit);
		assert_string_equal(err.message, limit_rows[row].message);
		assert_true(ok || err.offset == limit_rows[row].offset);
	}
	assert_int_equal(facts.n, 0);
	stages_free(stages);
}

static void
a_limit_is_passed_at_the_same_byte_however_the_part_is_cut(void **state)
{
	(void)state;
	for (EACH(row, limit_rows))
		for (EACH(s, steps)) {
			check_limits(row, steps[s], true);
			check_limits(row, steps[s], false); /* `default: drop`: only the route's own limit */
		}
}

/* Random bytes, the same in each run. */
static void
fill(char *bytes, size_t n)
{
	uint64_t random = 47;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)random_below(&random, 256);
}

/* -- digests ------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	const EVP_MD *(*md)(void);
	enum crc crc;
	const char *of_abc;
} digests[] = {
	/* in the order of facts */
	{ "sha256", EVP_sha256, CRC_32C, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "sha512", EVP_sha512, CRC_32C,
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ "sha1", EVP_sha1, CRC_32C, "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "md5", EVP_md5, CRC_32C, "900150983cd24fb0d6963f7d28e17f72" },
	{ "crc32c", NULL, CRC_32C, "364b3fb7" },
	{ "crc64nvme", NULL, CRC_64NVME, "05e5cabb3fc1faeb" },
};

static void
check_digest(size_t i, const char *hex, const char *data, size_t len)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char want[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n = 0;

	if (digests[i].md == NULL) {
		snprintf(want, sizeof want, "%0*llx", digests[i].crc == CRC_32C ? 8 : 16,
			(unsigned long long)crc_add_by(CRC_BY_TABLE, digests[i].crc, 0, data, len));
	} else {
		assert_int_equal(EVP_Digest(data, len, sum, &n, digests[i].md(), NULL), 1);
		for (unsigned at = 0; at < n; at++)
			snprintf(want + 2 * at, 3, "%02x", sum[at]);
	}
	assert_string_equal(hex, want);
}

static void
every_digest_is_that_of_all_bytes(void **state)
{
	static const size_t lengths[] = { 3, 0, 1, 32767, 32768, 32769, 300000 };
	static const struct route route = { .limits = { .values = LIMIT_NONE } };
	static const struct rule rule = { .max_size = LIMIT_NONE, .digests = ALL_DIGESTS };
	char *data = malloc(300000);

	(void)state;
	fill(data, 300000);
	for (EACH(s, steps)) {
		struct stages *stages = stages_new(NULL); /* one form, of which each length is a part */

		for (EACH(l, lengths)) {
			struct facts facts = { 0 };
			struct stage_part part = { .route = &route, .rule = &rule, .facts = &facts };
			struct error err = { 0 };

			assert_true(send_part(stages, &part, data, lengths[l], steps[s], &err));
			assert_int_equal(facts.n, sizeof digests / sizeof digests[0]);
			for (size_t i = 0; i < facts.n; i++) {
				assert_string_equal(facts.list[i].name, digests[i].name);
				check_digest(i, facts.list[i].text, data, lengths[l]);
			}
			facts_free(&facts);
		}
		stages_free(stages);
	}
	free(data);
}

static void
a_rule_gets_what_it_asks_for_and_no_more(void **state)
{
	static const struct route route = { .limits = { .values = LIMIT_NONE } };
	struct stages *stages = stages_new(NULL);

	(void)state;
	for (EACH(i, digests)) {
		struct rule rule = { .max_size = LIMIT_NONE, .digests = 1u << i };
		struct facts facts = { 0 };
		struct stage_part part = { .route = &route, .rule = &rule, .facts = &facts };
		struct error err = { 0 };

		assert_true(send_part(stages, &part, "abc", 3, 2, &err));
		assert_int_equal(facts.n, 1);
		assert_string_equal(facts.list[0].name, digests[i].name);
		assert_string_equal(facts_find(&facts, digests[i].name), digests[i].of_abc);
		assert_null(facts_find(&facts, "sha3"));
		facts_free(&facts);
		rule.digests = 0;
		assert_true(send_part(stages, &part, "abc", 3, 2, &err));
		assert_int_equal(facts.n, 0);
	}
	stages_free(stages);
}

/* -- memory ------------------------------------------------------------------------------------------- */

static void
what_facts_take_counts_what_the_answer_says_of_them(void **state)
{
	struct facts facts = { 0 };

	(void)state;
	assert_int_equal(facts_memory(&facts), 0);
	assert_true(facts_add(&facts, "a", STR("12345678")));
	assert_true(facts_memory(&facts) >= sizeof(struct fact) + 8 + sizeof "\"a\":\"12345678\"," - 1);
	facts_free(&facts);
	assert_int_equal(facts.n, 0);
}

static void
out_of_memory_ends_the_form_and_leaves_nothing(void **state)
{
	static const struct route route = { .limits = { .values = LIMIT_NONE } };
	static const struct rule rule = { .max_size = LIMIT_NONE, .digests = ALL_DIGESTS };
	bool ok = false;

	(void)state;
	for (size_t nth = 1; !ok; nth++) {
		struct facts facts = { 0 };
		struct stage_part part = { .route = &route, .rule = &rule, .facts = &facts };
		struct error err = { 0 };
		struct stages *stages;

		mem_fail(nth, 1);
		stages = stages_new(NULL);
		ok = stages != NULL && send_part(stages, &part, "abc", 3, 2, &err);
		assert_true(ok || stages == NULL || err.kind == ERR_NOMEM);
		mem_fail(0, 0);
		stages_free(stages);
		facts_free(&facts);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_is_passed_at_the_same_byte_however_the_part_is_cut),
		cmocka_unit_test(every_digest_is_that_of_all_bytes),
		cmocka_unit_test(a_rule_gets_what_it_asks_for_and_no_more),
		cmocka_unit_test(what_facts_take_counts_what_the_answer_says_of_them),
		cmocka_unit_test(out_of_memory_ends_the_form_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
