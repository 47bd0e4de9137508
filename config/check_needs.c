// SPDX-License-Identifier: MIT
/* check_needs.c - see check_needs.h. Which rule takes the value of a field is known before any form comes, as in check_raw.c. */
#include "config/check_needs.h"

#include "base/mem.h"
#include "config/kind.h"
#include "config/needs.h"
#include "config/object_head_read.h"
#include "config/taker.h"

#include <string.h>

static const struct node *
needs_node(const struct loading *l, size_t route, size_t rule)
{
	return yaml_tree_get(loading_rule_node(l, route, rule), "needs");
}

/* -- names and header lines ---------------------------------------------------------------------------------- */

/* A template that is looked at, and where it stands. */
struct looked {
	struct loading *l;
	size_t route, rule;
};

static const struct node *
template_node(const struct looked *at, const struct rule *rule, size_t nth)
{
	const struct node *target = loading_target_node(loading_rule_node(at->l, at->route, at->rule)), *path;

	if (nth != NEEDS_OF_NAME)
		return object_head_node(at->l, rule, target, nth);
	path = yaml_tree_get(target, "path");
	return path != NULL ? path : yaml_tree_get(target, "key");
}

static bool
names_field(const struct rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->needs.fields.n; i++)
		if (strcmp(rule->needs.fields.items[i], name) == 0)
			return true;
	return false;
}

static void
complain(const struct looked *at, const struct node *node, const struct template_piece *piece, const char *why)
{
	const char *where = strstr(node->chars, piece->source);

	diag_error(at->l->diag,
		yaml_tree_spot(node, where != NULL ? (size_t)(where - node->chars) : 0, strlen(piece->source)),
		"%s: %s", piece->source, why);
}

static void
check_piece(const struct looked *at, const struct template_piece *piece, const struct node *node)
{
	const struct loading *l = at->l;
	const struct node *own = loading_rule_node(l, at->route, at->rule);

	if (route_is_one_file(&l->config->routes[at->route])) {
		complain(at, node, piece, "the body of a request is one file, and no field comes beside it");
		diag_note(l->diag, yaml_tree_get(l->routes.items[at->route], "body")->spot, "said here");
		return;
	}
	complain(at, node, piece,
		"nothing says that this field comes in time; write it into needs: { fields: [...] }");
	diag_note(l->diag, yaml_tree_spot_of(own, "needs"),
		yaml_tree_get(own, "needs") != NULL ? "needs of the rule is here" : "this rule has no needs");
}

/* Of a `needs` that could not be read, and of a rule with a `store` and a `concat`, another problem has been told. */
static void
look_into(void *arg, const struct template *t, size_t nth)
{
	const struct looked *at = arg;
	const struct route *route = &at->l->config->routes[at->route];
	const struct rule *rule = &route->rules[at->rule];
	const struct node *node = template_node(at, rule, nth);
	bool is_broken = needs_node(at->l, at->route, at->rule) != NULL && rule->needs.fields.n == 0;

	for (size_t i = 0; node != NULL && i < t->n_pieces; i++) {
		const struct template_piece *piece = &t->pieces[i];

		if (piece->kind != TEMPLATE_FIELD_VALUE)
			continue;
		if (route_is_one_file(route) || (!is_broken && !names_field(rule, piece->text)))
			check_piece(at, piece, node);
	}
}

/* -- who brings the fields --------------------------------------------------------------------------------- */

static struct spot
spot_of_field(const struct loading *l, size_t route, size_t rule, const char *field)
{
	const struct node *fields = yaml_tree_get(needs_node(l, route, rule), "fields");

	for (size_t i = 0; fields->kind == NODE_LIST && i < fields->n; i++)
		if (str_is(fields->items[i]->text, field))
			return fields->items[i]->spot;
	return fields->spot;
}

