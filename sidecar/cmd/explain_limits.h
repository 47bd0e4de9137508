// SPDX-License-Identifier: MIT
/* explain_limits.h - tells the limits of a route that depend on who else is there and on how fast clients are, which nobody can judge by
 * one request. For explain.c. */
#ifndef PENSTOCK_EXPLAIN_LIMITS_H
#define PENSTOCK_EXPLAIN_LIMITS_H

#include "config/route.h"

#include <jansson.h>

/* Those that the route has, by the names of their keys, rates in bytes a second; empty: it has none. NULL: out of memory. */
json_t *explain_limits_json(const struct limits *limits);

/* Prints the same for people: a line, or none. */
void explain_limits_print(const struct limits *limits);

#endif
