// SPDX-License-Identifier: MIT
/* bucket.c - see bucket.h. */
#include "route/bucket.h"

#define BURST_US (UINT64_C(1000) * BUCKET_BURST_MS)
#define PIECES 20u /* a second */
#define PIECE_MIN 1024u
#define SECOND_US UINT64_C(1000000)

/* Rounded up. Whole seconds apart, so that nothing overflows. */
static uint64_t
us_of(uint64_t rate, size_t n)
{
	uint64_t left = n % rate;

	if (rate > UINT64_MAX / SECOND_US) /* a piece of it is no time at all */
		return n / rate * SECOND_US;
	return n / rate * SECOND_US + (left * SECOND_US + rate - 1) / rate;
}

static uint64_t
full_at(uint64_t now_ms)
{
	uint64_t now_us = now_ms * 1000;

	return now_us > BURST_US ? now_us - BURST_US : 0;
}

uint64_t
bucket_book(struct bucket *bucket, uint64_t rate, size_t n, uint64_t now_ms)
{
	uint64_t at_ms;

	if (bucket_is_full(bucket, now_ms))
		bucket->booked_us = full_at(now_ms);
	bucket->booked_us += us_of(rate, n);
	at_ms = (bucket->booked_us + 999) / 1000;
	return at_ms > now_ms ? at_ms : now_ms;
}

void
bucket_give_back(struct bucket *bucket, uint64_t rate, size_t n)
{
	uint64_t us = us_of(rate, n);

	bucket->booked_us -= us < bucket->booked_us ? us : bucket->booked_us;
}

bool
bucket_is_full(const struct bucket *bucket, uint64_t now_ms)
{
	return bucket->booked_us <= full_at(now_ms);
}

size_t
bucket_piece(uint64_t rate)
{
	uint64_t piece = rate / PIECES;

	if (piece < PIECE_MIN)
		return PIECE_MIN;
	return piece < SIZE_MAX ? (size_t)piece : SIZE_MAX;
}
