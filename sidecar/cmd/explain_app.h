// SPDX-License-Identifier: MIT
/* explain_app.h - tells what the application of the route would get of a form that is taken. For explain.c. */
#ifndef PENSTOCK_EXPLAIN_APP_H
#define PENSTOCK_EXPLAIN_APP_H

#include "part/parts.h"

#include <jansson.h>

/* Of a route with an application. NULL: out of memory. */
json_t *explain_app_json(const struct route *route, const struct naming *naming, const struct parts *parts);

/* The same for people, and nothing of a route without one. False: out of memory. */
bool explain_app_print(const struct route *route, const struct naming *naming, const struct parts *parts,
	void (*print)(struct str s, int width));

#endif
