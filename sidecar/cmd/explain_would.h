// SPDX-License-Identifier: MIT
/* explain_would.h - what the parts of a form that is taken would make their destinations do. For explain.c. */
#ifndef PENSTOCK_EXPLAIN_WOULD_H
#define PENSTOCK_EXPLAIN_WOULD_H

#include "part/parts.h"

#include <jansson.h>

/* An element for each object, in the order in which they began; where nothing is done, none. False: out of memory. */
bool explain_would_json(const struct parts *parts, json_t *list);

/* The same for people. `print` writes text without what would steer a terminal. False: out of memory. */
bool explain_would_print(const struct parts *parts, void (*print)(struct str s, int width));

#endif
