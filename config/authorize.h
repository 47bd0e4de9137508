// SPDX-License-Identifier: MIT
/* authorize.h - `authorize` of a route: which application is asked before a body comes in, and how. What it grants stands in
 * templates as {grant.NAME}. */
#ifndef PENSTOCK_AUTHORIZE_H
#define PENSTOCK_AUTHORIZE_H

#include "config/loading.h"

/* The rows of a route's `authorize`. */
extern const struct key_table authorize_keys;

/* When the routes' destinations and templates are known: what is asked of whom, and what it has to grant. Reports through
 * l->diag. */
void authorize_link(struct loading *l, size_t route);

void authorize_free(struct authorize *authorize); /* what it holds */

#endif
