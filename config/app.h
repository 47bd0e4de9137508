// SPDX-License-Identifier: MIT
/* app.h - `app` of a route: the application that is told of each form. Its rows of the key table, what link.c does for it, and what
 * can be asked of it. */
#ifndef PENSTOCK_APP_H
#define PENSTOCK_APP_H

#include "config/loading.h"

extern const struct key_table app_table;

/* After reading: finds the destination and reads the templates. */
void app_link(struct loading *l, size_t route);

void app_free(struct app *app); /* what it holds */

#endif
