// SPDX-License-Identifier: MIT
/* yaml_tree.h - one YAML file as a tree of nodes that know where they stand. The only user of libyaml.
 *
 * What a route file needs and no more: one document of mappings with scalar keys, lists and scalars.
 * Anchors, aliases, tags and a second document are refused, a key may stand once in its mapping, and
 * depth and number of nodes are bounded, so a small file cannot become a large tree.
 */
#ifndef PENSTOCK_YAML_TREE_H
#define PENSTOCK_YAML_TREE_H

#include "config/diag.h"

#define YAML_TREE_BYTES_MAX (1024u * 1024u) /* of one file */
#define YAML_TREE_NODES_MAX 65536u
#define YAML_TREE_DEPTH_MAX 16u

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	struct spot spot;
	/* NODE_SCALAR */
	struct str text; /* UTF-8 without NUL bytes; followed by a NUL */
	bool plain;      /* written without quotes */
	char *chars;     /* what text views, owned by the node */
	/* NODE_LIST and NODE_MAP */
	size_t n;
	struct node **keys;  /* of a map */
	struct node **items; /* entries of a list, values of a map */
};

/* NULL: `d` has an error, or says that memory ran out. A tree with duplicate keys is returned too; `d` has an error then. */
struct node *yaml_tree_parse(const struct source *source, struct diag *d);

void yaml_tree_free(struct node *node); /* NULL is fine */

/* Value of that key in a map; NULL: not there, or `map` is NULL or no map. */
const struct node *yaml_tree_get(const struct node *map, const char *key);

/* True for a plain scalar that YAML reads as "no value": empty, ~ or null. */
bool yaml_tree_is_null(const struct node *node);

/* Where bytes [offset, offset + len) of a scalar's text stand; the whole scalar where that cannot be said
 * (escapes, several lines). */
struct spot yaml_tree_spot(const struct node *scalar, size_t offset, size_t len);

/* Where the value of that key stands, or the map that it should stand in. */
struct spot yaml_tree_spot_of(const struct node *map, const char *key);

/* "a mapping", "a list", ...: for messages. */
const char *yaml_tree_kind(const struct node *node);

/* Of that key, if it is a scalar and not null; else NULL. */
const struct node *yaml_tree_scalar(const struct node *map, const char *key);

#endif
