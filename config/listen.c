// SPDX-License-Identifier: MIT
/* listen.c - the values that say where to listen and whom to believe: addresses, networks. See values.h.
 *
 * An address that is listened on twice would be shared by the kernel between the two, so that each gets half of the
 * other's connections: it is an error, whatever the two are for. */
#include "base/mem.h"
#include "config/address.h"
#include "config/values.h"

#include <string.h>

static struct place
place_of(const struct node *node)
{
	return (struct place){ node->spot.source != NULL ? node->spot.source->name : "default", node->spot.line,
		node->spot.column };
}

void
values_address(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct listen *listen = base;
	struct error err = { 0 };

	if (!address_read_listen(node->text, listen, &err))
		read_complain(l, key, node, &err);
}

static void
add_listen(struct loading *l, const struct key *key, const struct node *node, struct listen *listen)
{
	listen->place = place_of(node);
	if (node->kind == NODE_MAP && key->tables != NULL)
		read_table(l, key->tables[0], node, listen);
	else if (read_is_scalar(l, key, node))
		values_address(l, key, node, listen);
}

static const struct node *
entry(const struct node *node, size_t i)
{
	return node->kind == NODE_LIST ? node->items[i] : node;
}

static void
report_same(struct loading *l, const struct node *list, size_t i, const struct listen *others, size_t n)
{
	const struct listen *mine = others + i;

	for (size_t j = 0; j < n; j++)
		if (address_listen_equal(mine, &others[j])) {
			diag_error(l->diag, list->items[i]->spot, "listen: \"%s\" is listened on already",
				mine->source);
			diag_note(l->diag, list->items[j]->spot, "by this entry");
			return;
		}
}

/* Among the `n_others` of another key? */
static bool
is_among(const struct listen *mine, const struct listen *others, size_t n_others)
{
	for (size_t i = 0; i < n_others; i++)
		if (address_listen_equal(mine, &others[i]))
			return true;
	return false;
}

/* Those of `admin` are read after those of the file, and those of `spoa` last. */
static void
report_taken(struct loading *l, const struct node *node, const struct listen *mine, size_t n)
{
	const struct config *c = l->config;

	for (size_t i = 0; i < n; i++) {
		if (is_among(&mine[i], c->listen, c->n_listen))
			diag_error(l->diag, entry(node, i)->spot, "listen: \"%s\" is where uploads come in",
				mine[i].source);
		else if (mine != c->admin.listen && is_among(&mine[i], c->admin.listen, c->admin.n_listen))
			diag_error(l->diag, entry(node, i)->spot, "listen: \"%s\" is the address of admin",
				mine[i].source);
	}
}

void
values_listen(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	char *slot = (char *)base + key->offset;
	struct listen *list;
	size_t n = 0;

	if (!values_entries(l, key, node, (size_t)key->max, &n) || !read_grow(l, slot, 0, n, sizeof *list))
		return;
	memcpy(&list, slot, sizeof list);
	memcpy((char *)base + key->count_offset, &n, sizeof n);
	for (size_t i = 0; i < n; i++)
		add_listen(l, key, entry(node, i), &list[i]);
	if (l->diag->nomem)
		return;
	for (size_t i = 1; i < n; i++)
		report_same(l, node, i, list, i);
	if (list != l->config->listen)
		report_taken(l, node, list, n);
}

/* -- whom to believe -------------------------------------------------------------------------------------- */

static void
add_network(struct loading *l, const char *text, struct trust *trust)
{
	struct error err = { 0 };

	if (!read_grow(l, &trust->networks, trust->n_networks, 1, sizeof *trust->networks))
		return;
	address_read_network(str_of(text), &trust->networks[trust->n_networks++], &err);
}

/* False: it is none of the words. */
static bool
add_word(struct loading *l, struct str word, struct trust *trust)
{
	bool is_local = str_is(word, "local");

	if (is_local) {
		add_network(l, "127.0.0.0/8", trust);
		add_network(l, "::1", trust);
	}
	if (is_local || str_is(word, "unix"))
		trust->unix_sockets = true;
	return is_local || str_is(word, "unix") || str_is(word, "none");
}

static void
add_proxy(struct loading *l, const struct key *key, const struct node *node, struct trust *trust)
{
	struct error err = { 0 };

	if (!read_is_scalar(l, key, node) || add_word(l, node->text, trust))
		return;
	if (!read_grow(l, &trust->networks, trust->n_networks, 1, sizeof *trust->networks))
		return;
	if (address_read_network(node->text, &trust->networks[trust->n_networks], &err))
		trust->n_networks++;
	else
		read_complain(l, key, node, &err);
}

void
values_networks(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct trust *trust = (struct trust *)(void *)((char *)base + key->offset);
	size_t n = 0;

	if (!values_entries(l, key, node, (size_t)key->max, &n))
		return;
	for (size_t i = 0; i < n && !l->diag->nomem; i++)
		add_proxy(l, key, entry(node, i), trust);
}
