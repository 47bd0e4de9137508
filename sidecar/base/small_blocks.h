// SPDX-License-Identifier: MIT
/* small_blocks.h - a heap of which each thread that turns keeps the small blocks that were given back to it, for its next requests.
 *
 * A small request takes and gives back some eighty blocks, of which libcurl has fifty. Requests begin together and end together, and
 * malloc's own cache of a thread has seven of a size, of which calloc() takes none: with thirty requests at once each block would go
 * the long way, which is a fifth of what a small request costs here.
 *
 * [any] A block may be given back by another thread than the one that took it, and come from malloc and its like. What a thread keeps
 * is freed at its end, and is no more than SMALL_BLOCKS_KEPT. With a sanitizer none is kept: it would see no more who uses a block
 * that was given back. */
#ifndef PENSTOCK_SMALL_BLOCKS_H
#define PENSTOCK_SMALL_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMALL_BLOCK_MAX ((size_t)8 << 10)   /* bytes; larger ones are not kept */
#define SMALL_BLOCKS_KEPT ((size_t)2 << 20) /* bytes of all of one thread */
#define SMALL_BLOCKS_REST_MS 1000u

/* Before the process has a second thread. Without it, or if it fails, no block is kept, and all else works. */
void small_blocks_start(void);

/* Each NULL: out of memory. */
void *small_blocks_alloc(size_t size);  /* uninitialised */
void *small_blocks_zeroed(size_t size); /* for large ones calloc() */
void *small_blocks_resize(
	void *block, size_t size);   /* as realloc(); a small one that is large enough stays as it is */
void small_blocks_free(void *block); /* NULL is fine */

/* Says that the calling thread turns: from its first call on blocks are kept. It calls this before it sleeps, and wakes up by the time that is
 * returned; CLOCK_NEVER: it keeps none. All blocks of a size are freed of which it has asked for fewer in SMALL_BLOCKS_REST_MS than it
 * keeps: they lie between what others still use, and each of them holds a page. */
uint64_t small_blocks_rest(uint64_t now_ms);

/* -- for a heap that keeps blocks of other sizes, too -- */

void *small_blocks_take(size_t size); /* as alloc, but NULL where none is kept */
bool small_blocks_keep(void *block);  /* not NULL. False: it is not kept, and still the caller's */

#endif
