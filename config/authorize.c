// SPDX-License-Identifier: MIT
/* authorize.c - see authorize.h. `path` is a template of the request alone, because no part has come when it is filled in. */
#include "config/authorize.h"

#include "base/mem.h"
#include "config/diag.h"
#include "config/kind.h"
#include "config/link_check.h"
#include "config/object_head.h"
#include "config/redirect.h"
#include "config/rows.h"
#include "config/sign.h"
#include "config/template.h"

#include <string.h>

static const struct key rows[] = {
	{ "to", KEY_REFERENCE, .required = true, .help = "Name of the http destination that is asked." },
	{ "path", KEY_TEMPLATE, .required = true,
		.help = "Template of path and query, below the destination's URL; may hold `{request_id}`, `{path.N}`, `{query.NAME}`, "
			"`{header.NAME}` and `{date:FORMAT}`." },
	{ "method", KEY_WORD, .fallback = "GET",
		WORDS({ "GET", ASK_GET }, { "HEAD", ASK_HEAD }, { "POST", ASK_POST }), AT(route, authorize.method),
		.help = "HTTP method of the question, which has no body." },
	{ "pass", KEY_PASSED, .min = 1, .max = PASS_MAX, AT(route, authorize.pass),
		.help = "Headers of the client that go along, each line as it came. Without it `[cookie, authorization]`." },
	{ "timeout", KEY_TIME, .fallback = "5s", .min = 1, .max = YEAR_MS, AT(route, authorize.timeout_ms),
		.help = "How long it may take from the upload's head to the end of the answer, the wait for `client.questions` included; "
			"then it is 504." },
	{ "sign", KEY_SIGN, TABLES(&sign_keys), AT(route, authorize.sign),
		.help = "What the question is signed with; without it as `app` of the route has it, and without both it is not signed." },
	{ "unreachable", KEY_WORD, .fallback = "refuse", WORDS({ "refuse", 0 }),
		.help = "What happens if there is no answer: 502, or 504 if it is late. Nobody is let in by silence." },
};
const struct key_table authorize_keys = { "`authorize`", "routes[].authorize", KEYS(rows) };

/* -- the question -------------------------------------------------------------------------------------- */

static void
link_path(struct loading *l, struct route *route, const struct node *path)
{
	struct error err = { 0 };
	struct span span = { 0, path->text.len };

	route->authorize.target = redirect_read_path(path->text, &span, &err);
	if (route->authorize.target != NULL && template_has(route->authorize.target, TEMPLATE_GRANT))
		diag_error(l->diag, path->spot,
			"path: {grant.NAME} is what the answer grants, and this is the question");
	else if (route->authorize.target != NULL)
		link_check_wildcards(l, &route->match, route->authorize.target, path);
	else if (err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, yaml_tree_spot(path, span.offset, span.len), "path: %s", err.message);
}

static void
link_to(struct loading *l, struct route *route, const struct node *to)
{
	const struct destination *d = link_find_destination(l, to);
	struct kind_nouns nouns;

	l->unresolved = l->unresolved || d == NULL;
	if (d == NULL || d->kind == NULL || d->settings == NULL)
		return;
	if (kind_has(d->kind, KIND_APPLICATION)) {
		route->authorize.to = d;
		return;
	}
	diag_error(l->diag, to->spot, "to: only %s can be asked", kind_nouns(KIND_APPLICATION, &nouns));
	diag_note(l->diag, l->destination_names.items[d - l->config->destinations]->spot, "this one is %s",
		d->kind->noun);
}

static void
default_pass(struct loading *l, struct texts *pass)
{
	static const char *const names[] = { "cookie", "authorization" };

	if (!loading_grow(l, &pass->items, 0, 2, sizeof *pass->items))
		return;
	for (; pass->n < 2; pass->n++)
		if ((pass->items[pass->n] = str_dup(str_of(names[pass->n]))) == NULL) {
			diag_nomem(l->diag);
			return;
		}
}

static void
link_question(struct loading *l, struct route *route, const struct node *node)
{
	const struct node *to = yaml_tree_scalar(node, "to"), *path = yaml_tree_scalar(node, "path");
	const struct node *pass = yaml_tree_get(node, "pass");

	if (to != NULL)
		link_to(l, route, to);
	if (path != NULL)
		link_path(l, route, path);
	if (pass == NULL)
		default_pass(l, &route->authorize.pass);
	if (route->authorize.to != NULL)
		link_check_pass(l, route->authorize.to, &route->authorize.pass, pass != NULL ? pass : node);
}

/* -- what is granted ------------------------------------------------------------------------------------- */

static void
note_grant(struct loading *l, struct route *route, const char *name)
{
	struct texts *grants = &route->authorize.grants;

	for (size_t i = 0; i < grants->n; i++)
		if (strcmp(grants->items[i], name) == 0)
			return;
	if (!loading_grow(l, &grants->items, grants->n, 1, sizeof *grants->items))
		return;
	grants->items[grants->n] = str_dup(str_of(name));
	if (grants->items[grants->n] == NULL)
		diag_nomem(l->diag);
	else
		grants->n++;
}

static void
look_into(struct loading *l, struct route *route, const struct template *t, struct spot spot)
{
	for (size_t i = 0; t != NULL && i < t->n_pieces; i++) {
		if (t->pieces[i].kind != TEMPLATE_GRANT)
			continue;
		if (route->authorize.is_said)
			note_grant(l, route, t->pieces[i].text);
		else
			diag_error(l->diag, spot, "%s: nobody grants that; the route has no authorize",
				t->pieces[i].source);
	}
}

static void
look_into_rule(struct loading *l, struct route *route, const struct rule *rule, const struct node *node)
{
	const struct template *t;

	look_into(l, route, rule->target, node->spot);
	for (size_t i = 0; rule->to != NULL && (t = object_head_template(rule, i)) != NULL; i++)
		look_into(l, route, t, node->spot);
}

void
authorize_link(struct loading *l, size_t at)
{
	struct route *route = &l->config->routes[at];
	const struct node *node = yaml_tree_get(l->routes.items[at], "authorize");

	route->authorize.is_said = node != NULL;
	if (node != NULL && node->kind == NODE_MAP)
		link_question(l, route, node);
	for (size_t i = 0; i < route->n_rules && !l->diag->nomem; i++) {
		const struct node *rule = loading_rule_node(l, at, i);

		look_into_rule(l, route, &route->rules[i], rule != NULL ? rule : l->routes.items[at]);
	}
	look_into(l, route, route->app.path, l->routes.items[at]->spot);
	look_into(l, route, route->response.redirect, l->routes.items[at]->spot);
}

void
authorize_free(struct authorize *authorize)
{
	for (size_t i = 0; i < authorize->pass.n; i++)
		mem_free(authorize->pass.items[i]);
	for (size_t i = 0; i < authorize->grants.n; i++)
		mem_free(authorize->grants.items[i]);
	mem_free(authorize->pass.items);
	mem_free(authorize->grants.items);
	template_free(authorize->target);
	sign_free(&authorize->sign);
}
