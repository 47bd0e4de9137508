// SPDX-License-Identifier: MIT
/* spare_blocks.h - the heap that libcurl has (curl_global_init_mem): malloc's, but for the buffers that sends are made from, and for
 * small blocks (small_blocks.h).
 *
 * Each request has such a buffer of its own. malloc gets blocks of that size from the kernel and gives them back, so that every
 * part of an object would pay for its pages anew: a twentieth of what its bytes cost. So each thread keeps the last few that were
 * given back to it, for the next requests. Buffers that are larger than S3's parts have them are not kept: they are of long
 * transfers, which pay once.
 *
 * libcurl 8.7 and later ask for such buffers zeroed, 128 KiB for each stream, of which a slow one fills a few KiB. calloc would clear
 * what was used before, and so give it all its pages. So the pages of a large zeroed block are given back instead, and it has those
 * that are written to.
 *
 * [any] A block may be given back by another thread than the one that took it. What a thread keeps is freed at its end. */
#ifndef PENSTOCK_SPARE_BLOCKS_H
#define PENSTOCK_SPARE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#define SPARE_BLOCKS_MAX 2u                   /* a thread keeps */
#define SPARE_BLOCK_LEAST ((size_t)128 << 10) /* smaller ones malloc keeps by itself */
#define SPARE_BLOCK_LARGEST ((size_t)320 << 10)
#define SPARE_ZEROED_LEAST ((size_t)32 << 10) /* smaller ones are cleared */

/* Before the first of the others. False: out of memory. */
bool spare_blocks_start(void);

void *spare_blocks_take(size_t size);                 /* uninitialised; NULL: out of memory */
void *spare_blocks_zeroed(size_t count, size_t size); /* NULL: out of memory or overflow */
void *spare_blocks_again(
	void *block, size_t size);         /* as realloc(); a block that is large enough stays where it is */
char *spare_blocks_text(const char *text); /* as strdup() */
void spare_blocks_give(void *block);       /* of the above, or of malloc and its like; NULL is fine */

#endif
