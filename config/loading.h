// SPDX-License-Identifier: MIT
/* loading.h - one run of config_load(): what it has read so far, and what every reader of a value needs.
 *
 * Every function reports through loading.diag and goes on, so that one run shows all problems; what could
 * not be read stays zero, and later checks must cope with that. Only running out of memory ends a walk
 * early (diag.nomem).
 */
#ifndef PENSTOCK_LOADING_H
#define PENSTOCK_LOADING_H

#include "base/error.h"
#include "config/keys.h"
#include "config/route.h"
#include "config/yaml_tree.h"

struct node_list {
	const struct node **items;
	size_t n;
};

struct route_file {
	struct source source;
	struct node *root; /* NULL: not readable, reported */
};

/* One run of config_load(). */
struct loading {
	struct config *config;
	struct diag *diag;
	struct route_file *files;
	size_t n_files;
	struct node_list routes;            /* routes.items[i] is the node of config->routes[i] */
	struct node_list destinations;      /* the same for config->destinations */
	struct node_list destination_names; /* and their key nodes */
	/* The keys of one mapping into its struct, for values that may be one; `node` NULL: all defaults. */
	void (*read_table)(struct loading *l, const struct key_table *table, const struct node *node, void *base);
	bool elsewhere;  /* destinations are served on another machine: do not look for what they need */
	bool incomplete; /* a file could not be read: what is not found may be there */
	bool unresolved; /* a rule's destination is not known, so what seems unused may be meant */
};

/* "key: sentence" at that node. */
void loading_complain(struct loading *l, const struct key *key, const struct node *node, const struct error *err);

/* A scalar with something in it. False: reported. */
bool loading_is_scalar(struct loading *l, const struct key *key, const struct node *node);

/* Room for `more` zeroed entries of `each` bytes after the `n` of *array. False: out of memory. */
bool loading_grow(struct loading *l, void *array, size_t n, size_t more, size_t each);

/* Node of rule j of route i; NULL for what was no list. */
const struct node *loading_rule_node(const struct loading *l, size_t route, size_t rule);

/* Of a rule's node: that of `store` or `concat`; NULL: it has neither. */
const struct node *loading_target_node(const struct node *rule);

#endif
