// SPDX-License-Identifier: MIT
/* small_blocks.h - small blocks that a thread's libcurl gave back, for its next requests.
 *
 * A request takes and gives back some seventy blocks. Requests begin together and end together, and malloc's own cache of a thread has
 * seven of a size: with thirty requests at once each block would go the long way, which is a sixth of what a small request costs here.
 *
 * [any] What a thread keeps is freed at its end, and is no more than SMALL_BLOCKS_KEPT. With a sanitizer none is kept:
 * it would see no more who uses a block that was given back. */
#ifndef PENSTOCK_SMALL_BLOCKS_H
#define PENSTOCK_SMALL_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#define SMALL_BLOCK_MAX ((size_t)8 << 10)     /* bytes; larger ones are not kept */
#define SMALL_BLOCKS_KEPT ((size_t)512 << 10) /* bytes of all of one thread */

/* Before the first of the others. False: out of memory. */
bool small_blocks_start(void);

void *small_blocks_take(size_t size); /* of at least that size, uninitialised; NULL: none is kept */

/* What malloc is to be asked for in its place, so that the block can serve all of its size. */
size_t small_blocks_round(size_t size);

/* `has`: its malloc_usable_size(). False: it is not kept, and still the caller's. */
bool small_blocks_keep(void *block, size_t has);

#endif
