// SPDX-License-Identifier: MIT
/* read_keys.h - which keys stand in a mapping, and which should: what is wrong with that is reported. For read.c. */
#ifndef PENSTOCK_READ_KEYS_H
#define PENSTOCK_READ_KEYS_H

#include "config/loading.h"

/* Each key that the table does not have, with what may have been meant. */
void read_report_unknown(struct loading *l, const struct key_table *table, const struct node *map);

/* Is row i the first one of its group? */
bool read_is_first_of_group(const struct key_table *table, size_t i);

/* Exactly one key of the group has to stand there. */
void read_check_group(struct loading *l, const struct key_table *table, const char *group, const struct node *map);

#endif
