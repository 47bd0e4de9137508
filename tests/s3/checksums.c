// SPDX-License-Identifier: MIT
/* checksums.c - CRC-32C and CRC-64/NVME a byte at a time, for the fake store, which would need a second for each MiB in
 * Python. Begin with 0; give the last result to go on. */
#include <stddef.h>
#include <stdint.h>

static uint64_t
crc(uint64_t polynomial, uint64_t state, const unsigned char *data, size_t n)
{
	uint64_t table[256];

	for (unsigned i = 0; i < 256; i++) {
		uint64_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
		table[i] = value;
	}
	for (size_t i = 0; i < n; i++)
		state = table[(state ^ data[i]) & 0xff] ^ state >> 8;
	return state;
}

uint32_t
crc32c(uint32_t before, const unsigned char *data, size_t n)
{
	return (uint32_t)~crc(0x82f63b78, (uint32_t)~before, data, n);
}

uint64_t
crc64nvme(uint64_t before, const unsigned char *data, size_t n)
{
	return ~crc(UINT64_C(0x9a6c9329ac4bc9b5), ~before, data, n);
}
