// SPDX-License-Identifier: MIT
/* yaml_tree_look.c - what is asked of a tree that yaml_tree.c has made, and its end. No libyaml here. */
#include "config/yaml_tree.h"

#include "base/mem.h"
#include "config/scalar.h"

void
yaml_tree_free(struct node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->n; i++) {
		if (node->keys != NULL)
			yaml_tree_free(node->keys[i]);
		yaml_tree_free(node->items[i]);
	}
	mem_free(node->chars);
	mem_free(node->keys);
	mem_free(node->items);
	mem_free(node);
}

const struct node *
yaml_tree_get(const struct node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (str_is(map->keys[i]->text, key))
			return map->items[i];
	return NULL;
}

bool
yaml_tree_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
		(node->text.len == 0 || str_is(node->text, "~") || str_is(node->text, "null") ||
			str_is(node->text, "Null") || str_is(node->text, "NULL"));
}

static size_t
count_characters(struct str s)
{
	size_t count = 0;

	for (; s.len > 0; count++) {
		size_t n = utf8_length(s);

		n = n > 0 ? n : 1;
		s.data += n;
		s.len -= n;
	}
	return count;
}

struct spot
yaml_tree_spot(const struct node *scalar, size_t offset, size_t len)
{
	size_t quotes = scalar->plain ? 0 : 2;
	struct spot spot = scalar->spot;

	if (count_characters(scalar->text) + quotes != spot.width)
		return spot;
	spot.column += (unsigned)(count_characters((struct str){ scalar->text.data, offset }) + quotes / 2);
	spot.width = (unsigned)count_characters((struct str){ scalar->text.data + offset, len });
	spot.width = spot.width > 0 ? spot.width : 1;
	return spot;
}

struct spot
yaml_tree_spot_of(const struct node *map, const char *key)
{
	const struct node *node = yaml_tree_get(map, key);

	return node != NULL ? node->spot : map->spot;
}

const char *
yaml_tree_kind(const struct node *node)
{
	if (node->kind == NODE_MAP)
		return "a mapping";
	if (node->kind == NODE_LIST)
		return "a list";
	return yaml_tree_is_null(node) ? "empty" : "text";
}

const struct node *
yaml_tree_scalar(const struct node *map, const char *key)
{
	const struct node *node = yaml_tree_get(map, key);

	return node != NULL && node->kind == NODE_SCALAR && !yaml_tree_is_null(node) ? node : NULL;
}
