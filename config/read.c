// SPDX-License-Identifier: MIT
/* read.c - see read.h.
 *
 * Happy path: read_files() -> for each key of the file's table, its node of any file (or its default)
 * -> the reader of its type -> for mappings and lists the same again one level down. Defaults are read
 * from the text in the key table by the same readers, so they are what the reference says.
 */
#include "config/read.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/cors.h"
#include "config/headers.h"
#include "config/kind.h"
#include "config/matching.h"
#include "config/nearest.h"
#include "config/needs.h"
#include "config/numbers.h"
#include "config/object_head_read.h"
#include "config/read_keys.h"
#include "config/sign.h"
#include "config/statuses.h"
#include "config/texts.h"
#include "config/values.h"

#include <string.h>

static void read_key(struct loading *l, const struct key *key, const struct node *node, void *base);

static const struct node *
key_node(const struct node *map, const char *name)
{
	for (size_t i = 0; map != NULL && map->kind == NODE_MAP && i < map->n; i++)
		if (str_is(map->keys[i]->text, name))
			return map->keys[i];
	return NULL;
}

static bool
is_map(struct loading *l, const char *title, const struct node *node)
{
	if (node->kind == NODE_MAP)
		return true;
	diag_error(l->diag, node->spot, "%s is a mapping (key: value), not %s", title, yaml_tree_kind(node));
	return false;
}

static void
read_table(struct loading *l, const struct key_table *table, const struct node *node, void *base)
{
	if (node != NULL && !is_map(l, table->title, node))
		node = NULL;
	else if (node != NULL)
		read_report_unknown(l, table, node);
	for (size_t i = 0; i < table->n; i++) {
		const struct key *key = &table->keys[i];
		const struct node *value = yaml_tree_get(node, key->name);

		if (node != NULL && key->required && value == NULL)
			diag_error(l->diag, node->spot, "%s needs the key \"%s\"", table->title, key->name);
		if (node != NULL && read_is_first_of_group(table, i))
			read_check_group(l, table, key->group, node);
		read_key(l, key, value, base);
	}
}

static struct place
place_of(const struct node *node)
{
	return (struct place){ node->spot.source->name, node->spot.line, node->spot.column };
}

static void
remember(struct loading *l, struct node_list *list, const struct node *node)
{
	if (loading_grow(l, &list->items, list->n, 1, sizeof node))
		list->items[list->n++] = node;
}

static bool
is_list(struct loading *l, const struct key *key, const struct node *node)
{
	if (node->kind != NODE_LIST)
		diag_error(l->diag, node->spot, "%s is a list, not %s: each of its entries begins with '-'",
			key->name, yaml_tree_kind(node));
	else if (node->n < key->min)
		diag_error(l->diag, node->spot, "%s: the list is empty", key->name);
	else if (node->n > key->max)
		diag_error(l->diag, node->spot, "%s: %zu entries are too many; at most %llu", key->name, node->n,
			(unsigned long long)key->max);
	else
		return true;
	return false;
}

static void
read_list(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	char *slot = (char *)base + key->offset, *entries;
	size_t n;

	if (!is_list(l, key, node))
		return;
	memcpy(&n, (char *)base + key->count_offset, sizeof n);
	if (!loading_grow(l, slot, n, node->n, key->each))
		return;
	memcpy(&entries, slot, sizeof entries);
	for (size_t i = 0; i < node->n && !l->diag->nomem; i++) {
		char *entry = entries + n * key->each;
		struct place place = place_of(node->items[i]);

		if (base == l->config)
			remember(l, &l->routes, node->items[i]);
		n++;
		memcpy((char *)base + key->count_offset, &n, sizeof n);
		memcpy(entry + key->place_offset, &place, sizeof place);
		read_table(l, key->tables[0], node->items[i], entry);
	}
}

static void
report_variant(struct loading *l, const struct node *type)
{
	struct nearest nearest = { .word = type->text };
	struct buf known = { 0 };

	for (const struct destination_kind *const *kind = destination_kinds; *kind != NULL; kind++) {
		const char *name = (*kind)->word;

		nearest_offer(&nearest, name);
		buf_addf(&known, "%s%s", known.len > 0 ? ", " : "", name);
	}
	if (known.failed)
		diag_nomem(l->diag);
	else if (nearest.best != NULL)
		diag_error(l->diag, type->spot, "type: \"%.*s\" is not known; did you mean \"%s\"?",
			SHOWN(type->text), nearest.best);
	else
		diag_error(l->diag, type->spot, "type: \"%.*s\" is not known; known: %s", SHOWN(type->text),
			known.data);
	buf_free(&known);
}

