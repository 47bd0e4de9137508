// SPDX-License-Identifier: MIT
/* listen.c - the values that say where to listen and whom to believe: addresses, networks. See values.h.
 *
 * An address that is listened on twice would be shared by the kernel between the two, so that each gets half of the
 * other's connections: it is an error, whatever the two are for. A wildcard beside an address of the same port loses
 * the connections to that one: an error if the two are for different things, and else not needed. */
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
		loading_complain(l, key, node, &err);
}

static void
add_listen(struct loading *l, const struct key *key, const struct node *node, struct listen *listen)
{
	listen->place = place_of(node);
	if (node->kind == NODE_MAP && key->tables != NULL)
		l->read_table(l, key->tables[0], node, listen);
	else if (loading_is_scalar(l, key, node))
		values_address(l, key, node, listen);
}

static const struct node *
entry(const struct node *node, size_t i)
{
	return node->kind == NODE_LIST ? node->items[i] : node;
}

/* Of a default there is none. */
static struct spot
spot_of(const struct loading *l, const struct listen *listen)
{
	struct spot spot = { NULL, listen->place.line, listen->place.column, 1 };

	for (size_t i = 0; i < l->n_files; i++)
		if (l->files[i].source.name == listen->place.file)
			spot.source = &l->files[i].source;
	return spot;
}

/* `what` is said of the other one; NULL: both stand in one list. False: they do not meet. */
static bool
report_meeting(struct loading *l, struct spot here, const struct listen *mine, const struct listen *other,
	const char *what)
{
	enum address_meeting meeting = address_listen_meet(mine, other);
	bool is_alike = what == NULL && mine->proxy_protocol == other->proxy_protocol;

	if (meeting == ADDRESS_APART || (meeting == ADDRESS_BOTH_ANY && is_alike))
		return false;
	if (meeting == ADDRESS_SAME)
		diag_error(l->diag, here, "listen: \"%s\" is %s", mine->source,
			what != NULL ? what : "listened on already");
	else if (is_alike)
		diag_warn(l->diag, here,
			"listen: \"%s\" overlaps \"%s\": the wider one alone takes all that both take",
			mine->source, other->source);
	else
		diag_error(l->diag, here, "listen: \"%s\" overlaps \"%s\", which is %s; give it another port",
			mine->source, other->source, what != NULL ? what : "not alike in proxy_protocol");
	return true;
}

/* Against those before it in its list. */
static bool
report_same(struct loading *l, const struct node *list, size_t i, const struct listen *others)
{
	for (size_t j = 0; j < i; j++)
		if (report_meeting(l, list->items[i]->spot, &others[i], &others[j], NULL)) {
			diag_note(l->diag, list->items[j]->spot, "by this entry");
			return true;
		}
	return false;
}

/* Against those of another key. */
static bool
report_others(struct loading *l, struct spot here, const struct listen *mine, const struct listen *others, size_t n,
	const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (report_meeting(l, here, mine, &others[i], what)) {
			diag_note(l->diag, spot_of(l, &others[i]),
				others[i].place.line > 0 ? "by this entry" : "by default");
			return true;
		}
	return false;
}

static bool
is_among(const struct listen *one, const struct listen *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (one == &list[i])
			return true;
	return false;
}

/* Those of `admin` are read after those of the file, and those of `spoa` last. */
static void
report_taken(struct loading *l, const struct node *node, const struct listen *mine)
{
	const struct config *c = l->config;
	bool is_spoa = is_among(mine, c->spoa.listen, c->spoa.n_listen);

	if (!report_others(l, node->spot, mine, c->listen, c->n_listen, "where uploads come in") && is_spoa)
		report_others(l, node->spot, mine, c->admin.listen, c->admin.n_listen, "the address of admin");
}

void
values_listen(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	char *slot = (char *)base + key->offset;
	struct listen *list;
	size_t n = 0;

	if (!values_entries(l, key, node, (size_t)key->max, &n) || !loading_grow(l, slot, 0, n, sizeof *list))
		return;
	memcpy(&list, slot, sizeof list);
	memcpy((char *)base + key->count_offset, &n, sizeof n);
	for (size_t i = 0; i < n; i++)
		add_listen(l, key, entry(node, i), &list[i]);
	if (l->diag->nomem)
		return;
	for (size_t i = 0; i < n; i++)
		if (!report_same(l, node, i, list) && list != l->config->listen)
			report_taken(l, entry(node, i), &list[i]);
}

/* -- whom to believe -------------------------------------------------------------------------------------- */

static void
add_network(struct loading *l, const char *text, struct trust *trust)
{
	struct error err = { 0 };

	if (!loading_grow(l, &trust->networks, trust->n_networks, 1, sizeof *trust->networks))
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

	if (!loading_is_scalar(l, key, node) || add_word(l, node->text, trust))
		return;
	if (!loading_grow(l, &trust->networks, trust->n_networks, 1, sizeof *trust->networks))
		return;
	if (address_read_network(node->text, &trust->networks[trust->n_networks], &err))
		trust->n_networks++;
	else
		loading_complain(l, key, node, &err);
}

void
values_networks(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct trust *trust = (struct trust *)(void *)((char *)base + key->offset);
	size_t n = 0;

	if (!values_entries(l, key, node, (size_t)key->max, &n))
		return;
	for (size_t i = 0; i < n && !l->diag->nomem; i++) {
		if (n > 1 && entry(node, i)->kind == NODE_SCALAR && str_is(entry(node, i)->text, "none"))
			diag_error(l->diag, entry(node, i)->spot, "%s: \"none\" stands alone", key->name);
		add_proxy(l, key, entry(node, i), trust);
	}
}
