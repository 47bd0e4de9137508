// SPDX-License-Identifier: MIT
/* whole_file.h - all that is left to read of an open file. [any] Blocking. */
#ifndef PENSTOCK_WHOLE_FILE_H
#define PENSTOCK_WHOLE_FILE_H

#include "base/str.h"

#include <stdbool.h>

/* Appends it to `out`. False: errno says why. */
bool whole_file_read(int fd, struct buf *out);

#endif
