// SPDX-License-Identifier: MIT
/* explain_routes.h - for `penstock explain`: of each route that was asked whether it takes the request, what of it does not fit first. */
#ifndef PENSTOCK_EXPLAIN_ROUTES_H
#define PENSTOCK_EXPLAIN_ROUTES_H

#include "decide/decide.h"

#include <jansson.h>

/* [{ "id": "album", "misses": "header x-tenant" }, ..., { "id": "all", "misses": null }]: those before the one that takes it, and it.
 * Empty: it was refused before. NULL: out of memory. */
json_t *explain_routes_json(const struct config *config, const struct head *head, const struct decision *decision);

/* The same as lines, without the one that takes it. */
void explain_routes_print(const json_t *routes);

#endif
