// SPDX-License-Identifier: MIT
/* reserved.h - query parameters that an application could take for one of the files that penstock tells it of (config/app_names.h).
 * Pure, any thread, no allocation. */
#ifndef PENSTOCK_RESERVED_H
#define PENSTOCK_RESERVED_H

#include "base/error.h"
#include "config/route.h"
#include "route/head.h"

/* False: the query has such a parameter, ERR_BAD_REQUEST. */
bool reserved_check_query(const struct route *route, const struct head *head, struct error *err);

#endif
