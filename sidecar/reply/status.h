// SPDX-License-Identifier: MIT
/* status.h - the only table from an error kind to an HTTP status, and to how loud the log is about it. Pure, any thread; also
 * inside HAProxy. */
#ifndef PENSTOCK_STATUS_H
#define PENSTOCK_STATUS_H

#include "base/error.h"
#include "base/log.h"

unsigned reply_status(enum error_kind kind); /* ERR_NONE gives 200 */
enum log_level reply_level(enum error_kind kind);
unsigned reply_status_of(const struct error *error);      /* its own status, if it has one, ... */
enum log_level reply_level_of(const struct error *error); /* ... and how loud that is */
bool reply_is_of_store(enum error_kind kind); /* it has failed, or refused, and may say when to come again */
const char *reply_reason(unsigned status);    /* RFC 9110 reason phrase; "Unknown" else */

#endif
