// SPDX-License-Identifier: MIT
/* values.c - see values.h. What the text means is for address.c to say; here is who calls
 * them, and what becomes of a list that may also be one value. */
#include "config/values.h"

#include "base/mem.h"
#include "config/address.h"
#include "config/peer.h"

#include <string.h>

#define TEXT_MAX 4096

static void
put_text(struct loading *l, const struct key *key, void *base, char *copy)
{
	if (copy == NULL)
		diag_nomem(l->diag);
	else
		memcpy((char *)base + key->offset, &copy, sizeof copy);
}

bool
values_is_id(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
			    c == '_' || c == '-'))
			return false;
	}
	return s.len > 0 && s.len <= 64;
}

void
values_id(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	if (values_is_id(node->text))
		put_text(l, key, base, str_dup(node->text));
	else
		diag_error(l->diag, node->spot,
			"%s: \"%.*s\" is not a name of letters, digits, '.', '_' and '-', at most 64", key->name,
			SHOWN(node->text));
}

bool
values_is_text(struct loading *l, const struct key *key, const struct node *node, size_t max)
{
	if (node->text.len == 0 || node->text.len > max) {
		if (node->text.len == 0)
			diag_error(l->diag, node->spot, "%s: the text is empty", key->name);
		else
			diag_error(l->diag, node->spot, "%s: the text is longer than %zu bytes", key->name, max);
		return false;
	}
	for (size_t i = 0; i < node->text.len; i++) {
		unsigned char c = (unsigned char)node->text.data[i];

		if (c >= 0x20 && c != 0x7f)
			continue;
		diag_error(l->diag, yaml_tree_spot(node, i, 1), "%s: a control byte (0x%02x) cannot stand here",
			key->name, c);
		return false;
	}
	return true;
}

static bool
is_text(struct loading *l, const struct key *key, const struct node *node)
{
	return values_is_text(l, key, node, key->type == KEY_TEXT && key->max > 0 ? (size_t)key->max : TEXT_MAX);
}

void
values_text(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	if (is_text(l, key, node) && key->width > 0)
		put_text(l, key, base, str_dup(node->text));
}

/* { file: PATH } and nothing else; the path stays a path. */
void
values_file(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	const struct node *path = yaml_tree_get(node, "file");

	if (path == NULL || node->n != 1)
		diag_error(l->diag, node->spot, "%s is written { file: PATH }", key->name);
	else if (loading_is_scalar(l, key, path) && is_text(l, key, path))
		put_text(l, key, base, str_dup(path->text));
}

bool
values_entries(struct loading *l, const struct key *key, const struct node *node, size_t max, size_t *n)
{
	if (node->kind == NODE_SCALAR || (node->kind == NODE_MAP && key->tables != NULL))
		*n = 1;
	else if (node->kind == NODE_MAP)
		diag_error(l->diag, node->spot, "%s is one value or a list, not a mapping", key->name);
	else if (node->n == 0)
		diag_error(l->diag, node->spot, "%s: the list is empty", key->name);
	else if (node->n > max)
		diag_error(
			l->diag, node->spot, "%s: %zu entries are too many; at most %zu", key->name, node->n, max);
	else
		*n = node->n;
	return *n > 0;
}

void
values_url(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct http_peer *peer = (struct http_peer *)(void *)((char *)base + key->offset);
	struct error err = { 0 };

	if (!address_read_url(node->text, peer, &err))
		loading_complain(l, key, node, &err);
}
