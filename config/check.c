// SPDX-License-Identifier: MIT
/* check.c - see check.h. Routes among each other, their answers, destinations that nobody uses. */
#include "config/check.h"

#include "base/mem.h"
#include "config/check_app.h"
#include "config/check_kill.h"
#include "config/check_memory.h"
#include "config/check_needs.h"
#include "config/check_raw.h"
#include "config/check_rules.h"
#include "config/cors.h"
#include "config/kind.h"
#include "config/limits.h"
#include "config/matching.h"
#include "config/pattern.h"
#include "config/verify.h"

#include <string.h>

static void
check_id(struct loading *l, size_t later)
{
	const struct route *routes = l->config->routes;

	if (routes[later].id == NULL)
		return;
	for (size_t i = 0; i < later; i++) {
		if (routes[i].id == NULL || strcmp(routes[i].id, routes[later].id) != 0)
			continue;
		diag_error(l->diag, yaml_tree_spot_of(l->routes.items[later], "id"),
			"id: \"%s\" is the id of another route", routes[later].id);
		diag_note(l->diag, yaml_tree_spot_of(l->routes.items[i], "id"), "of this one");
		return;
	}
}

/* Its match could be read whole: then what it covers can be said. */
static bool
has_match(const struct loading *l, size_t route)
{
	return l->routes.items[route]->kind == NODE_MAP && !l->config->routes[route].match.is_broken;
}

/* `is_known[i]`: the match of route i could be read. */
static void
check_reachable(struct loading *l, size_t later, const bool *is_known)
{
	const struct route *routes = l->config->routes;

	if (!is_known[later])
		return;
	for (size_t i = 0; i < later; i++) {
		if (!is_known[i] || !pattern_match_covers(&routes[i].match, &routes[later].match))
			continue;
		diag_error(l->diag, yaml_tree_spot_of(l->routes.items[later], "match"),
			"this route can never take a request: another one takes them all before it");
		diag_note(l->diag, yaml_tree_spot_of(l->routes.items[i], "match"), "this route comes first");
		return;
	}
}

