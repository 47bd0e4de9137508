// SPDX-License-Identifier: MIT
/* numbers.h - values that are numbers, sizes, times, words or switches: read, checked against the range of
 * their key, stored. `node` is a scalar with something in it, but for numbers_words(), which takes any; complaints go to
 * loading.diag. */
#ifndef PENSTOCK_NUMBERS_H
#define PENSTOCK_NUMBERS_H

#include "config/loading.h"

void numbers_number(struct loading *l, const struct key *key, const struct node *node, void *base);
void numbers_word(struct loading *l, const struct key *key, const struct node *node, void *base);
void numbers_words(struct loading *l, const struct key *key, const struct node *node, void *base);
void numbers_bool(struct loading *l, const struct key *key, const struct node *node, void *base);

/* Appends a number, size or time of that key as a person would write it. */
void numbers_add(struct buf *out, const struct key *key, uint64_t value);

#endif
