// SPDX-License-Identifier: MIT
/* explain_asks.h - tells what an application would be asked before a body comes in. For explain.c. */
#ifndef PENSTOCK_EXPLAIN_ASKS_H
#define PENSTOCK_EXPLAIN_ASKS_H

#include "part/naming.h"

#include <jansson.h>

/* NULL: out of memory, or err says why the question cannot be made. Of a route that asks somebody. */
json_t *explain_asks_json(const struct route *route, const struct naming *naming, struct error *err);

/* Prints the same for people. `print` leaves out what would steer a terminal. */
void explain_asks_print(json_t *asks, void (*print)(struct str s, int width));

#endif
