// SPDX-License-Identifier: MIT
/* values.h - the values of a route file that have a form of their own: names, text, addresses, URLs
 * (header lines: headers.h, `match`: matching.h). Each reader takes the struct of the key's table as `base`; complaints go to loading.diag. */
#ifndef PENSTOCK_VALUES_H
#define PENSTOCK_VALUES_H

#include "config/loading.h"

void values_id(struct loading *l, const struct key *key, const struct node *node, void *base);
void values_text(struct loading *l, const struct key *key, const struct node *node, void *base);
void values_file(struct loading *l, const struct key *key, const struct node *node, void *base);
void values_address(struct loading *l, const struct key *key, const struct node *node, void *base);
void values_networks(struct loading *l, const struct key *key, const struct node *node, void *base);
void values_listen(struct loading *l, const struct key *key, const struct node *node, void *base);
void values_url(struct loading *l, const struct key *key, const struct node *node, void *base);

/* Some text of at most `max` bytes, without control bytes? False: reported. */
bool values_is_text(struct loading *l, const struct key *key, const struct node *node, size_t max);

/* The entries of a list, or the one value in its place. False: reported. */
bool values_entries(struct loading *l, const struct key *key, const struct node *node, size_t max, size_t *n);

/* Is it a name of letters, digits, '.', '_' and '-', at most 64? */
#define VALUES_ID_PATTERN "^[A-Za-z0-9._-]{1,64}$"
bool values_is_id(struct str s);

#endif
