// SPDX-License-Identifier: MIT
/* random_bytes.c - see random_bytes.h. */
#include "lib/random_bytes.h"

uint64_t
random_scramble(uint64_t x) /* splitmix64's last steps */
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

unsigned
random_below(uint64_t *random, unsigned n)
{
	*random += 0x9e3779b97f4a7c15u;
	return (unsigned)(random_scramble(*random) % n);
}

bool
random_one_in(uint64_t *random, unsigned n)
{
	return random_below(random, n) == 0;
}

/* Few bytes in a chunk, first and last ones of it included, so that a chunk in wrong hands is seen. */
uint64_t
random_fill(struct chunk *chunk, uint64_t *random, unsigned number)
{
	uint64_t sum = number;

	chunk->end = CHUNK_SIZE - random_below(random, 100);
	for (int i = 0; i < 16; i++) {
		unsigned char byte = (unsigned char)random_below(random, 256);
		uint32_t at = i < 8 ? (uint32_t)i : chunk->end - (uint32_t)(i - 7);

		chunk->data[at] = (char)byte;
		sum = sum * 31 + byte;
	}
	return sum;
}

uint64_t
random_sum(const struct chunk *chunk, unsigned number)
{
	uint64_t sum = number;

	for (int i = 0; i < 16; i++) {
		uint32_t at = i < 8 ? (uint32_t)i : chunk->end - (uint32_t)(i - 7);

		sum = sum * 31 + (unsigned char)chunk->data[at];
	}
	return sum;
}
