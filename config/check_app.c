// SPDX-License-Identifier: MIT
/* check_app.c - see check_app.h. Each complaint names the key that has to change, and the one that it does not go with. */
#include "config/check_app.h"

#include "config/app_names.h"
#include "config/app_says.h"
#include "config/kind.h"
#include "config/pattern.h"
#include "config/template.h"

#include <string.h>

static const struct node *
app_node(const struct loading *l, size_t route)
{
	return yaml_tree_get(l->routes.items[route], "app");
}

static bool
stores(const struct rule *rule)
{
	return rule->action == ACTION_STORE || rule->action == ACTION_CONCAT;
}

/* -- what is forwarded ----------------------------------------------------------------------------------- */

static void
check_forward(struct loading *l, size_t route, size_t i)
{
	const struct route *r = &l->config->routes[route];
	const struct rule *rule = &r->rules[i];
	const struct node *node = loading_rule_node(l, route, i);
	struct spot spot;

	if (!rule->forward)
		return;
	spot = yaml_tree_spot_of(node, "forward");
	if (!r->app.is_said)
		diag_error(l->diag, spot, "forward: the route has no \"app\" that could get it");
	if (rule->kind != PART_VALUE)
		diag_error(l->diag, spot, "forward: only for values; write kind: value beside it");
	if (rule->action == ACTION_REJECT) {
		diag_error(l->diag, spot, "forward: nothing is forwarded of a form that is refused");
		diag_note(l->diag, yaml_tree_spot_of(node, "reject"), "rejected here");
	}
	if (stores(rule) && r->app.is_said && r->app.form != APP_JSON)
		diag_error(l->diag, spot,
			"forward: beside \"store\" it needs form: json, because the value and what is told of the object "
			"would be two fields of one name");
	if (r->limits.values == LIMIT_NONE)
		diag_error(l->diag, spot, "forward: values are kept in memory, and need limits.values");
}

/* -- what is stored --------------------------------------------------------------------------------------- */

/* After it was taken back, all is as it was before. */
static bool
can_restore(const struct rule *rule)
{
	const struct destination_kind *kind = rule->to->kind;

	if (!kind->can_undo(rule->to->settings) || kind_makes_names(rule))
		return false;
	return kind->restores(rule->to->settings) ||
		(rule->target != NULL && template_has(rule->target, TEMPLATE_UUID));
}

static void
check_restored(struct loading *l, size_t route, const struct rule *rule, const struct node *node)
{
	const struct app *app = &l->config->routes[route].app;
	size_t at;

	if (app->when != APP_COMMITTED || app_never_takes_back(app) || rule->to == NULL || can_restore(rule))
		return;
	at = (size_t)(rule->to - l->config->destinations);
	diag_error(l->diag, loading_target_node(node)->spot,
		"when the application says no, what was there before cannot be restored: %s; or ask it before, with when: held; "
		"or say undo_on: none",
		rule->to->kind->can_undo(rule->to->settings) && !kind_makes_names(rule)
			? "put {uuid} into the name, or let the destination refuse names that exist"
			: "the destination needs undo: DELETE and names that penstock makes");
	diag_note(l->diag, l->destination_names.items[at]->spot, "the destination is here");
	diag_note(l->diag, app_node(l, route)->spot, "the application is asked when the objects are there");
}

static void
check_stored(struct loading *l, size_t route, size_t i)
{
	const struct route *r = &l->config->routes[route];
	const struct rule *rule = &r->rules[i];
	const struct node *node = loading_rule_node(l, route, i);

	if (!stores(rule) || rule->name == NULL || loading_target_node(node) == NULL)
		return;
	if (r->app.form == APP_URLENCODED && app_names_is_glob(rule)) {
		diag_error(l->diag, yaml_tree_spot_of(node, "name"),
			"name: with app, a glob that stores needs form: json: nobody could tell its files from values of "
			"the same name");
		diag_note(l->diag, app_node(l, route)->spot, "the application is told in form: urlencoded");
	}
	check_restored(l, route, rule, node);
}

/* -- what may be taken for a file ------------------------------------------------------------------------- */

/* Values of this name are always refused, because the application could take them for what it is told of a file. */
static void
check_value_name(struct loading *l, size_t route, size_t i)
{
	const struct rule *rule = &l->config->routes[route].rules[i];

	if (rule->kind != PART_VALUE || rule->name == NULL || stores(rule) || rule->action == ACTION_REJECT)
		return;
	if (app_names_is_glob(rule) || !app_names_reserve(&l->config->routes[route], str_of(rule->name)))
		return;
	diag_error(l->diag, yaml_tree_spot_of(loading_rule_node(l, route, i), "name"),
		"this rule can never take a part: a value of this name could be taken for a file of which the application "
		"is told, and is refused (400)");
	diag_note(l->diag, app_node(l, route)->spot, "the application is told here");
}