/* The kind that the word of `type` names; NULL: reported. */
static const struct destination_kind *
find_variant(struct loading *l, const struct key *key, const struct node *node)
{
	const struct node *type = yaml_tree_get(node, "type");
	const struct destination_kind *kind;

	if (!is_map(l, "a destination", node))
		return NULL;
	if (type == NULL) {
		diag_error(l->diag, node->spot, "a destination needs the key \"type\"");
		return NULL;
	}
	if (!loading_is_scalar(l, keys_find(key->tables[0], "type"), type))
		return NULL;
	kind = kind_find(type->text);
	if (kind == NULL)
		report_variant(l, type);
	return kind;
}

static bool
is_new_name(struct loading *l, const struct node *name)
{
	for (size_t i = 0; i < l->destination_names.n; i++) {
		const struct node *other = l->destination_names.items[i];

		if (!str_equal(other->text, name->text))
			continue;
		if (other->spot.source != name->spot.source) { /* else a duplicate key, reported as such */
			diag_error(
				l->diag, name->spot, "destination \"%.*s\" stands in two files", SHOWN(name->text));
			diag_note(l->diag, other->spot, "the first one is here");
		}
		return false;
	}
	if (!values_is_id(name->text))
		diag_error(l->diag, name->spot,
			"the name of a destination has letters, digits, '.', '_' and '-', at most 64");
	return true;
}

static void
read_destination(struct loading *l, const struct key *key, const struct node *name, const struct node *node)
{
	struct config *c = l->config;
	const struct destination_kind *kind;
	struct destination *d;

	if (!is_new_name(l, name) ||
		!loading_grow(l, &c->destinations, c->n_destinations, 1, sizeof *c->destinations))
		return;
	d = &c->destinations[c->n_destinations++];
	d->place = place_of(name);
	d->name = str_dup(name->text);
	if (d->name == NULL)
		diag_nomem(l->diag);
	remember(l, &l->destinations, node);
	remember(l, &l->destination_names, name);
	kind = find_variant(l, key, node);
	if (kind == NULL || !loading_grow(l, &d->settings, 0, 1, kind->settings_size))
		return;
	d->kind = kind;
	read_table(l, kind->keys, node, d->settings);
}

static void
read_map(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	must(base == l->config);
	if (!is_map(l, key->name, node))
		return;
	if (node->n > key->max)
		diag_error(l->diag, node->spot, "%s: %zu entries are too many; at most %llu", key->name, node->n,
			(unsigned long long)key->max);
	for (size_t i = 0; i < node->n && node->n <= key->max && !l->diag->nomem; i++)
		read_destination(l, key, node->keys[i], node->items[i]);
}

/* -- all types, all files ------------------------------------------------------------------------------ */

static void
read_later(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	(void)base;
	loading_is_scalar(l, key, node); /* link.c reads it */
}

static void
read_table_key(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	read_table(l, key->tables[0], node, (char *)base + key->offset);
}