/* Keys that say nothing where another one has said it all. */
static void
warn_not_used(struct loading *l, const struct node *response, const char *because)
{
	static const char *const keys[] = { "status", "json" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (yaml_tree_get(response, keys[i]) != NULL)
			diag_warn(l->diag, yaml_tree_spot_of(response, keys[i]), "%s: not used, because %s",
				keys[i], because);
}

/* RFC 9110 sections 15.3.5 and 15.3.6: 204 and 205 have no content. */
static void
check_status(struct loading *l, const struct route *route, const struct node *response)
{
	bool empty = route->response.status == 204 || route->response.status == 205;

	if (empty && route->response.json == RESPONSE_SUMMARY && route->response.from == RESPONSE_OURS)
		diag_error(l->diag, yaml_tree_spot_of(response, "status"),
			"status: an answer with status %u has no body; add json: none", route->response.status);
	if (route->response.from != RESPONSE_OURS)
		warn_not_used(l, response,
			route->response.from == RESPONSE_APP ? "the answer comes from the application"
							     : "the answer comes from the upstream");
	else if (route->response.redirect != NULL)
		warn_not_used(l, response, "the answer is a redirect, 303");
	if (route->response.from != RESPONSE_OURS && yaml_tree_get(response, "redirect") != NULL)
		diag_error(l->diag, yaml_tree_spot_of(response, "redirect"),
			"redirect: the answer comes from the %s (from); only one of both can be",
			route->response.from == RESPONSE_APP ? "application" : "upstream");
	if (route->response.from == RESPONSE_APP && !route->app.is_said)
		diag_error(l->diag, yaml_tree_spot_of(response, "from"),
			"from: the route has no \"app\" that could answer");
}

/* One transfer, no more: the answer of which one else should be passed on? */
static void
check_from_upstream(struct loading *l, size_t at, const struct node *response)
{
	const struct route *route = &l->config->routes[at];
	struct spot from = yaml_tree_spot_of(response, "from"), name;
	size_t transfers = 0, last = 0;
	struct kind_nouns nouns;

	for (size_t i = 0; i < route->n_rules; i++)
		if (route->rules[i].action == ACTION_STORE || route->rules[i].action == ACTION_CONCAT) {
			transfers++;
			last = i;
		}
	if (transfers != 1) {
		diag_error(l->diag, from, "from: needs exactly one rule with store or concat; this route has %zu",
			transfers);
		return;
	}
	name = yaml_tree_spot_of(loading_rule_node(l, at, last), "name");
	if (route->rules[last].to != NULL && !kind_has(route->rules[last].to->kind, KIND_APPLICATION)) {
		diag_error(l->diag, from, "from: only %s gives an answer", kind_nouns(KIND_APPLICATION, &nouns));
		diag_note(l->diag, name, "this rule's destination is %s", route->rules[last].to->kind->noun);
	} else if (route->rules[last].action == ACTION_STORE &&
		check_rules_may_repeat(route, &route->rules[last])) {
		diag_error(l->diag, from, "from: needs a rule that makes one transfer only");
		diag_note(l->diag, name, "this rule has neither concat nor max_count: 1 nor nth: N");
	}
}

static void
check_response(struct loading *l, size_t at)
{
	const struct node *response = yaml_tree_get(l->routes.items[at], "response");

	if (response == NULL || response->kind != NODE_MAP)
		return;
	check_status(l, &l->config->routes[at], response);
	if (l->config->routes[at].response.from == RESPONSE_UPSTREAM && !l->unresolved)
		check_from_upstream(l, at, response);
}

static bool
is_used(const struct config *c, const struct destination *d)
{
	for (size_t i = 0; i < c->n_routes; i++) {
		if (c->routes[i].app.to == d || c->routes[i].authorize.to == d)
			return true;
		for (size_t j = 0; j < c->routes[i].n_rules; j++)
			if (c->routes[i].rules[j].to == d)
				return true;
	}
	return false;
}

/* Not said while a rule's destination is in doubt: this one may be meant. */
static void
warn_of_unused(struct loading *l)
{
	const struct config *c = l->config;

	if (l->incomplete || l->unresolved || c->n_routes == 0)
		return;
	for (size_t i = 0; i < c->n_destinations; i++) {
		const struct destination *d = &c->destinations[i];

		if (d->at != NULL && !is_used(c, d))
			diag_warn(l->diag, l->destination_names.items[i]->spot, "destination \"%s\" is not used",
				d->name);
	}
}

static void
check_routes_given(struct loading *l)
{
	bool any = false;

	for (size_t i = 0; i < l->n_files; i++)
		any = any || yaml_tree_get(l->files[i].root, "routes") != NULL;
	if (any || l->incomplete)
		return;
	diag_error(l->diag, (struct spot){ .source = &l->files[l->n_files - 1].source },
		"no routes: every request would be answered with 404");
}

void
check_all(struct loading *l)
{
	bool *is_known = mem_array(l->config->n_routes, sizeof(bool)); /* asked once for each pair of routes */

	if (is_known == NULL) {
		diag_nomem(l->diag);
		return;
	}
	check_routes_given(l);
	for (size_t i = 0; i < l->config->n_routes && !l->diag->nomem; i++) {
		is_known[i] = has_match(l, i);
		check_id(l, i);
		check_reachable(l, i, is_known);
		check_rules_all(l, i);
		check_raw(l, i);
		check_needs(l, i);
		limits_check(l, i);
		verify_check(l, i);
		cors_check(l, i);
		check_app(l, i);
		check_response(l, i);
		check_memory(l, i);
	}
	matching_check(l);
	warn_of_unused(l);
	check_kill(l);
	mem_free(is_known);
}
