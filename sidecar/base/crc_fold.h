// SPDX-License-Identifier: MIT
/* crc_fold.h - pure: many bytes become sixteen that have the same CRC, by the processor's multiplication without carry
 * (PCLMULQDQ, on x86 since 2010; VPCLMULQDQ does two at once). For crc.c alone.
 *
 * Bytes are a polynomial modulo the CRC's. What comes D bits before the end weighs x to the power of D, so it may be multiplied by
 * that, modulo the CRC's polynomial, and added to what stands at the end: the remainder stays the same.
 *
 * [any] */
#ifndef PENSTOCK_CRC_FOLD_H
#define PENSTOCK_CRC_FOLD_H

#include "base/crc.h"

#define CRC_FOLD_LEFT 16 /* bytes that are left */
#define CRC_FOLD_LANES 8 /* numbers that are folded side by side, because one multiplication takes several cycles */
#define CRC_FOLD_LEAST 128 /* bytes that are worth it */

/* What 16 bytes are multiplied by, to go so many bits forward: their first half and their second. The lowest bit of a factor is
 * the highest power, x to 63. */
struct crc_weights {
	uint64_t first, second;
};

struct crc_forward {
	struct crc_weights by_128, by_256, by_1024, by_2048; /* one number, one wide one, and a round of each */
};

/* `crc` is of what came before, as it is worked with (inverted). Writes the bytes that stand for it and the first n of `data`, and
 * that go on from a CRC of 0; returns n. 0: `data` is shorter than one round, or this processor cannot, and nothing was written.
 * CRC_BY_WIDE does what is left for it the narrow way. */
size_t crc_fold(enum crc_way way, const struct crc_forward *forward, uint64_t crc, const unsigned char *data,
	size_t len, unsigned char left[CRC_FOLD_LEFT]);

#endif
