// SPDX-License-Identifier: MIT
/* app.c - see app.h. */
#include "config/app.h"

#include "config/link_check.h"
#include "config/rows.h"
#include "config/sign.h"
#include "config/template.h"
#include "config/texts.h"

#include <string.h>

static const struct key failed_keys[] = {
	{ "path", KEY_TEMPLATE, .required = true,
		.help = "Path below the destination's URL. Begins with `/`; may hold `{request_id}` and `{date:FORMAT}`, and nothing "
			"of the client's. It is not a path at which a client's form arrives." },
};
static const struct key_table failed = { "`failed`", "routes[].app.failed", KEYS(failed_keys) };

static const struct key resolve_keys[] = {
	{ "path", KEY_TEMPLATE, .required = true, .help = "The same." },
};
static const struct key_table resolve = { "`resolve`", "routes[].app.resolve", KEYS(resolve_keys) };

static const struct key rows[] = {
	{ "to", KEY_REFERENCE, .required = true, .help = "Name of an http destination: the application." },
	{ "path", KEY_TEMPLATE, .fallback = "same",
		.help = "Path below the destination's URL; `same`: as the client has it, with its query. A template begins with `/`, "
			"may have a query, and holds nothing of a part." },
	{ "method", KEY_WORD, .fallback = "same",
		WORDS({ "same", APP_SAME }, { "POST", APP_POST }, { "PUT", APP_PUT }, { "PATCH", APP_PATCH }),
		AT(route, app.method), .help = "`same`: the client's." },
	{ "form", KEY_WORD, .fallback = "urlencoded", WORDS({ "urlencoded", APP_URLENCODED }, { "json", APP_JSON }),
		AT(route, app.form),
		.help = "What it gets: `urlencoded`: the values as a browser sends them, and for each stored file a field of its name "
			"with a JSON object; `json`: one document (`penstock schema --app`)." },
	{ "when", KEY_WORD, .fallback = "committed", WORDS({ "committed", APP_COMMITTED }, { "held", APP_HELD }),
		AT(route, app.when),
		.help = "`committed`: it is asked when the objects are there, and they are taken back if it says no; `held`: it is "
			"asked before, and they come into being if it says yes." },
	{ "sign", KEY_SIGN, AT(route, app.sign), TABLES(&sign_keys),
		.help = "`{ key: SECRET }` by which it can tell penstock's requests from others; `next_key` beside it while the key "
			"is being changed. `none`: nothing is signed." },
	{ "pass", KEY_PASSED, .min = 1, .max = TEXTS_MAX, AT(route, app.pass),
		.help = "Headers of the client that it gets, such as `cookie` and `authorization`; one or a list. Without it none." },
	{ "undo_on", KEY_STATUSES, .max = 64, AT(route, app.undo_on),
		.help = "With `committed`: its answers that take the form back, such as `[409, 5xx]`, or `none`. Without it all "
			"but 2xx and 3xx. No answer, and a broken one, take it back, too, but with `none`." },
	{ "failed", KEY_TABLE, .required = true, TABLES(&failed),
		.help = "Where it is told that a form that it may believe in does not stand." },
	{ "resolve", KEY_TABLE, TABLES(&resolve),
		.help = "Where it is asked after a kill whether it knows a form: 2xx keeps the objects, 404 takes them back. Without "
			"it they stay, and are reported." },
	{ "answer", KEY_SIZE, .fallback = "1MiB", .min = 0, .max = 64 * MIB, AT(route, app.answer),
		.help = "Bytes that the body of its answer may have, at most three quarters of `memory`. A longer one is broken." },
	{ "timeout", KEY_TIME, .fallback = "30s", .min = 1, .max = DAY_MS, AT(route, app.timeout_ms),
		.help = "Longest time until its answer is there." },
	{ "reveal_path", KEY_BOOL, .fallback = "false", AT(route, app.reveal_path),
		.help = "`true`: of a file in a folder it is told the path on this machine." },
};
const struct key_table app_table = { "`app`", "routes[].app", KEYS(rows) };

/* -- after reading ------------------------------------------------------------------------------------- */

