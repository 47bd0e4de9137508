// SPDX-License-Identifier: MIT
/* plan.h - pure: into how many parts of what size an object is cut, and what of the memory budget one of them takes.
 *
 * A part's length has to be known before its first byte goes, and nobody knows an object's length while it streams. So a
 * part lies in memory until the store has it. */
#ifndef PENSTOCK_S3_PLAN_H
#define PENSTOCK_S3_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define S3_PART_MIN (UINT64_C(5) << 20) /* bytes: S3 takes no smaller one but as the last ... */
#define S3_PART_MAX (UINT64_C(5) << 30) /* ... and no larger one, ... */
#define S3_PARTS_MAX 10000u             /* ... and not more of them */
#define S3_RECEIPT_BYTES 125u           /* what has to be remembered of a part until the commit */
#define S3_PART_STEP (UINT64_C(1) << 20)

/* The size for `part_size: auto` that lets an object of `largest` bytes come; UINT64_MAX: nobody says how large. At most
 * S3_PART_MAX, also where that is too little. */
static inline uint64_t
s3_plan_part_size(uint64_t largest)
{
	uint64_t size = S3_PART_MIN, enough = largest / S3_PARTS_MAX + (largest % S3_PARTS_MAX != 0);

	if (largest != UINT64_MAX && enough > size)
		size = (enough / S3_PART_STEP + (enough % S3_PART_STEP != 0)) * S3_PART_STEP;
	return size < S3_PART_MAX ? size : S3_PART_MAX;
}

/* Bytes of each part but the last of an object of at most `largest` bytes, from 1 on; `part_size` is the route file's, 0 for
 * `auto`. Never more than the object can have, so that a short one holds no more than its bytes. */
static inline uint64_t
s3_plan_piece(uint64_t part_size, uint64_t largest)
{
	uint64_t size = part_size != 0 ? part_size : s3_plan_part_size(largest);

	if (size > largest)
		size = largest;
	return size > 0 ? size : 1;
}

/* How many parts that makes; more than S3_PARTS_MAX: too many. Of UINT64_MAX: as many as there may be. */
static inline uint64_t
s3_plan_parts(uint64_t largest, uint64_t part_size)
{
	if (largest == UINT64_MAX)
		return S3_PARTS_MAX;
	return largest / part_size + (largest % part_size != 0);
}

/* Bytes that are remembered of all of them. */
static inline size_t
s3_plan_receipts(uint64_t largest, uint64_t part_size)
{
	uint64_t n = s3_plan_parts(largest, part_size);

	return (size_t)(n < S3_PARTS_MAX ? n : S3_PARTS_MAX) * S3_RECEIPT_BYTES;
}

#define S3_UNIT_MAX ((size_t)256 << 10) /* bytes that leave in one piece, which libcurl has a buffer for */
#define S3_REQUEST_CHUNKS 9u            /* of 32 KiB: that buffer, and a connection */

/* Chunks of `chunk` bytes for one part. An eighth more than it would fill, for few come full: so most are taken over, and not
 * copied. */
static inline size_t
s3_plan_chunks(uint64_t part_size, size_t chunk)
{
	size_t full = (size_t)((part_size + chunk - 1) / chunk);

	return full + full / 8 + 1;
}

#endif
