// SPDX-License-Identifier: MIT
/* check_raw.c - see check_raw.h. Which rule takes the one file is known before any request comes, so the others can be told. */
#include "config/check_raw.h"

#include "config/taker.h"

#include <string.h>

static const struct node *
body_node(const struct loading *l, size_t route)
{
	return yaml_tree_get(l->routes.items[route], "body");
}

static void
check_taker(struct loading *l, size_t route, size_t taker)
{
	const struct route *r = &l->config->routes[route];
	struct spot raw = yaml_tree_spot_of(body_node(l, route), "raw");

	if (taker == r->n_rules) {
		diag_error(l->diag, raw, "raw: no rule takes a file of the field \"%s\": every request would be %s",
			r->raw, r->fallback == ACTION_DROP ? "thrown away" : "refused");
	} else if (r->rules[taker].action == ACTION_REJECT) {
		diag_error(l->diag, raw, "raw: every request would be refused");
		diag_note(
			l->diag, yaml_tree_spot_of(loading_rule_node(l, route, taker), "reject"), "rejected here");
	}
}

static void
check_other(struct loading *l, size_t route, size_t rule)
{
	const struct route *r = &l->config->routes[route];
	const struct node *node = loading_rule_node(l, route, rule);

	if (r->rules[rule].required)
		diag_error(l->diag, yaml_tree_spot_of(node, "required"),
			"required: no request can bring this field: its body is the file \"%s\"", r->raw);
	else
		diag_warn(l->diag, yaml_tree_spot_of(node, "name"),
			"this rule can never take a part: the body of a request is one file, of the field \"%s\"",
			r->raw);
	diag_note(l->diag, yaml_tree_spot_of(body_node(l, route), "raw"), "said here");
}

static void
check_methods(struct loading *l, size_t route)
{
	const struct match *match = &l->config->routes[route].match;
	const struct node *node = yaml_tree_get(l->routes.items[route], "match");

	for (size_t i = 0; i < match->n_methods; i++) {
		if (strcmp(match->methods[i], "PUT") == 0 || strcmp(match->methods[i], "POST") == 0)
			continue;
		diag_error(l->diag, yaml_tree_spot_of(node, "method"),
			"method: a body that is one file comes by PUT or POST, not by %s", match->methods[i]);
		diag_note(l->diag, yaml_tree_spot_of(body_node(l, route), "raw"), "said here");
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
	taker = taker_find(r, r->raw, PART_FILE);
	if (!taker_can_be_told(r))
		return;
	check_taker(l, route, taker);
	for (size_t i = 0; i < r->n_rules && taker < r->n_rules; i++)
		if (i != taker)
			check_other(l, route, i);
}
