// SPDX-License-Identifier: MIT
/* taker.h - which rule takes the first part of a field, as sidecar/part/rules.c picks it: some checks know the names before any form
 * comes. */
#ifndef PENSTOCK_TAKER_H
#define PENSTOCK_TAKER_H

#include "config/route.h"

/* Number of the rule; n_rules: none does. `kind`: PART_VALUE or PART_FILE. */
size_t taker_find(const struct route *route, const char *field, enum part_kind kind);

/* Has every rule a name? Of one without another problem has been told, and it may be the one that is meant. */
bool taker_can_be_told(const struct route *route);

#endif
