// SPDX-License-Identifier: MIT
/* sd_notify.h - tells the service manager how it stands, as sd_notify(3) describes, without its library: datagrams to
 * $NOTIFY_SOCKET. Where that is not set every call does nothing.
 *
 * WATCHDOG=1 goes out at half of $WATCHDOG_USEC, but only while every loop turns (watchdog.h): whoever hangs is restarted.
 * Everything belongs to the main thread and its loop.
 */
#ifndef PENSTOCK_SD_NOTIFY_H
#define PENSTOCK_SD_NOTIFY_H

#include "admin/watchdog.h"
#include "base/error.h"

struct herald;

/* `targets`: every loop but this one; copied. NULL: err says why. */
struct herald *herald_new(struct loop *loop, const struct pulse_target *targets, size_t n, struct error *err);

/* "READY=1" and the like come with a sentence for STATUS=. All may be called with NULL. */
void herald_ready(struct herald *herald, const char *status); /* also at the end of a reload, good or bad */
void herald_reloading(struct herald *herald);
void herald_stopping(struct herald *herald, const char *status);

/* After the loop has ended: no further mail to the targets. NULL is fine. */
void herald_stop(struct herald *herald);

/* When all targets and the loop have delivered what mail they had. NULL is fine. */
void herald_free(struct herald *herald);

#endif
