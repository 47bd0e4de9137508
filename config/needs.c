// SPDX-License-Identifier: MIT
/* needs.c - see needs.h. Field names are compared as they stand, letter case included: so do browsers and applications. */
#include "config/needs.h"

#include "base/mem.h"
#include "config/needed.h"
#include "config/object_head.h"
#include "config/rows.h"
#include "config/template.h"
#include "config/texts.h"
#include "config/values.h"

#include <string.h>

static const struct key rows[] = {
	{ "fields", KEY_FIELDS, .required = true, .min = 1, .max = NEEDS_FIELDS_MAX, AT(rule, needs.fields),
		.help = "Names of value fields, exactly: one or a list. Of each a form may have one value; a second one, and a file of that "
			"name, is 422." },
	{ "else", KEY_WORD, .fallback = "reject", WORDS({ "reject", false }, { "hold", true }),
		AT(rule, needs.holds),
		.help = "What happens if one has not come before the part: `reject` answers 422; `hold` stores the part under a temporary name, "
			"and gives it its own when the form has ended (422 if the field is missing then); for folders only." },
};
const struct key_table needs_keys = { "`needs` of a field rule", "routes[].fields[].needs", KEYS(rows) };

/* -- reading -------------------------------------------------------------------------------------------- */

static bool
is_new(struct loading *l, const struct key *key, const struct node *node, const struct texts *fields)
{
	for (size_t i = 0; i < fields->n; i++)
		if (str_is(node->text, fields->items[i])) {
			diag_error(l->diag, node->spot, "%s: \"%s\" stands twice", key->name, fields->items[i]);
			return false;
		}
	return true;
}

static bool
is_field(struct loading *l, const struct key *key, const struct node *node, const struct texts *fields)
{
	if (!loading_is_scalar(l, key, node) || !values_is_text(l, key, node, TEXTS_BYTES_MAX))
		return false;
	if (memchr(node->text.data, '*', node->text.len) != NULL ||
		memchr(node->text.data, '?', node->text.len) != NULL) {
		diag_error(l->diag, node->spot, "%s: \"%.*s\" is a glob; name each field that is meant", key->name,
			SHOWN(node->text));
		return false;
	}
	return is_new(l, key, node, fields);
}

void
needs_read_fields(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct texts *fields = (struct texts *)(void *)((char *)base + key->offset);
	size_t n = 0;

	if (!values_entries(l, key, node, key->max, &n) ||
		!loading_grow(l, &fields->items, 0, n, sizeof *fields->items))
		return;
	for (size_t i = 0; i < n && !l->diag->nomem; i++) {
		const struct node *field = node->kind == NODE_LIST ? node->items[i] : node;

		if (!is_field(l, key, field, fields))
			continue;
		fields->items[fields->n] = str_dup(field->text);
		if (fields->items[fields->n] == NULL)
			diag_nomem(l->diag);
		else
			fields->n++;
	}
}

/* -- what a route needs --------------------------------------------------------------------------------- */

void
needs_each_template(
	const struct rule *rule, void (*look)(void *arg, const struct template *t, size_t nth), void *arg)
{
	const struct template *t;

	if (rule->target != NULL)
		look(arg, rule->target, NEEDS_OF_NAME);
	for (size_t i = 0; rule->to != NULL && (t = object_head_template(rule, i)) != NULL; i++)
		look(arg, t, i);
}

static void
note_fields(struct loading *l, struct route *route, const struct rule *rule)
{
	for (size_t i = 0; i < rule->needs.fields.n; i++) {
		const char *name = rule->needs.fields.items[i];

		if (needed_find(route, str_of(name)) != NULL)
			continue;
		if (!loading_grow(l, &route->needed, route->n_needed, 1, sizeof *route->needed))
			return;
		route->needed[route->n_needed++] = (struct needed){ .name = name, .by = rule };
	}
}

static void
note_named(void *arg, const struct template *t, size_t nth)
{
	struct route *route = arg;

	(void)nth;
	for (size_t i = 0; i < t->n_pieces; i++)
		for (size_t n = 0; n < route->n_needed; n++)
			if (t->pieces[i].kind == TEMPLATE_FIELD_VALUE &&
				strcmp(t->pieces[i].text, route->needed[n].name) == 0)
				route->needed[n].is_named = true;
}

void
needs_link(struct loading *l, size_t at)
{
	struct route *route = &l->config->routes[at];

	for (size_t i = 0; i < route->n_rules && !l->diag->nomem; i++)
		note_fields(l, route, &route->rules[i]);
	for (size_t i = 0; i < route->n_rules && route->n_needed > 0; i++)
		needs_each_template(&route->rules[i], note_named, route);
}
