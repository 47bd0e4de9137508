// SPDX-License-Identifier: MIT
/* folders.h - the folders of one configuration's directory destinations, open.
 *
 * A folder that the configuration in force has open already is shared with it. None is swept twice, not even one that
 * was left out for a while: what dead writers left there was removed the first time, and what lies there now may belong
 * to a running upload. */
#ifndef PENSTOCK_FOLDERS_H
#define PENSTOCK_FOLDERS_H

#include "base/error.h"
#include "config/route.h"

struct folders;

/* [main] Opens them, made where they are missing. `before`: those of the configuration in force, NULL at the start.
 * NULL: err says why. */
struct folders *folders_open(const struct config *config, const struct folders *before, struct error *err);

/* [any] A folder is closed when nobody has it any more. NULL is fine. */
void folders_free(struct folders *folders);

int folders_fd(const struct folders *folders, size_t destination); /* [any] its index in the configuration */

#endif
