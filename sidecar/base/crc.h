// SPDX-License-Identifier: MIT
/* crc.h - pure: CRC-32C and CRC-64/NVME, as numbers.
 *
 * Both are bit-reflected, with inverted bits at the beginning and at the end. Each CRC that is passed or returned is a finished
 * one, as others would be told it: that of no bytes is 0, and crc_add() goes on from any of them.
 *
 * [any] */
#ifndef PENSTOCK_CRC_H
#define PENSTOCK_CRC_H

#include <stddef.h>
#include <stdint.h>

enum crc {
	CRC_32C,    /* Castagnoli's; RFC 3720 section 12.1 */
	CRC_64NVME, /* NVM Command Set Specification 1.0, section 5.2.1.3.4 */
};

enum crc_way {
	CRC_BY_TABLE,
	CRC_BY_NARROW, /* crc_fold.h */
	CRC_BY_WIDE,
};

/* `crc` is of what came before `data`: returns that of both. */
uint64_t crc_add(enum crc which, uint64_t crc, const void *data, size_t len);

/* The same by one of the ways there are; what it cannot take, or this processor cannot do, goes by tables. */
uint64_t crc_add_by(enum crc_way way, enum crc which, uint64_t crc, const void *data, size_t len);

/* `first` and `second` are of two runs of bytes, the second of `second_len`: returns that of both, one after the other. */
uint64_t crc_join(enum crc which, uint64_t first, uint64_t second, uint64_t second_len);

#endif
