// SPDX-License-Identifier: MIT
/* memory.h - pure: how much of `memory` a form has to have before its body comes, and for how many there is enough. */
#ifndef PENSTOCK_CONFIG_MEMORY_H
#define PENSTOCK_CONFIG_MEMORY_H

#include "base/str.h"
#include "config/route.h"

#define MEMORY_UNIT 32768u /* `memory` is cut into such pieces */

/* Bytes of the largest object that `rule` can make of a body of at most `body` bytes (LIMIT_NONE: not known), or LIMIT_NONE. */
uint64_t memory_largest(const struct rule *rule, uint64_t body);

/* After linking: what a form of at most `body` bytes (LIMIT_NONE: not known) needs. Of all its rules that store, one at a time
 * is being read; its concats all are, until the form ends. Whole units; 0 for any body if it is for one. */
uint64_t memory_of_route(const struct route *route, uint64_t body);

/* Bytes of `memory` that forms may have beforehand, all together. */
uint64_t memory_for_forms(uint64_t memory);

/* Bytes of it that may be held until the end of what they are held for. */
uint64_t memory_kept(uint64_t memory);

/* Bytes of values that one form can have which its application is told of: a part's buffer grows to twice of what is in it, and beside all
 * of them lies the body of the question, which has them once more at least. */
uint64_t memory_for_values(uint64_t memory);

/* Appends a line for each route whose forms have to have some: how many uploads at once that makes. */
void memory_tell(const struct config *config, struct buf *out);

#endif
