// SPDX-License-Identifier: MIT
/* man.h - the manual pages, for man(1). */
#ifndef PENSTOCK_MAN_H
#define PENSTOCK_MAN_H

#include "base/str.h"

/* "1": penstock(1), from the command table; "5": penstock.yaml(5), from the reference of route files.
 * False: there is no such page. */
bool man_page(struct buf *out, const char *section);

#endif
