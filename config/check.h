// SPDX-License-Identifier: MIT
/* check.h - the last pass: what each key may say by itself, but not together. Where two places are at
 * odds both are cited. Changes nothing. */
#ifndef PENSTOCK_CHECK_H
#define PENSTOCK_CHECK_H

#include "config/read.h"

void check_all(struct loading *l);

#endif
