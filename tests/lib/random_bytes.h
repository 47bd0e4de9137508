// SPDX-License-Identifier: MIT
/* random_bytes.h - chance that can be repeated, and chunks whose bytes are known by their sum. */
#ifndef PENSTOCK_RANDOM_BYTES_H
#define PENSTOCK_RANDOM_BYTES_H

#include "channel/pool.h"

uint64_t random_scramble(uint64_t x);                /* a well mixed x */
unsigned random_below(uint64_t *random, unsigned n); /* 0 to n - 1 */
bool random_one_in(uint64_t *random, unsigned n);

/* Fills some bytes of a chunk and says their sum, which random_sum() finds again. */
uint64_t random_fill(struct chunk *chunk, uint64_t *random, unsigned number);
uint64_t random_sum(const struct chunk *chunk, unsigned number);

#endif
