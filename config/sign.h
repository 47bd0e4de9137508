// SPDX-License-Identifier: MIT
/* sign.h - `sign`: what a question to an application is signed with. */
#ifndef PENSTOCK_CONFIG_SIGN_H
#define PENSTOCK_CONFIG_SIGN_H

#include "config/loading.h"

/* The rows of a row of KEY_SIGN. */
extern const struct key_table sign_keys;

/* Reader of KEY_SIGN, as read.h has them. */
void sign_read(struct loading *l, const struct key *key, const struct node *node, void *base);

void sign_free(struct sign *sign); /* wipes its keys */

#endif
