// SPDX-License-Identifier: MIT
/* read_keys.c - see read_keys.h. */
#include "config/read_keys.h"

#include "config/hints.h"
#include "config/nearest.h"

#include <string.h>

static void
report_unknown(struct loading *l, const struct key_table *table, const struct node *key)
{
	struct nearest nearest = { .word = key->text };
	const struct key_table *other = keys_elsewhere(key->chars, table);
	const char *hint = hints_of_key(table, key->text);

	if (hint != NULL) {
		diag_error(
			l->diag, key->spot, "unknown key \"%.*s\" in %s; %s", SHOWN(key->text), table->title, hint);
		return;
	}
	for (size_t i = 0; i < table->n; i++)
		nearest_offer(&nearest, table->keys[i].name);
	if (nearest.best != NULL)
		diag_error(l->diag, key->spot, "unknown key \"%.*s\" in %s; did you mean \"%s\"?", SHOWN(key->text),
			table->title, nearest.best);
	else if (other != NULL)
		diag_error(l->diag, key->spot, "unknown key \"%.*s\" in %s; it belongs to %s", SHOWN(key->text),
			table->title, other->title);
	else
		diag_error(l->diag, key->spot, "unknown key \"%.*s\" in %s", SHOWN(key->text), table->title);
}

void
read_report_unknown(struct loading *l, const struct key_table *table, const struct node *map)
{
	for (size_t i = 0; i < map->n; i++)
		if (keys_find(table, map->keys[i]->chars) == NULL)
			report_unknown(l, table, map->keys[i]);
}

bool
read_is_first_of_group(const struct key_table *table, size_t i)
{
	if (table->keys[i].group == NULL)
		return false;
	for (size_t j = 0; j < i; j++)
		if (table->keys[j].group != NULL && strcmp(table->keys[j].group, table->keys[i].group) == 0)
			return false;
	return true;
}

static void
report_no_member(struct loading *l, const struct key_table *table, const char *group, const struct node *map)
{
	struct buf names = { 0 };

	for (size_t i = 0; i < table->n; i++)
		if (table->keys[i].group != NULL && strcmp(table->keys[i].group, group) == 0)
			buf_addf(&names, "%s%s", names.len > 0 ? ", " : "", table->keys[i].name);
	for (size_t i = 0; i < table->n; i++)
		if (table->keys[i].instead != NULL && strcmp(table->keys[i].instead, group) == 0)
			buf_addf(&names, ", %s", table->keys[i].name);
	if (names.failed)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, map->spot, "%s needs one of: %s", table->title, names.data);
	buf_free(&names);
}

/* Is a key given beside which none of the group is needed? */
static bool
has_instead(const struct key_table *table, const char *group, const struct node *map)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->keys[i].instead != NULL && strcmp(table->keys[i].instead, group) == 0 &&
			yaml_tree_get(map, table->keys[i].name) != NULL)
			return true;
	return false;
}

/* Exactly one key of each group. */
void
read_check_group(struct loading *l, const struct key_table *table, const char *group, const struct node *map)
{
	const struct node *first = NULL;

	for (size_t i = 0; i < map->n; i++) {
		const struct key *key = keys_find(table, map->keys[i]->chars);

		if (key == NULL || key->group == NULL || strcmp(key->group, group) != 0)
			continue;
		if (first == NULL) {
			first = map->keys[i];
			continue;
		}
		if (str_equal(first->text, map->keys[i]->text))
			continue; /* a duplicate, reported as such */
		diag_error(l->diag, map->keys[i]->spot, "%s may hold only one of \"%s\" and \"%s\"", table->title,
			first->chars, map->keys[i]->chars);
		diag_note(l->diag, first->spot, "the other one is here");
	}
	if (first == NULL && !has_instead(table, group, map))
		report_no_member(l, table, group, map);
}
