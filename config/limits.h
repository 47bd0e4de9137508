// SPDX-License-Identifier: MIT
/* limits.h - `limits` of a route: the rows of its keys, and what holds between them. */
#ifndef PENSTOCK_LIMITS_H
#define PENSTOCK_LIMITS_H

#include "config/keys.h"
#include "config/loading.h"

extern const struct key_table limits_keys;
extern const struct key_table limits_per_client_keys;

void limits_check(struct loading *l, size_t route);

#endif
