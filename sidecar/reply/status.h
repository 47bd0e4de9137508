// SPDX-License-Identifier: MIT
/* status.h - the only switch from an error kind to an HTTP status. Pure, any thread; also inside HAProxy. */
#ifndef PENSTOCK_STATUS_H
#define PENSTOCK_STATUS_H

#include "base/error.h"

unsigned reply_status(enum error_kind kind); /* ERR_NONE gives 200 */
const char *reply_reason(unsigned status);   /* RFC 9110 reason phrase; "Unknown" else */

#endif
