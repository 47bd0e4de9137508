// SPDX-License-Identifier: MIT
/* loading.c - see loading.h. */
#include "config/loading.h"

#include "base/mem.h"

#include <string.h>

void
loading_complain(struct loading *l, const struct key *key, const struct node *node, const struct error *err)
{
	if (err->kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, node->spot, "%s: %s", key->name, err->message);
}

bool
loading_grow(struct loading *l, void *array, size_t n, size_t more, size_t each)
{
	char *old, *grown;

	memcpy(&old, array, sizeof old);
	if (more > SIZE_MAX / 2 - n || (grown = mem_resize(old, n + more, each)) == NULL)
		return diag_nomem(l->diag);
	memset(grown + n * each, 0, more * each);
	memcpy(array, &grown, sizeof grown);
	return true;
}

bool
loading_is_scalar(struct loading *l, const struct key *key, const struct node *node)
{
	if (node->kind != NODE_SCALAR)
		diag_error(l->diag, node->spot, "%s: one value is needed here, not %s%s", key->name,
			yaml_tree_kind(node),
			(key->type == KEY_TEMPLATE || key->type == KEY_METADATA) && node->kind == NODE_MAP
				? "; a text that begins with '{' needs quotes: \"{uuid}\""
				: "");
	else if (yaml_tree_is_null(node))
		diag_error(l->diag, node->spot, "%s: the value is missing", key->name);
	else
		return true;
	return false;
}

const struct node *
loading_rule_node(const struct loading *l, size_t route, size_t rule)
{
	const struct node *fields = yaml_tree_get(l->routes.items[route], "fields");

	return fields != NULL && fields->kind == NODE_LIST && rule < fields->n ? fields->items[rule] : NULL;
}

const struct node *
loading_target_node(const struct node *rule)
{
	const struct node *store = yaml_tree_get(rule, "store");

	return store != NULL ? store : yaml_tree_get(rule, "concat");
}