static const struct {
	void (*read)(struct loading *l, const struct key *key, const struct node *node, void *base);
	bool scalar; /* takes one non-empty scalar and nothing else */
} readers[] = {
	[KEY_COUNT] = { numbers_number, true },
	[KEY_SIZE] = { numbers_number, true },
	[KEY_TIME] = { numbers_number, true },
	[KEY_RATE] = { numbers_number, true },
	[KEY_BOOL] = { numbers_bool, true },
	[KEY_TRUE] = { numbers_bool, true },
	[KEY_WORD] = { numbers_word, true },
	[KEY_WORDS] = { numbers_words, false },
	[KEY_ID] = { values_id, true },
	[KEY_TEXT] = { values_text, true },
	[KEY_SECRET] = { headers_read_secret, false },
	[KEY_FILE] = { values_file, false },
	[KEY_HOSTS] = { matching_read_hosts, false },
	[KEY_PATHS] = { matching_read_paths, false },
	[KEY_NAMED_HEADERS] = { matching_read_named, false },
	[KEY_NAMED_QUERY] = { matching_read_named, false },
	[KEY_METHODS] = { matching_read_methods, false },
	[KEY_ADDRESS] = { values_address, true },
	[KEY_LISTEN] = { values_listen, false },
	[KEY_NETWORKS] = { values_networks, false },
	[KEY_URL] = { values_url, true },
	[KEY_HEADERS] = { headers_read, false },
	[KEY_LINES] = { headers_read, false },
	[KEY_CONTENT_TYPE] = { object_head_read_type, true },
	[KEY_METADATA] = { object_head_read_metadata, false },
	[KEY_TYPE_GLOBS] = { texts_read_globs, false },
	[KEY_TYPES] = { texts_read_types, false },
	[KEY_PASSED] = { texts_read_headers, false },
	[KEY_PASSED_ON] = { texts_read_stored_headers, false },
	[KEY_EXTENSIONS] = { texts_read_extensions, false },
	[KEY_FIELDS] = { needs_read_fields, false },
	[KEY_ORIGINS] = { texts_read_origins, false },
	[KEY_HEADER_NAMES] = { cors_read_names, false },
	[KEY_STATUSES] = { statuses_read, false },
	[KEY_TEMPLATE] = { read_later, false },
	[KEY_REFERENCE] = { read_later, false },
	[KEY_SIGN] = { sign_read, false },
	[KEY_TABLE] = { read_table_key, false },
	[KEY_MAP] = { read_map, false },
	[KEY_LIST] = { read_list, false },
};

/* `node` NULL: the default, if there is one. A table of a group (store) has no defaults of its own. */
static void
read_key(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct node stand_in = { .kind = NODE_SCALAR, .plain = true, .text = str_of(key->fallback) };

	if (l->diag->nomem)
		return;
	if (node == NULL && key->type == KEY_TABLE && key->group == NULL)
		read_table(l, key->tables[0], NULL, (char *)base + key->offset);
	else if (node == NULL && key->fallback != NULL)
		readers[key->type].read(l, key, &stand_in, base);
	else if (node != NULL && (!readers[key->type].scalar || loading_is_scalar(l, key, node)))
		readers[key->type].read(l, key, node, base);
}

/* What every file may say, and what only one of them may say. */
static bool
is_for_each_file(const struct key *key)
{
	return key->type == KEY_MAP || key->type == KEY_LIST || key->required;
}

static void
read_in_each_file(struct loading *l, const struct key *key)
{
	for (size_t i = 0; i < l->n_files; i++) {
		const struct node *root = l->files[i].root;
		const struct node *node = yaml_tree_get(root, key->name);

		if (root == NULL || root->kind != NODE_MAP)
			continue;
		if (key->required && node == NULL)
			diag_error(l->diag, root->spot, "%s needs the key \"%s\"", keys_file()->title, key->name);
		if (node != NULL)
			read_key(l, key, node, l->config);
	}
}

static void
read_in_one_file(struct loading *l, const struct key *key)
{
	const struct node *first = NULL, *value = NULL;

	for (size_t i = 0; i < l->n_files; i++) {
		const struct node *name = key_node(l->files[i].root, key->name);

		if (name != NULL && first != NULL) {
			diag_error(l->diag, name->spot, "\"%s\" may stand in one file only", key->name);
			diag_note(l->diag, first->spot, "it stands here already");
		} else if (name != NULL) {
			first = name;
			value = yaml_tree_get(l->files[i].root, key->name);
		}
	}
	read_key(l, key, value, l->config);
}

void
read_files(struct loading *l)
{
	const struct key_table *table = keys_file();

	l->read_table = read_table;
	for (size_t i = 0; i < l->n_files; i++)
		if (l->files[i].root != NULL && is_map(l, table->title, l->files[i].root))
			read_report_unknown(l, table, l->files[i].root);
	for (size_t i = 0; i < table->n; i++) {
		if (is_for_each_file(&table->keys[i]))
			read_in_each_file(l, &table->keys[i]);
		else
			read_in_one_file(l, &table->keys[i]);
	}
}
