// SPDX-License-Identifier: MIT
/* restart.h - what a running process cannot take from a new configuration. Pure. */
#ifndef PENSTOCK_RESTART_H
#define PENSTOCK_RESTART_H

#include "base/str.h"
#include "config/route.h"

/* A sentence and a newline for each key whose value differs and that only a restart can change: listen, admin.listen,
 * spoa.listen, memory, threads, client.connections. None: `next` can take the place of `now`. */
void config_needs_restart(const struct config *now, const struct config *next, struct buf *why);

#endif
