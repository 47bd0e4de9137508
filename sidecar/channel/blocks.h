// SPDX-License-Identifier: MIT
/* blocks.h - what is smaller than a chunk, from the same budget: one thread's share, for the requests that live on it.
 *
 * A form of three small fields must not hold a chunk, nor must a client that sends a little and stops. So what is kept is
 * cut out of chunks that all requests of a thread have together, and what stands for memory beside the pool (names of
 * parts, heads) is added up for all of them before a chunk is set aside for it.
 *
 * Everything here is done by the owner's thread; bytes in a block may be read by any thread for as long as the owner
 * keeps it. A chunk goes back to the pool with the last block that was cut out of it. Nothing waits: when the pool has
 * nothing left for POOL_KEEP, the answer is no.
 */
#ifndef PENSTOCK_BLOCKS_H
#define PENSTOCK_BLOCKS_H

#include "channel/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_UNIT (CHUNK_SIZE / 64) /* what a block takes is a multiple of it */

/* A run of bytes. Its owner may write everything but the fields marked as blocks'. */
struct block {
	struct block *next;  /* free for the owner's own list */
	struct chunk *chunk; /* blocks': out of which it was cut */
	uint32_t size;       /* blocks': of data */
	uint32_t end;        /* data[0..end) is content */
	char data[];
};

#define BLOCK_MAX (CHUNK_SIZE - (uint32_t)sizeof(struct block)) /* the largest one's size */

struct blocks;

struct blocks *blocks_new(struct pool *pool);    /* NULL: out of memory */
void blocks_free(struct blocks *blocks);         /* everything must be back; NULL is fine */
struct pool *blocks_pool(struct blocks *blocks); /* that it cuts up */

/* Room for `size` bytes (1..BLOCK_MAX), or somewhat more; next NULL, end 0. NULL: not now. */
struct block *blocks_take(struct blocks *blocks, size_t size);
void blocks_give(struct blocks *blocks, struct block *block);

/* A block of BLOCK_MAX has a chunk to itself: its bytes may leave with that chunk, which is the caller's from here on. It
 * still counts as POOL_KEEP, until it is given back to the pool. */
struct chunk *blocks_part_with(struct blocks *blocks, struct block *block);

/* Counts so many bytes that somebody holds elsewhere against the budget, until they are discharged. False: not now, nothing
 * was counted. */
bool blocks_charge(struct blocks *blocks, size_t size);
void blocks_discharge(struct blocks *blocks, size_t size);

#endif
