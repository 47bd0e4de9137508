// SPDX-License-Identifier: MIT
/* crc.c - see crc.h. Eight bytes at a time by eight tables ("slicing"), and CRC-32C by the instruction that x86 has for it.
 *
 * A reflected CRC of any width up to 64 bits is held in the low bits of a number: with the polynomial as the only difference
 * one code does both. */
#include "base/crc.h"

#include "base/must.h"

#include <endian.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define SLICES 8

static const struct {
	uint64_t top;        /* its highest bit, which is the polynomial 1 in reflected order */
	uint64_t polynomial; /* reflected */
} kinds[] = {
	[CRC_32C] = { UINT64_C(1) << 31, 0x82f63b78 },
	[CRC_64NVME] = { UINT64_C(1) << 63, 0x9a6c9329ac4bc9b5 },
};

/* tables[which][n][byte]: what a byte adds that n more bytes follow. Written once, by fill(). */
static uint64_t tables[sizeof kinds / sizeof kinds[0]][SLICES][256];

static uint64_t
inverted(enum crc which, uint64_t crc)
{
	return crc ^ (kinds[which].top | (kinds[which].top - 1));
}

/* crc times x: the lowest bit is the highest power. */
static uint64_t
times_x(enum crc which, uint64_t crc)
{
	return (crc >> 1) ^ ((crc & 1) != 0 ? kinds[which].polynomial : 0);
}

static void
fill_one(enum crc which)
{
	uint64_t(*table)[256] = tables[which];

	for (unsigned byte = 0; byte < 256; byte++) {
		uint64_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = times_x(which, crc);
		table[0][byte] = crc;
	}
	for (unsigned n = 1; n < SLICES; n++)
		for (unsigned byte = 0; byte < 256; byte++) {
			uint64_t before = table[n - 1][byte];

			table[n][byte] = (before >> 8) ^ table[0][before & 0xff];
		}
}

static void
fill(void)
{
	fill_one(CRC_32C);
	fill_one(CRC_64NVME);
}

/* The first byte is the lowest, on every machine. */
static uint64_t
load(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return le64toh(word);
}

uint64_t
crc_add_by_table(enum crc which, uint64_t crc, const void *data, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const uint64_t(*table)[256] = tables[which];
	const unsigned char *p = data;
	int status = pthread_once(&once, fill);

	must(status == 0);
	crc = inverted(which, crc);
	for (; len >= SLICES; len -= SLICES, p += SLICES) {
		uint64_t word = load(p) ^ crc;

		crc = table[7][word & 0xff] ^ table[6][word >> 8 & 0xff] ^ table[5][word >> 16 & 0xff] ^
			table[4][word >> 24 & 0xff] ^ table[3][word >> 32 & 0xff] ^ table[2][word >> 40 & 0xff] ^
			table[1][word >> 48 & 0xff] ^ table[0][word >> 56];
	}
	for (; len > 0; len--, p++)
		crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
	return inverted(which, crc);
}

#if defined(__x86_64__)
#include <nmmintrin.h>

static bool
has_instruction(enum crc which)
{
	return which == CRC_32C && __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint64_t
add_by_instruction(uint64_t crc, const unsigned char *p, size_t len)
{
	crc = inverted(CRC_32C, crc);
	for (; len >= sizeof crc; len -= sizeof crc, p += sizeof crc)
		crc = _mm_crc32_u64(crc, load(p));
	for (; len > 0; len--, p++)
		crc = _mm_crc32_u8((uint32_t)crc, *p);
	return inverted(CRC_32C, crc);
}
#else
static bool
has_instruction(enum crc which)
{
	(void)which;
	return false;
}

static uint64_t
add_by_instruction(uint64_t crc, const unsigned char *p, size_t len)
{
	return crc_add_by_table(CRC_32C, crc, p, len);
}
#endif

uint64_t
crc_add(enum crc which, uint64_t crc, const void *data, size_t len)
{
	return has_instruction(which) ? add_by_instruction(crc, data, len)
				      : crc_add_by_table(which, crc, data, len);
}

/* -- joining -------------------------------------------------------------------------------------- */

/* a times b modulo the polynomial, both reflected. */
static uint64_t
multiply(enum crc which, uint64_t a, uint64_t b)
{
	uint64_t product = 0;

	for (uint64_t bit = kinds[which].top; bit != 0; bit >>= 1) {
		if ((a & bit) != 0)
			product ^= b;
		b = times_x(which, b);
	}
	return product;
}

/* What `n` bytes of zeros do to a CRC before them is a multiplication by x to the power of 8n. */
uint64_t
crc_join(enum crc which, uint64_t first, uint64_t second, uint64_t second_len)
{
	uint64_t square = kinds[which].top >> 8;

	for (; second_len > 0; second_len >>= 1) {
		if ((second_len & 1) != 0)
			first = multiply(which, first, square);
		square = multiply(which, square, square);
	}
	return first ^ second;
}
