// SPDX-License-Identifier: MIT
/* explain_would.h - tells what destinations would do with the parts of a form that is taken. For explain.c. */
#ifndef PENSTOCK_EXPLAIN_WOULD_H
#define PENSTOCK_EXPLAIN_WOULD_H

#include "part/parts.h"

#include <jansson.h>

/* Appends an element for each object with which something would be done, in the order in which they began. False: out of memory. */
bool explain_would_json(const struct parts *parts, json_t *list);

/* Prints the same for people. `print` leaves out what would steer a terminal. False: out of memory. */
bool explain_would_print(const struct parts *parts, void (*print)(struct str s, int width));

#endif
