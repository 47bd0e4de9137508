// SPDX-License-Identifier: MIT
/* mem.h - allocation that checks its arithmetic, and the hook where tests make the n-th one fail.
 *
 * Every allocation of penstock's own goes through here (libraries keep theirs). Per request, out of
 * memory fails that request and nothing else; at start-up it may end the program.
 */
#ifndef PENSTOCK_MEM_H
#define PENSTOCK_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);                         /* uninitialised; NULL: out of memory */
void *mem_zalloc(size_t size);                        /* zeroed; NULL: out of memory */
void *mem_array(size_t count, size_t size);           /* zeroed; NULL: out of memory or overflow */
void *mem_resize(void *p, size_t count, size_t size); /* NULL: out of memory, p stays valid */
void *mem_aligned(size_t alignment, size_t size);     /* zeroed; alignment a power of two; NULL: out of memory */
void mem_free(void *p);                               /* NULL is fine */
void mem_trim(void);                                  /* what is free goes back to the system */
size_t mem_used(void);                                /* bytes allocated, by libraries too; not of a sanitizer */

/* [test] Makes allocation number `nth` from now (1 = the next) fail, and the `count` - 1 after it.
 * nth 0 switches the fault off. Returns how many allocations were made since the last call;
 * before the first one none are counted. */
size_t mem_fail(size_t nth, size_t count);

#endif
