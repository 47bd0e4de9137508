// SPDX-License-Identifier: MIT
/* sd_notify.h - tells the service manager how the process stands, as sd_notify(3) describes but without its library, by datagrams
 * to $NOTIFY_SOCKET. Where that is not set every call does nothing.
 *
 * WATCHDOG=1 goes out at half of $WATCHDOG_USEC, but only while every loop turns (watchdog.h): a process that hangs is restarted.
 * Everything belongs to the main thread and its loop.
 */
#ifndef PENSTOCK_SD_NOTIFY_H
#define PENSTOCK_SD_NOTIFY_H

#include "admin/watchdog.h"
#include "base/error.h"

struct sd_notify;

/* `targets`: every loop but this one; copied. NULL: err says why. */
struct sd_notify *sd_notify_new(
	struct loop *loop, const struct watchdog_target *targets, size_t n, struct error *err);

/* "READY=1" and the like come with a sentence for STATUS=. All may be called with NULL. */
void sd_notify_ready(
	struct sd_notify *sd_notify, const char *status); /* also at the end of a reload, good or bad */
void sd_notify_reloading(struct sd_notify *sd_notify);
void sd_notify_stopping(struct sd_notify *sd_notify, const char *status);

/* To be called after the loop has ended: sends no further mail to the targets. NULL is fine. */
void sd_notify_stop(struct sd_notify *sd_notify);

/* To be called when all targets and the loop have delivered the mail that they had. NULL is fine. */
void sd_notify_free(struct sd_notify *sd_notify);

#endif
