// SPDX-License-Identifier: MIT
/* test_s3_sum.c - S3's checksums: the published answers, in any pieces, by instruction and by table, and of parts joined. */
#include "base/crc.h"
#include "sink/s3/sum.h"

#include "lib/check.h"
#include "lib/random_bytes.h"

#include <stdlib.h>

#define N(array) (sizeof(array) / sizeof(array)[0])

#define ONES "\xff\xff\xff\xff\xff\xff\xff\xff"

static const uint8_t zeros[32];

/* Zeros and ones: RFC 3720 appendix B.4 (which writes the lowest byte first). The digits: both CRCs' check values. */
static const struct {
	enum crc which;
	const void *data;
	size_t len;
	uint64_t crc;
} known[] = {
	{ CRC_32C, "", 0, 0 },
	{ CRC_32C, "123456789", 9, 0xe3069283 },
	{ CRC_32C, zeros, sizeof zeros, 0x8a9136aa },
	{ CRC_32C, ONES ONES ONES ONES, 32, 0x62a8ab43 },
	{ CRC_64NVME, "", 0, 0 },
	{ CRC_64NVME, "123456789", 9, 0xae8b14860a799888 },
};

static void
crcs_are_those_of_the_standards(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(known); i++) {
		assert_true(crc_add(known[i].which, 0, known[i].data, known[i].len) == known[i].crc);
		assert_true(
			crc_add_by(CRC_BY_TABLE, known[i].which, 0, known[i].data, known[i].len) == known[i].crc);
	}
}

/* Random bytes, the same in each run. */
static void
fill(uint8_t *bytes, size_t n)
{
	uint64_t random = 47;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)random_below(&random, 256);
}

/* Each length, at each place in a word, cut in two at each place: all that the loops and their rests meet. */
static void
pieces_and_places_make_no_difference(void **state)
{
	uint8_t bytes[96];

	(void)state;
	fill(bytes, sizeof bytes);
	for (size_t begin = 0; begin < 9; begin++)
		for (size_t len = 0; len < 40; len++)
			for (size_t which = 0; which < 2; which++) {
				const uint8_t *data = bytes + begin;
				uint64_t whole = crc_add_by(CRC_BY_TABLE, (enum crc)which, 0, data, len);

				for (size_t cut = 0; cut <= len; cut++) {
					uint64_t crc = crc_add((enum crc)which, 0, data, cut);

					assert_true(crc_add((enum crc)which, crc, data + cut, len - cut) == whole);
				}
			}
}

/* By each way, each length around what it takes at a time, at each place in a word, from the beginning and after others. */
static void
many_bytes_are_as_the_table_has_them(void **state)
{
	enum { MOST = 1200 };
	uint8_t *bytes = malloc(MOST + 16);

	(void)state;
	assert_non_null(bytes);
	fill(bytes, MOST + 16);
	for (size_t len = 0; len <= MOST; len++)
		for (size_t i = 0; i < 4; i++) {
			enum crc which = i % 2 == 0 ? CRC_32C : CRC_64NVME;
			uint64_t before = crc_add_by(CRC_BY_TABLE, which, 0, bytes, i);
			uint64_t by_table = crc_add_by(CRC_BY_TABLE, which, before, bytes + len % 16, len);

			assert_true(crc_add_by(CRC_BY_NARROW, which, before, bytes + len % 16, len) == by_table);
			assert_true(crc_add_by(CRC_BY_WIDE, which, before, bytes + len % 16, len) == by_table);
		}
	free(bytes);
}

static void
digest_of(enum s3_sum_kind kind, const void *data, size_t len, struct s3_digest *out)
{
	struct s3_sum sum;
	struct error err = { 0 };

	assert_true(s3_sum_begin(&sum, kind, &err));
	s3_sum_add(&sum, data, len / 2);
	s3_sum_add(&sum, (const char *)data + len / 2, len - len / 2);
	s3_sum_end(&sum, out);
	assert_int_equal(sum.kind, S3_SUM_NONE);
}

