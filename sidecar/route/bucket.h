// SPDX-License-Identifier: MIT
/* bucket.h - a rate that several share: bytes are booked one after the other, and each may be taken when its time has come.
 *
 * So whoever books small pieces in turn gets as much as the others do. What was not taken for a while may be caught up with, but no more
 * than BUCKET_BURST_MS of it. Pure: the caller has the clock, and keeps other threads out. */
#ifndef PENSTOCK_BUCKET_H
#define PENSTOCK_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUCKET_BURST_MS 100u

struct bucket {
	uint64_t booked_us; /* until then everything has been given away; zeroed: nothing has */
};

/* Books `n` bytes at `rate` bytes a second: when they may be taken. That is now, or later. */
uint64_t bucket_book(struct bucket *bucket, uint64_t rate, size_t n, uint64_t now_ms);

/* They were booked and are not taken. */
void bucket_give_back(struct bucket *bucket, uint64_t rate, size_t n);

/* As if nothing had ever been booked. */
bool bucket_is_full(const struct bucket *bucket, uint64_t now_ms);

/* How much to book at once: few bytes, so that others have their turn soon, but at least one KiB. */
size_t bucket_piece(uint64_t rate);

#endif
