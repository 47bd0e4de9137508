// SPDX-License-Identifier: MIT
/* statuses.h - sets of statuses of HTTP answers: `none`, one, or a list of 301, 4xx, 503, ... */
#ifndef PENSTOCK_STATUSES_H
#define PENSTOCK_STATUSES_H

#include "config/loading.h"

#define STATUSES_PATTERN "^([3-5][0-9][0-9]|[3-5]xx)$"

/* Reader of KEY_STATUSES, as read.h has it. */
void statuses_read(struct loading *l, const struct key *key, const struct node *node, void *base);

bool statuses_are_none(const struct statuses *statuses);
bool statuses_have(const struct statuses *statuses, unsigned status); /* any number */

#endif
