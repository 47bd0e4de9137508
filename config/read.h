// SPDX-License-Identifier: MIT
/* read.h - walks nodes against the key table and fills in struct config. */
#ifndef PENSTOCK_READ_H
#define PENSTOCK_READ_H

#include "config/loading.h"

/* All files of the run into config; nothing is linked or cross-checked yet. */
void read_files(struct loading *l);

#endif
