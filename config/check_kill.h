// SPDX-License-Identifier: MIT
/* check_kill.h - warns, where route files have no error, of what a kill in the middle of a commit would leave half visible. */
#ifndef PENSTOCK_CHECK_KILL_H
#define PENSTOCK_CHECK_KILL_H

#include "config/loading.h"

void check_kill(struct loading *l);

#endif
