// SPDX-License-Identifier: MIT
/* plan.h - pure: into how many parts of what size an object is cut, and how much of the memory budget a part takes.
 *
 * S3 wants to know a part's length before its first byte, and an object's length is not known while it streams. So a part is held
 * in memory until the store has it. */
#ifndef PENSTOCK_S3_PLAN_H
#define PENSTOCK_S3_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define S3_PART_MIN (UINT64_C(5) << 20) /* bytes: S3 takes no smaller one but as the last ... */
#define S3_PART_MAX (UINT64_C(5) << 30) /* ... and no larger one, ... */
#define S3_PARTS_MAX 10000u             /* ... and not more of them */
#define S3_RECEIPT_BYTES 125u           /* that have to be remembered of each part until the commit */
#define S3_PART_STEP (UINT64_C(1) << 20)

/* The size for `part_size: auto`: large enough for an object of `largest` bytes (UINT64_MAX: its size is not known), but at most
 * S3_PART_MAX, also if that is too little. */
static inline uint64_t
s3_plan_part_size(uint64_t largest)
{
	uint64_t size = S3_PART_MIN, enough = largest / S3_PARTS_MAX + (largest % S3_PARTS_MAX != 0);

	if (largest != UINT64_MAX && enough > size)
		size = (enough / S3_PART_STEP + (enough % S3_PART_STEP != 0)) * S3_PART_STEP;
	return size < S3_PART_MAX ? size : S3_PART_MAX;
}

/* Bytes of each part but the last of an object of at most `largest` bytes, at least 1; `part_size` is the route file's, 0 for
 * `auto`. Never more than the object can have, so that a short object takes no more memory than its bytes. */
static inline uint64_t
s3_plan_piece(uint64_t part_size, uint64_t largest)
{
	uint64_t size = part_size != 0 ? part_size : s3_plan_part_size(largest);

	if (size > largest)
		size = largest;
	return size > 0 ? size : 1;
}

/* How many parts an object of `largest` bytes has; more than S3_PARTS_MAX: too many. For UINT64_MAX it is S3_PARTS_MAX. */
static inline uint64_t
s3_plan_parts(uint64_t largest, uint64_t part_size)
{
	if (largest == UINT64_MAX)
		return S3_PARTS_MAX;
	return largest / part_size + (largest % part_size != 0);
}

/* Bytes that are remembered of all parts of an object. */
static inline size_t
s3_plan_receipts(uint64_t largest, uint64_t part_size)
{
	uint64_t n = s3_plan_parts(largest, part_size);

	return (size_t)(n < S3_PARTS_MAX ? n : S3_PARTS_MAX) * S3_RECEIPT_BYTES;
}

#define S3_UNIT_MAX ((size_t)256 << 10) /* bytes that are sent in one piece; libcurl has a buffer for it */
#define S3_REQUEST_CHUNKS 9u            /* chunks of 32 KiB for that buffer, and for a connection */

/* Chunks of `chunk` bytes for one part: an eighth more than its bytes would fill, because few chunks come full. So most can be
 * taken over without being copied. */
static inline size_t
s3_plan_chunks(uint64_t part_size, size_t chunk)
{
	size_t full = (size_t)((part_size + chunk - 1) / chunk);

	return full + full / 8 + 1;
}

#endif
