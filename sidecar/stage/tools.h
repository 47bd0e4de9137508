// SPDX-License-Identifier: MIT
/* tools.h - what the stages of all forms of one thread share, because it takes long to open. Zeroed: nothing is open. */
#ifndef PENSTOCK_STAGE_TOOLS_H
#define PENSTOCK_STAGE_TOOLS_H

#include "base/error.h"
#include "config/route.h"

struct stage_tools {
	struct detector *detector; /* NULL: no rule so far wanted it */
};

/* Opens what the rules of `config` want and is not open yet. False: ERR_SYSTEM (err names what cannot be read), or ERR_NOMEM; what
 * was open stays open. */
bool stage_tools_open(struct stage_tools *tools, const struct config *config, struct error *err);

void stage_tools_close(struct stage_tools *tools); /* back to the zeroed state */

/* [any] Opens all that the rules want, to try it, and closes it again. False: as stage_tools_open(). */
bool stage_tools_check(const struct config *config, struct error *err);

#endif