/* -- the application --------------------------------------------------------------------------------------- */

static void
check_destination(struct loading *l, const struct app *app, const struct node *node)
{
	struct kind_nouns nouns;

	if (app->to == NULL || app->to->kind == NULL || kind_has(app->to->kind, KIND_APPLICATION))
		return;
	diag_error(l->diag, yaml_tree_spot_of(node, "to"), "to: an application is %s",
		kind_nouns(KIND_APPLICATION, &nouns));
	diag_note(l->diag, l->destination_names.items[app->to - l->config->destinations]->spot, "this one is %s",
		app->to->kind->noun);
}

/* The path of a request to it, a placeholder as some text. False: it is none, or memory ran out. */
static bool
as_pattern(struct loading *l, const struct template *t, struct path_pattern *path)
{
	bool ok = false;
	struct buf text = { 0 };
	struct error err = { 0 };

	for (size_t i = 0; i < t->n_pieces; i++)
		buf_add_text(&text, t->pieces[i].kind == TEMPLATE_TEXT ? t->pieces[i].text : "x");
	if (!text.failed && text.data != NULL)
		ok = pattern_read_path((struct str){ text.data, strcspn(text.data, "?*") }, path, &err);
	if (text.failed || err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	buf_free(&text);
	return ok;
}

/* An application that does not look at the purpose of the signature would take the one request for the other. */
static void
check_own_path(struct loading *l, size_t route, const struct template *t, const char *key)
{
	const struct route *r = &l->config->routes[route];
	struct path_pattern path = { 0 };
	struct match only = r->match;

	only.paths = &path;
	only.n_paths = 1;
	if (t == NULL || r->app.path != NULL || r->match.is_broken)
		return;
	if (as_pattern(l, t, &path) && pattern_match_covers(&r->match, &only))
		diag_error(l->diag, yaml_tree_spot_of(yaml_tree_get(app_node(l, route), key), "path"),
			"path: a client's form arrives there, too; choose a path that match.path does not take, or another "
			"for \"path\" of app");
	pattern_free_path(&path);
}

static void
check_when(struct loading *l, const struct route *r, const struct node *node, const struct node *route_node)
{
	if (r->app.when == APP_HELD && r->app.undo_on.is_said) {
		diag_error(l->diag, yaml_tree_spot_of(node, "undo_on"),
			"undo_on: with when: held nothing is there yet that could be taken back");
		diag_note(l->diag, yaml_tree_spot_of(node, "when"), "said here");
	}
	if (r->commit != COMMIT_EACH)
		return;
	if (r->app.when == APP_HELD) {
		diag_error(l->diag, yaml_tree_spot_of(node, "when"),
			"when: held needs the whole form, so commit: all");
		diag_note(l->diag, yaml_tree_spot_of(route_node, "commit"), "each part is committed by itself");
	} else if (!app_never_takes_back(&r->app)) {
		diag_error(l->diag, yaml_tree_spot_of(node, "undo_on"),
			"undo_on: a part that was committed by itself is not taken back; write undo_on: none");
		diag_note(l->diag, yaml_tree_spot_of(route_node, "commit"), "each part is committed by itself");
	}
}

static void
check_said(struct loading *l, size_t route)
{
	const struct route *r = &l->config->routes[route];
	const struct node *node = app_node(l, route);

	check_destination(l, &r->app, node);
	if (yaml_tree_get(node, "sign") == NULL)
		diag_error(l->diag, node->spot,
			"app needs the key \"sign\": a key by which the application knows penstock, or none");
	if (l->config->state == NULL && !l->incomplete)
		diag_error(l->diag, node->spot,
			"app: needs `state`: after a kill, nobody else knows which forms the application was asked about");
	check_when(l, r, node, l->routes.items[route]);
	check_own_path(l, route, r->app.failed, "failed");
	check_own_path(l, route, r->app.resolve, "resolve");
}

void
check_app(struct loading *l, size_t route)
{
	const struct route *r = &l->config->routes[route];
	bool is_map = r->app.is_said && app_node(l, route)->kind == NODE_MAP;

	if (is_map)
		check_said(l, route);
	for (size_t i = 0; i < r->n_rules; i++) {
		if (loading_rule_node(l, route, i) == NULL || loading_rule_node(l, route, i)->kind != NODE_MAP)
			continue;
		check_forward(l, route, i);
		if (!is_map)
			continue;
		check_stored(l, route, i);
		check_value_name(l, route, i);
	}
}