/* The digits' CRCs as base64 of their bytes, the highest first; "abc": FIPS 180-2 appendix B.1. */
static const struct {
	enum s3_sum_kind kind;
	const char *text, *base64, *hex, *header, *word;
} rows[] = {
	{ S3_SUM_NONE, "123456789", "", "", NULL, NULL },
	{ S3_SUM_CRC32C, "123456789", "4waSgw==", "e3069283", "x-amz-checksum-crc32c", "CRC32C" },
	{ S3_SUM_CRC64NVME, "123456789", "rosUhgp5mIg=", "ae8b14860a799888", "x-amz-checksum-crc64nvme",
		"CRC64NVME" },
	{ S3_SUM_SHA256, "abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "x-amz-checksum-sha256",
		"SHA256" },
};

static void
digests_are_written_as_s3_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct s3_digest digest;
		char hex[S3_DIGEST_HEX_SIZE];

		digest_of(rows[i].kind, rows[i].text, strlen(rows[i].text), &digest);
		s3_digest_hex(&digest, hex);
		assert_int_equal(digest.kind, rows[i].kind);
		assert_string_equal(digest.base64, rows[i].base64);
		assert_string_equal(hex, rows[i].hex);
		if (rows[i].header == NULL) {
			assert_null(s3_sum_header(rows[i].kind));
			assert_null(s3_sum_word(rows[i].kind));
			continue;
		}
		assert_string_equal(s3_sum_header(rows[i].kind), rows[i].header);
		assert_string_equal(s3_sum_word(rows[i].kind), rows[i].word);
	}
}

/* Three parts at each pair of cuts, empty ones too: what the store says of the whole object. */
static void
check_joined(enum s3_sum_kind kind, const uint8_t *bytes, size_t len)
{
	struct s3_digest whole;

	digest_of(kind, bytes, len, &whole);
	for (size_t a = 0; a <= len; a++)
		for (size_t b = a; b <= len; b++) {
			const size_t cuts[] = { 0, a, b, len };
			struct s3_digest joined = { 0 }, part;

			for (size_t i = 0; i < 3; i++) {
				digest_of(kind, bytes + cuts[i], cuts[i + 1] - cuts[i], &part);
				s3_digest_join(&joined, &part, cuts[i + 1] - cuts[i]);
			}
			assert_int_equal(joined.kind, kind);
			assert_string_equal(joined.base64, whole.base64);
		}
}

static void
crcs_of_parts_make_that_of_the_whole(void **state)
{
	uint8_t bytes[48];

	(void)state;
	fill(bytes, sizeof bytes);
	check_joined(S3_SUM_CRC32C, bytes, sizeof bytes);
	check_joined(S3_SUM_CRC64NVME, bytes, sizeof bytes);
}

static void
a_long_part_is_joined_too(void **state)
{
	const size_t len = (5u << 20) + 3;
	uint8_t *bytes = malloc(len);
	uint64_t first, second;

	(void)state;
	assert_non_null(bytes);
	fill(bytes, len);
	first = crc_add(CRC_64NVME, 0, bytes, 3);
	second = crc_add(CRC_64NVME, 0, bytes + 3, len - 3);
	assert_true(crc_join(CRC_64NVME, first, second, len - 3) == crc_add(CRC_64NVME, 0, bytes, len));
	free(bytes);
}

static void
a_sum_can_be_dropped(void **state)
{
	struct s3_sum sum;
	struct error err = { 0 };

	(void)state;
	assert_true(s3_sum_begin(&sum, S3_SUM_SHA256, &err));
	s3_sum_add(&sum, "x", 1);
	s3_sum_drop(&sum);
	s3_sum_drop(&sum);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crcs_are_those_of_the_standards),
		cmocka_unit_test(pieces_and_places_make_no_difference),
		cmocka_unit_test(many_bytes_are_as_the_table_has_them),
		cmocka_unit_test(digests_are_written_as_s3_has_them),
		cmocka_unit_test(crcs_of_parts_make_that_of_the_whole),
		cmocka_unit_test(a_long_part_is_joined_too),
		cmocka_unit_test(a_sum_can_be_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
