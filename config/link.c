// SPDX-License-Identifier: MIT
/* link.c - see link.h. After this pass pointers from rules to destinations stay valid: no array grows any
 * more. A rule whose destination could not be read gets none, and only its own problem is reported. */
#include "config/link.h"

#include "config/app.h"
#include "config/authorize.h"
#include "config/kind.h"
#include "config/link_check.h"
#include "config/memory.h"
#include "config/needs.h"
#include "config/object_head.h"
#include "config/object_head_read.h"
#include "config/redirect.h"
#include "config/template.h"
#include "config/whereabouts.h"

#include <string.h>

/* -- destinations ---------------------------------------------------------------------------------- */

static void
link_destination(struct loading *l, struct destination *d, const struct node *node)
{
	if (d->kind != NULL && d->kind->link != NULL)
		d->kind->link(l, d, node);
}

/* -- rules --------------------------------------------------------------------------------------------- */

static void
link_template(struct loading *l, const struct route *route, struct rule *rule, const struct node *node)
{
	struct error err = { 0 };
	struct span span;

	rule->target = template_parse(node->text, rule->to->kind->style, &span, &err);
	if (rule->target != NULL)
		link_check_wildcards(l, &route->match, rule->target, node);
	else if (err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, yaml_tree_spot(node, span.offset, span.len), "%s", err.message);
}

/* `node`: the mapping below `store` or `concat`. */
static void
link_target(struct loading *l, const struct route *route, struct rule *rule, const struct node *node)
{
	const struct node *to = yaml_tree_scalar(node, "to");
	const struct node *path = yaml_tree_scalar(node, "path"), *key = yaml_tree_scalar(node, "key");
	const struct destination *d = to != NULL ? link_find_destination(l, to) : NULL;

	l->unresolved = l->unresolved || d == NULL;
	if (d == NULL || d->at == NULL)
		return;
	rule->to = d;
	link_check_only_for(l, rule, node, "method", KIND_APPLICATION);
	object_head_link(l, route, rule, node);
	if (path != NULL || key != NULL)
		link_template(l, route, rule, path != NULL ? path : key);
}

static void
link_rule(struct loading *l, const struct route *route, struct rule *rule, const struct node *node)
{
	static const struct {
		const char *key;
		enum action action;
	} actions[] = { { "reject", ACTION_REJECT }, { "drop", ACTION_DROP }, { "concat", ACTION_CONCAT },
		{ "store", ACTION_STORE } };

	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		const struct node *value = yaml_tree_get(node, actions[i].key);

		if (value == NULL)
			continue;
		rule->action = actions[i].action;
		if (rule->action == ACTION_STORE || rule->action == ACTION_CONCAT) {
			link_target(l, route, rule, value);
			return;
		}
	}
	if (rule->forward && rule->action != ACTION_REJECT)
		rule->action = ACTION_FORWARD;
}

static void
link_types(struct rule *rule)
{
	rule->types.wants_detected = rule->types.detected.n > 0 ||
		(rule->to != NULL && object_head_wants_detected(rule));
}

/* The answer of a route that redirects is 303 and nothing else. */
static void
link_redirect(struct loading *l, struct route *route, const struct node *node)
{
	struct error err = { 0 };
	struct span span;

	if (node == NULL)
		return;
	route->response.status = 303;
	route->response.json = RESPONSE_NONE;
	if (redirect_read(node->text, &route->response, &span, &err))
		link_check_wildcards(l, &route->match, route->response.redirect, node);
	else if (err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, yaml_tree_spot(node, span.offset, span.len), "redirect: %s", err.message);
}

static void
link_route(struct loading *l, size_t at)
{
	struct route *route = &l->config->routes[at];
	const struct node *match = yaml_tree_get(l->routes.items[at], "match");

	route->index = at;
	route->match.is_broken = route->match.is_broken || (match != NULL && match->kind != NODE_MAP);
	app_link(l, at);
	link_redirect(l, route, yaml_tree_scalar(yaml_tree_get(l->routes.items[at], "response"), "redirect"));
	for (size_t i = 0; i < route->n_rules && !l->diag->nomem; i++) {
		const struct node *node = loading_rule_node(l, at, i);

		route->rules[i].index = i;
		if (yaml_tree_get(node, "digest") == NULL)
			route->rules[i].digests = route->digests;
		link_rule(l, route, &route->rules[i], node);
		link_types(&route->rules[i]);
	}
	authorize_link(l, at);
	needs_link(l, at);
}

void
link_all(struct loading *l)
{
	struct config *c = l->config;

	for (size_t i = 0; i < c->n_destinations; i++)
		link_destination(l, &c->destinations[i], l->destinations.items[i]);
	if (!whereabouts_find(c, l->elsewhere))
		diag_nomem(l->diag);
	for (size_t i = 0; i < c->n_routes; i++)
		link_route(l, i);
	for (size_t i = 0; i < c->n_destinations; i++)
		if (c->destinations[i].kind != NULL && c->destinations[i].kind->after_rules != NULL)
			c->destinations[i].kind->after_rules(l, i);
	for (size_t i = 0; i < c->n_routes; i++)
		c->routes[i].memory = memory_of_route(&c->routes[i], c->routes[i].limits.body);
}
