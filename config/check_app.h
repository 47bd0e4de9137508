// SPDX-License-Identifier: MIT
/* check_app.h - what `app` of a route, and `forward` of its rules, need of the other keys. */
#ifndef PENSTOCK_CHECK_APP_H
#define PENSTOCK_CHECK_APP_H

#include "config/loading.h"

void check_app(struct loading *l, size_t route);

#endif
