// SPDX-License-Identifier: MIT
/* matching.h - `match` of a route: which requests it takes. */
#ifndef PENSTOCK_MATCHING_H
#define PENSTOCK_MATCHING_H

#include "config/loading.h"

/* The rows of a route's `match`. */
extern const struct key_table matching_keys;

#define MATCHING_VALUE_MAX 255 /* bytes of the pattern of a value */
#define MATCHING_NAME_MAX 64
#define MATCHING_HEADER_PATTERN "^[A-Za-z0-9-]{1,64}$"
#define MATCHING_QUERY_PATTERN "^[][A-Za-z0-9._~-]{1,64}$"

/* Different headers of all routes, but for Content-Type: HAProxy's question to the agent has the value of each. */
#define MATCHING_HEADERS_MAX 16

/* Does HAProxy's question have this header for the sake of the routes, and does no route before name it? */
bool matching_is_new_header(const struct config *config, size_t route, size_t header);

/* When all routes are read: how many headers they name. */
void matching_check(struct loading *l);

/* Readers of KEY_HOSTS, KEY_PATHS, KEY_METHODS, KEY_NAMED_HEADERS and KEY_NAMED_QUERY, as read.h has them. */
void matching_read_hosts(struct loading *l, const struct key *key, const struct node *node, void *base);
void matching_read_paths(struct loading *l, const struct key *key, const struct node *node, void *base);
void matching_read_named(struct loading *l, const struct key *key, const struct node *node, void *base);
void matching_read_methods(struct loading *l, const struct key *key, const struct node *node, void *base);

#endif
