// SPDX-License-Identifier: MIT
/* body_limit.h - how a body over `limits.body` is refused. It is the same whether its length shows it or its bytes, here or inside
 * HAProxy. Pure, any thread. */
#ifndef PENSTOCK_BODY_LIMIT_H
#define PENSTOCK_BODY_LIMIT_H

#include "base/error.h"

/* False, always: ERR_TOO_LARGE, with the limit "body" of `max` bytes. */
bool body_limit_refuse(uint64_t max, struct error *err);

#endif
