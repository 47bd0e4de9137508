// SPDX-License-Identifier: MIT
/* folder_would.h - what a file would make a folder see, for `penstock explain`. */
#ifndef PENSTOCK_FOLDER_WOULD_H
#define PENSTOCK_FOLDER_WOULD_H

#include "sink/order.h"

struct would;

void folder_would(const struct order *order, struct would *would); /* as sink.h has it */

#endif
