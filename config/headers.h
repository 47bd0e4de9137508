// SPDX-License-Identifier: MIT
/* headers.h - header lines of a destination, whose values may be secrets, and secrets that stand alone. Secrets that a route file
 * names are read here and nowhere else, and no message ever holds a value. */
#ifndef PENSTOCK_HEADERS_H
#define PENSTOCK_HEADERS_H

#include "config/read.h"

void headers_read(struct loading *l, const struct key *key, const struct node *node, void *base);

/* Reads a KEY_SECRET: a secret without bytes that could not stand in a header line. */
void headers_read_secret(struct loading *l, const struct key *key, const struct node *node, void *base);

void headers_wipe(char *secret); /* makes it unreadable and frees it; NULL is fine */

#endif