static const struct node *
app_node(const struct loading *l, size_t route)
{
	return yaml_tree_get(l->routes.items[route], "app");
}

static bool
is_of_a_part(enum template_kind kind)
{
	return kind == TEMPLATE_PART || kind == TEMPLATE_FIELD || kind == TEMPLATE_FILE_NAME ||
		kind == TEMPLATE_FILE_EXT || kind == TEMPLATE_DETECTED_EXT || kind == TEMPLATE_UUID;
}

static bool
is_of_the_client(enum template_kind kind)
{
	return kind == TEMPLATE_PATH || kind == TEMPLATE_QUERY || kind == TEMPLATE_HEADER || kind == TEMPLATE_GRANT;
}

static void
complain(struct loading *l, const struct node *node, const struct template_piece *piece, const char *why)
{
	const char *at = strstr(node->chars, piece->source);

	diag_error(l->diag,
		yaml_tree_spot(node, at != NULL ? (size_t)(at - node->chars) : 0, strlen(piece->source)), "%s %s",
		piece->source, why);
}

static void
check_pieces(struct loading *l, const struct template *t, const struct node *node, bool is_ours)
{
	for (size_t i = 0; i < t->n_pieces; i++) {
		if (is_of_a_part(t->pieces[i].kind))
			complain(l, node, &t->pieces[i], "is of one part, and this is of the whole form");
		else if (t->pieces[i].kind == TEMPLATE_FIELD_VALUE)
			complain(l, node, &t->pieces[i],
				"stands only in names of objects, metadata and header lines; forward: true tells the application the value");
		else if (is_ours && is_of_the_client(t->pieces[i].kind))
			complain(l, node, &t->pieces[i], "differs by client: this is told to one place");
		else if (t->pieces[i].kind == TEMPLATE_TEXT && strchr(t->pieces[i].text, '#') != NULL)
			diag_error(l->diag, node->spot, "path: a fragment ('#') is never sent");
	}
}

/* `is_ours`: no client has a word in it. NULL: reported, or there is none. */
static struct template *
read_path(struct loading *l, size_t route, const struct node *node, bool is_ours)
{
	struct error err = { 0 };
	struct template *t;
	struct span span;

	if (node == NULL)
		return NULL;
	if (node->text.len == 0 || node->text.data[0] != '/') {
		diag_error(l->diag, node->spot, "path: begins with '/'%s", is_ours ? "" : ", or is the word same");
		return NULL;
	}
	t = template_parse(node->text, TEMPLATE_FOR_LOCATION, &span, &err);
	if (t == NULL && err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else if (t == NULL)
		diag_error(l->diag, yaml_tree_spot(node, span.offset, span.len), "path: %s", err.message);
	if (t == NULL)
		return NULL;
	check_pieces(l, t, node, is_ours);
	link_check_wildcards(l, &l->config->routes[route].match, t, node);
	return t;
}

void
app_link(struct loading *l, size_t route)
{
	struct app *app = &l->config->routes[route].app;
	const struct node *node = app_node(l, route), *to, *path;

	app->is_said = node != NULL;
	if (node == NULL || node->kind != NODE_MAP)
		return;
	to = yaml_tree_scalar(node, "to");
	path = yaml_tree_scalar(node, "path");
	app->to = to != NULL ? link_find_destination(l, to) : NULL;
	l->unresolved = l->unresolved || app->to == NULL;
	if (app->to != NULL && yaml_tree_get(node, "pass") != NULL)
		link_check_pass(l, app->to, &app->pass, yaml_tree_get(node, "pass"));
	if (path != NULL && !str_is(path->text, "same"))
		app->path = read_path(l, route, path, false);
	app->failed = read_path(l, route, yaml_tree_scalar(yaml_tree_get(node, "failed"), "path"), true);
	app->resolve = read_path(l, route, yaml_tree_scalar(yaml_tree_get(node, "resolve"), "path"), true);
}

void
app_free(struct app *app)
{
	template_free(app->path);
	template_free(app->failed);
	template_free(app->resolve);
	texts_free(&app->pass);
	sign_free(&app->sign);
}
