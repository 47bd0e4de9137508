// SPDX-License-Identifier: MIT
/* check_raw.c - see check_raw.h. Which rule takes the one file is known before any request comes, so the others can be told. */
#include "config/check_raw.h"

#include <string.h>

static struct spot
spot_of(const struct node *map, const char *key)
{
	const struct node *node = yaml_tree_get(map, key);

	return node != NULL ? node->spot : map->spot;
}

static const struct node *
body_node(const struct loading *l, size_t route)
{
	return yaml_tree_get(l->routes.items[route], "body");
}

/* As sidecar/part/rules.c picks it. */
static bool
takes(const struct rule *rule, const char *field)
{
	return rule->name != NULL && rule->kind != PART_VALUE && rule->nth <= 1 &&
		glob_match(str_of(rule->name), str_of(field));
}

/* n_rules: none does. */
static size_t
find_taker(const struct route *route)
{
	size_t i = 0;

	while (i < route->n_rules && !takes(&route->rules[i], route->raw))
		i++;
	return i;
}

/* Of a rule without a name another problem has been told: it may be the one that is meant. */
static bool
has_names(const struct route *route)
{
	for (size_t i = 0; i < route->n_rules; i++)
		if (route->rules[i].name == NULL)
			return false;
	return true;
}

static void
check_taker(struct loading *l, size_t route, size_t taker)
{
	const struct route *r = &l->config->routes[route];
	struct spot raw = spot_of(body_node(l, route), "raw");

	if (taker == r->n_rules) {
		diag_error(l->diag, raw, "raw: no rule takes a file of the field \"%s\": every request would be %s",
			r->raw, r->fallback == ACTION_DROP ? "thrown away" : "refused");
	} else if (r->rules[taker].action == ACTION_REJECT) {
		diag_error(l->diag, raw, "raw: every request would be refused");
		diag_note(l->diag, spot_of(read_rule_node(l, route, taker), "reject"), "rejected here");
	}
}

static void
check_other(struct loading *l, size_t route, size_t rule)
{
	const struct route *r = &l->config->routes[route];
	const struct node *node = read_rule_node(l, route, rule);

	if (r->rules[rule].required)
		diag_error(l->diag, spot_of(node, "required"),
			"required: no request can bring this field: its body is the file \"%s\"", r->raw);
	else
		diag_warn(l->diag, spot_of(node, "name"),
			"this rule can never take a part: the body of a request is one file, of the field \"%s\"",
			r->raw);
	diag_note(l->diag, spot_of(body_node(l, route), "raw"), "said here");
}

static void
check_methods(struct loading *l, size_t route)
{
	const struct match *match = &l->config->routes[route].match;
	const struct node *node = yaml_tree_get(l->routes.items[route], "match");

	for (size_t i = 0; i < match->n_methods; i++) {
		if (strcmp(match->methods[i], "PUT") == 0 || strcmp(match->methods[i], "POST") == 0)
			continue;
		diag_error(l->diag, spot_of(node, "method"),
			"method: a body that is one file comes by PUT or POST, not by %s", match->methods[i]);
		diag_note(l->diag, spot_of(body_node(l, route), "raw"), "said here");
		return;
	}
}

void
check_raw(struct loading *l, size_t route)
{
	const struct route *r = &l->config->routes[route];
	size_t taker;

	if (r->raw == NULL)
		return;
	check_methods(l, route);
	taker = find_taker(r);
	if (!has_names(r))
		return;
	check_taker(l, route, taker);
	for (size_t i = 0; i < r->n_rules && taker < r->n_rules; i++)
		if (i != taker)
			check_other(l, route, i);
}
