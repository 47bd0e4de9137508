// SPDX-License-Identifier: MIT
/* freed.h - is a secret left in memory that is given back? For programs that are linked with FREED_WRAPS of tests/CMakeLists.txt. One
 * thread. */
#ifndef PENSTOCK_FREED_H
#define PENSTOCK_FREED_H

#include <stddef.h>

/* From now on `secret` is looked for, borrowed; NULL: nothing is. Returns in how many blocks the one before was found. */
size_t freed_watch(const char *secret);

#endif
