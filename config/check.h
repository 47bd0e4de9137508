// SPDX-License-Identifier: MIT
/* check.h - the last pass: finds keys that are right one by one, and contradict each other. Where two places do, the message cites
 * both. Changes nothing. */
#ifndef PENSTOCK_CHECK_H
#define PENSTOCK_CHECK_H

#include "config/loading.h"

void check_all(struct loading *l);

#endif
