// SPDX-License-Identifier: MIT
/* headers.h - header lines of a destination, whose values may be secrets, and secrets that stand alone. Secrets that a route file
 * names are read here and nowhere else, and no message ever holds a value. */
#ifndef PENSTOCK_HEADERS_H
#define PENSTOCK_HEADERS_H

#include "config/loading.h"

/* Reads a KEY_HEADERS and a KEY_LINES, as read.h has them. */
void headers_read(struct loading *l, const struct key *key, const struct node *node, void *base);

bool headers_has(const struct header_lines *lines, struct str name); /* a line of that name, in whatever case? */

/* Reports a header that would stand twice in one request, as a line of `lines` and as one that is passed on. `node` names those; NULL: none
 * was said. */
void headers_check_pass(
	struct loading *l, const struct header_lines *lines, const struct texts *pass, const struct node *node);

/* Why a header of this name is not passed on from a client to an application; NULL: it may be. A constant. */
const char *headers_judge_passed(struct str name);

/* The same from a client to a store. */
const char *headers_judge_stored(struct str name);

/* Reads a KEY_SECRET: a secret without bytes that could not stand in a header line. */
void headers_read_secret(struct loading *l, const struct key *key, const struct node *node, void *base);

void headers_free(struct header_lines *lines); /* what they hold; values are wiped */

void headers_wipe(char *secret); /* makes it unreadable and frees it; NULL is fine */

#endif
