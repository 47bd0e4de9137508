// SPDX-License-Identifier: MIT
/* headers.h - header lines of a destination, whose values may be secrets. The only place that opens a
 * secret. No message ever holds a value. */
#ifndef PENSTOCK_HEADERS_H
#define PENSTOCK_HEADERS_H

#include "config/read.h"

void headers_read(struct loading *l, const struct key *key, const struct node *node, void *base);

#endif
