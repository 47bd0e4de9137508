// SPDX-License-Identifier: MIT
/* check_memory.h - the part of check.h that is about `memory`: what a route wants of it and cannot have. */
#ifndef PENSTOCK_CHECK_MEMORY_H
#define PENSTOCK_CHECK_MEMORY_H

#include "config/loading.h"

void check_memory(struct loading *l, size_t route);

/* Of a problem that was reported just now: where `memory` is set. Says nothing where the files do not set it. */
void check_memory_note(struct loading *l);

#endif