static void
check_field(struct loading *l, size_t route, size_t rule, const char *field)
{
	const struct route *r = &l->config->routes[route];
	struct spot spot = spot_of_field(l, route, rule, field);
	size_t taker = taker_find(r, field, PART_VALUE);

	if (taker == r->n_rules) {
		diag_error(l->diag, spot,
			"fields: no rule takes a value of the field \"%s\"; a rule { name: \"%s\", kind: value, drop: true } "
			"does, if it is for the name alone",
			field, field);
	} else if (r->rules[taker].action == ACTION_REJECT) {
		diag_error(l->diag, spot, "fields: a form with the field \"%s\" is refused", field);
		diag_note(
			l->diag, yaml_tree_spot_of(loading_rule_node(l, route, taker), "reject"), "rejected here");
	}
}

/* -- whether they can come in time ------------------------------------------------------------------------- */

static bool
can_come(const struct route *route, const struct rule *rule, const bool *can)
{
	for (size_t i = 0; i < rule->needs.fields.n && !rule->needs.holds; i++) {
		size_t taker = taker_find(route, rule->needs.fields.items[i], PART_VALUE);

		if (taker < route->n_rules && !can[taker])
			return false;
	}
	return true;
}

/* Fields that wait for each other never come. Rules whose fields can all come can come, too, until no further one can. */
static void
check_circle(struct loading *l, size_t route)
{
	const struct route *r = &l->config->routes[route];
	bool *can = mem_array(r->n_rules, sizeof *can), changes = can != NULL;
	size_t i = 0;

	if (can == NULL)
		diag_nomem(l->diag);
	while (changes) {
		changes = false;
		for (i = 0; i < r->n_rules; i++)
			if (!can[i] && can_come(r, &r->rules[i], can))
				can[i] = changes = true;
	}
	for (i = 0; can != NULL && i < r->n_rules && can[i];)
		i++;
	if (can != NULL && i < r->n_rules)
		diag_error(l->diag, needs_node(l, route, i)->spot,
			"needs: no part can fulfil this: the fields wait for each other, or for themselves");
	mem_free(can);
}

/* -- one rule ------------------------------------------------------------------------------------------------- */

static void
check_hold(struct loading *l, size_t route, size_t rule)
{
	const struct route *r = &l->config->routes[route];
	const struct node *node = loading_rule_node(l, route, rule), *target = loading_target_node(node);
	const struct destination *to = r->rules[rule].to;
	struct spot spot = yaml_tree_spot_of(needs_node(l, route, rule), "else");
	struct kind_nouns nouns;

	if (target == NULL) {
		diag_error(l->diag, spot, "else: only what is stored can be held");
	} else if (to != NULL && !kind_has(to->kind, KIND_NAMES_LATE)) {
		diag_error(l->diag, spot, "else: hold is only for %s: others must know the name first",
			kind_nouns(KIND_NAMES_LATE, &nouns));
		diag_note(l->diag, yaml_tree_spot_of(target, "to"), "this one is %s", to->kind->noun);
	}
	if (r->commit != COMMIT_EACH)
		return;
	diag_error(l->diag, spot, "else: hold waits for the whole form, and needs commit: all");
	diag_note(l->diag, yaml_tree_spot_of(l->routes.items[route], "commit"), "each part is committed by itself");
}

static void
check_rule(struct loading *l, size_t route, size_t i)
{
	const struct route *r = &l->config->routes[route];
	struct looked at = { l, route, i };
	const struct node *node = needs_node(l, route, i);

	needs_each_template(&r->rules[i], look_into, &at);
	if (node == NULL || node->kind != NODE_MAP)
		return;
	if (route_is_one_file(r)) {
		diag_error(l->diag, node->spot,
			"needs: the body of a request is one file, and no field comes beside it");
		diag_note(l->diag, yaml_tree_get(l->routes.items[route], "body")->spot, "said here");
		return;
	}
	for (size_t k = 0; k < r->rules[i].needs.fields.n && taker_can_be_told(r); k++)
		check_field(l, route, i, r->rules[i].needs.fields.items[k]);
	if (r->rules[i].needs.holds)
		check_hold(l, route, i);
}

void
check_needs(struct loading *l, size_t route)
{
	const struct route *r = &l->config->routes[route];

	for (size_t i = 0; i < r->n_rules; i++) {
		const struct node *node = loading_rule_node(l, route, i);

		if (node != NULL && node->kind == NODE_MAP)
			check_rule(l, route, i);
	}
	if (r->n_needed > 0 && !route_is_one_file(r))
		check_circle(l, route);
}
