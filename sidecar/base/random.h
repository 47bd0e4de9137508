// SPDX-License-Identifier: MIT
/* random.h - bytes that nobody can predict, from the kernel, which is asked for many at a time. */
#ifndef PENSTOCK_RANDOM_H
#define PENSTOCK_RANDOM_H

#include <stddef.h>

#define RANDOM_MOST 64 /* bytes of one call */

/* [any] Each byte is given out once, and forgotten then. At most RANDOM_MOST. Not for a process that forks without exec: both would
 * get the same. */
void random_bytes(void *out, size_t len);

#endif
