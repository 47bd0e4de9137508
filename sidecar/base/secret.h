// SPDX-License-Identifier: MIT
/* secret.h - text that nobody is to find in memory that was freed: in a struct buf that `is_secret`, and is wiped at its end. [any] */
#ifndef PENSTOCK_SECRET_H
#define PENSTOCK_SECRET_H

#include "base/str.h"

#include <stdbool.h>

/* Appends all that is left to read of an open file, at most `most` bytes in all. Blocking. False: errno says why (EFBIG: it is
 * longer). `out->failed`: out of memory. */
bool secret_read(int fd, size_t most, struct buf *out);

void secret_wipe(struct buf *text); /* frees it, too; what comes into it next is secret again */

#endif
