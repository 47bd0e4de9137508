// SPDX-License-Identifier: MIT
/* crc_fold.c - see crc_fold.h. Numbers lie beside each other, and each goes forward over all of them: so one round takes as many
 * bytes as they have. In the end they are put one onto the other. */
#include "base/crc_fold.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>

#define NARROW __attribute__((target("pclmul"))) static
#define WIDE __attribute__((target("avx2,pclmul,vpclmulqdq"))) static
#define NARROW_ROUND (CRC_FOLD_LANES * sizeof(__m128i))
#define WIDE_ROUND (CRC_FOLD_LANES * sizeof(__m256i))

NARROW inline __m128i
weights_of(const struct crc_weights *weights)
{
	return _mm_set_epi64x((long long)weights->second, (long long)weights->first);
}

NARROW inline __m128i
load(const unsigned char *data)
{
	return _mm_loadu_si128((const __m128i *)(const void *)data);
}

NARROW inline __m128i
forward_onto(__m128i number, __m128i weights, __m128i onto)
{
	__m128i first = _mm_clmulepi64_si128(number, weights, 0x00);
	__m128i second = _mm_clmulepi64_si128(number, weights, 0x11);

	return _mm_xor_si128(_mm_xor_si128(first, second), onto);
}

NARROW size_t
fold_narrow(const struct crc_forward *forward, uint64_t crc, const unsigned char *data, size_t len,
	unsigned char left[CRC_FOLD_LEFT])
{
	__m128i lanes[CRC_FOLD_LANES], round = weights_of(&forward->by_1024), one = weights_of(&forward->by_128);
	size_t done = NARROW_ROUND;

	for (int i = 0; i < CRC_FOLD_LANES; i++)
		lanes[i] = load(data + sizeof(__m128i) * (size_t)i);
	lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, (long long)crc));
	for (; len - done >= NARROW_ROUND; done += NARROW_ROUND)
		for (int i = 0; i < CRC_FOLD_LANES; i++)
			lanes[i] = forward_onto(lanes[i], round, load(data + done + sizeof(__m128i) * (size_t)i));
	for (int i = 1; i < CRC_FOLD_LANES; i++)
		lanes[i] = forward_onto(lanes[i - 1], one, lanes[i]);
	_mm_storeu_si128((__m128i *)(void *)left, lanes[CRC_FOLD_LANES - 1]);
	return done;
}

WIDE inline __m256i
load_wide(const unsigned char *data)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)data);
}

WIDE inline __m256i
wide_forward_onto(__m256i number, __m256i weights, __m256i onto)
{
	__m256i first = _mm256_clmulepi64_epi128(number, weights, 0x00);
	__m256i second = _mm256_clmulepi64_epi128(number, weights, 0x11);

	return _mm256_xor_si256(_mm256_xor_si256(first, second), onto);
}

WIDE inline __m256i
twice(const struct crc_weights *weights)
{
	return _mm256_broadcastsi128_si256(weights_of(weights));
}

WIDE size_t
fold_wide(const struct crc_forward *forward, uint64_t crc, const unsigned char *data, size_t len,
	unsigned char left[CRC_FOLD_LEFT])
{
	__m256i lanes[CRC_FOLD_LANES], round = twice(&forward->by_2048), one = twice(&forward->by_256), all;
	__m128i last;
	size_t done = WIDE_ROUND;

	for (int i = 0; i < CRC_FOLD_LANES; i++)
		lanes[i] = load_wide(data + sizeof(__m256i) * (size_t)i);
	lanes[0] = _mm256_xor_si256(lanes[0], _mm256_set_epi64x(0, 0, 0, (long long)crc));
	for (; len - done >= WIDE_ROUND; done += WIDE_ROUND)
		for (int i = 0; i < CRC_FOLD_LANES; i++)
			lanes[i] = wide_forward_onto(
				lanes[i], round, load_wide(data + done + sizeof(__m256i) * (size_t)i));
	all = lanes[0];
	for (int i = 1; i < CRC_FOLD_LANES; i++)
		all = wide_forward_onto(all, one, lanes[i]);
	last = forward_onto(
		_mm256_castsi256_si128(all), weights_of(&forward->by_128), _mm256_extracti128_si256(all, 1));
	_mm_storeu_si128((__m128i *)(void *)left, last);
	return done;
}

size_t
crc_fold(enum crc_way way, const struct crc_forward *forward, uint64_t crc, const unsigned char *data, size_t len,
	unsigned char left[CRC_FOLD_LEFT])
{
	bool can_narrow = __builtin_cpu_supports("pclmul");
	bool can_wide = can_narrow && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq");

	if (way == CRC_BY_WIDE && can_wide && len >= WIDE_ROUND)
		return fold_wide(forward, crc, data, len, left);
	if (way != CRC_BY_TABLE && can_narrow && len >= NARROW_ROUND)
		return fold_narrow(forward, crc, data, len, left);
	return 0;
}
#else
size_t
crc_fold(enum crc_way way, const struct crc_forward *forward, uint64_t crc, const unsigned char *data, size_t len,
	unsigned char left[CRC_FOLD_LEFT])
{
	(void)way;
	(void)forward;
	(void)crc;
	(void)data;
	(void)len;
	(void)left;
	return 0;
}
#endif
