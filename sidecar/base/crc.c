// SPDX-License-Identifier: MIT
/* crc.c - see crc.h. Eight bytes at a time by eight tables ("slicing"), and many at a time where the processor can (crc_fold.h).
 *
 * A reflected CRC of any width up to 64 bits is held in the low bits of a number: with the polynomial as the only difference
 * one code does both. */
#include "base/crc.h"

#include "base/crc_fold.h"
#include "base/must.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

#define SLICES 8

static const struct {
	uint64_t top;        /* its highest bit, which is the polynomial 1 in reflected order */
	uint64_t polynomial; /* reflected */
	unsigned shift;      /* from there to the highest bit of a number of 64 */
} kinds[] = {
	[CRC_32C] = { UINT64_C(1) << 31, 0x82f63b78, 32 },
	[CRC_64NVME] = { UINT64_C(1) << 63, 0x9a6c9329ac4bc9b5, 0 },
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

/* Written once, by fill(). tables[which][n][byte]: what a byte adds that n more bytes follow. */
static uint64_t tables[N_KINDS][SLICES][256];
static struct crc_forward forwards[N_KINDS];

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
fill_tables(enum crc which)
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

/* x to the power of n. */
static uint64_t
power(enum crc which, unsigned n)
{
	uint64_t x = kinds[which].top;

	for (; n > 0; n--)
		x = times_x(which, x);
	return x << kinds[which].shift;
}

/* One less than one would think: where the lowest bit is the highest power, the product of two numbers of 64 bits has one of 127. */
static struct crc_weights
weights(enum crc which, unsigned bits)
{
	return (struct crc_weights){ .first = power(which, bits + 63), .second = power(which, bits - 1) };
}

static void
fill_one(enum crc which)
{
	fill_tables(which);
	forwards[which] = (struct crc_forward){
		.by_128 = weights(which, 128),
		.by_256 = weights(which, 256),
		.by_1024 = weights(which, 1024),
		.by_2048 = weights(which, 2048),
	};
}

static void
fill(void)
{
	fill_one(CRC_32C);
	fill_one(CRC_64NVME);
}

static void
fill_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int status = pthread_once(&once, fill);

	must(status == 0);
}

/* The first byte is the lowest, on every machine. */
static uint64_t
load(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return le64toh(word);
}

static uint64_t
add_by_table(enum crc which, uint64_t crc, const unsigned char *p, size_t len)
{
	const uint64_t(*table)[256] = tables[which];

	for (; len >= SLICES; len -= SLICES, p += SLICES) {
		uint64_t word = load(p) ^ crc;

		crc = table[7][word & 0xff] ^ table[6][word >> 8 & 0xff] ^ table[5][word >> 16 & 0xff] ^
			table[4][word >> 24 & 0xff] ^ table[3][word >> 32 & 0xff] ^ table[2][word >> 40 & 0xff] ^
			table[1][word >> 48 & 0xff] ^ table[0][word >> 56];
	}
	for (; len > 0; len--, p++)
		crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
	return crc;
}

uint64_t
crc_add_by(enum crc_way way, enum crc which, uint64_t crc, const void *data, size_t len)
{
	const unsigned char *p = data;
	unsigned char left[CRC_FOLD_LEFT];
	size_t n;

	fill_once();
	crc = inverted(which, crc);
	for (; (n = crc_fold(way, &forwards[which], crc, p, len, left)) > 0; p += n, len -= n)
		crc = add_by_table(which, 0, left, sizeof left);
	return inverted(which, add_by_table(which, crc, p, len));
}

uint64_t
crc_add(enum crc which, uint64_t crc, const void *data, size_t len)
{
	return crc_add_by(CRC_BY_WIDE, which, crc, data, len);
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
