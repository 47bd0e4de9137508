// SPDX-License-Identifier: MIT
/* link.c - see link.h. After this pass pointers from rules to destinations stay valid: no array grows any
 * more. A rule whose destination could not be read gets none, and only its own problem is reported. */
#include "config/link.h"

#include "base/mem.h"
#include "config/address.h"
#include "config/nearest.h"
#include "config/pattern.h"
#include "config/redirect.h"
#include "config/template.h"
#include "config/whereabouts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct node *
get_scalar(const struct node *map, const char *key)
{
	const struct node *node = yaml_tree_get(map, key);

	return node != NULL && node->kind == NODE_SCALAR && !yaml_tree_is_null(node) ? node : NULL;
}

static void
complain(struct loading *l, const struct node *node, const char *key, const struct error *err)
{
	if (err->kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, node->spot, "%s: %s", key, err->message);
}

/* -- destinations ---------------------------------------------------------------------------------- */

static void
link_socket(struct loading *l, struct http_destination *http, const struct node *node)
{
	const struct node *url = yaml_tree_get(node, "url"), *given = yaml_tree_get(node, "host");
	const struct node *host = get_scalar(node, "host");
	struct error err = { 0 };

	if (http->unix_socket == NULL && http->url != NULL && given != NULL)
		diag_error(l->diag, given->spot, "host: only for a unix socket; the URL has the host");
	else if (http->unix_socket != NULL && given == NULL)
		diag_error(l->diag, url->spot, "url: a unix socket needs the key \"host\" beside it");
	else if (host != NULL && !address_check_host(host->text, &err))
		complain(l, host, "host", &err);
	else if (http->unix_socket != NULL && host != NULL && !address_socket_url(host->chars, http, &err))
		complain(l, host, "host", &err);
}

static void
warn_of_file(struct loading *l, const struct node *tls, const char *key, const char *path, bool is_secret)
{
	struct spot spot;
	struct stat st;

	if (l->elsewhere || path == NULL)
		return;
	spot = yaml_tree_get(yaml_tree_get(tls, key), "file")->spot;
	if (access(path, R_OK) != 0 || stat(path, &st) != 0)
		diag_warn(l->diag, spot, "%s: the file cannot be read: %s", key, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		diag_warn(l->diag, spot, "%s: this is a folder, and not a file", key);
	else if (is_secret && (st.st_mode & S_IROTH) != 0)
		diag_warn(l->diag, spot, "%s: the file is readable by everyone", key);
}

static void
link_tls(struct loading *l, const struct http_destination *http, const struct node *tls)
{
	const struct node *cert = yaml_tree_get(tls, "cert"), *key = yaml_tree_get(tls, "key");
	bool https = http->url != NULL && str_starts_nocase(str_of(http->url), "https://");

	if (tls == NULL)
		return;
	if (!https && (http->url != NULL || http->unix_socket != NULL))
		diag_error(l->diag, tls->spot, "tls: only for an https:// URL");
	if ((cert == NULL) != (key == NULL))
		diag_error(l->diag, tls->spot, "tls: \"cert\" and \"key\" belong together");
	warn_of_file(l, tls, "ca", http->ca_file, false);
	warn_of_file(l, tls, "cert", http->cert_file, false);
	warn_of_file(l, tls, "key", http->key_file, true);
}

/* A start makes the folder itself, but not what it lies in. */
static bool
would_be_made(const char *path)
{
	struct str whole = str_of(path);
	char *outer;
	struct stat st;
	bool is_there;

	while (whole.len > 1 && path[whole.len - 1] == '/')
		whole.len--;
	while (whole.len > 0 && path[whole.len - 1] != '/')
		whole.len--;
	outer = str_dup(whole.len > 0 ? whole : str_of("."));
	is_there = outer != NULL && stat(outer, &st) == 0 && S_ISDIR(st.st_mode);
	mem_free(outer);
	return is_there;
}

static const char *
why_no_folder(const char *path, int error)
{
	if (error == ENOENT && (path[0] == '~' || strchr(path, '$') != NULL))
		return "the folder is not there; '~' and '$' stand for themselves here, no shell replaces them";
	if (error == ENOENT && would_be_made(path))
		return "the folder is not there; `penstock run` makes it";
	if (error == ENOENT)
		return "the folder is not there, nor is the one that it is to lie in; `penstock run` would not start";
	return NULL;
}

/* Only a warning: the folder may be mounted or made before the program runs. */
static void
warn_of_folder(struct loading *l, const struct destination *d, const struct node *node)
{
	const struct node *path = get_scalar(node, "path");
	struct stat st;

	if (path == NULL || d->directory.path == NULL || l->elsewhere)
		return;
	if (stat(d->directory.path, &st) != 0) {
		const char *why = why_no_folder(d->directory.path, errno);

		diag_warn(l->diag, path->spot, "path: %s", why != NULL ? why : strerror(errno));
	} else if (!S_ISDIR(st.st_mode))
		diag_warn(l->diag, path->spot, "path: this is not a folder");
}

static void
link_destination(struct loading *l, struct destination *d, const struct node *node)
{
	if (d->type == DESTINATION_DIRECTORY) {
		warn_of_folder(l, d, node);
		return;
	}
	link_socket(l, &d->http, node);
	link_tls(l, &d->http, yaml_tree_get(node, "tls"));
}

/* Could not be read as any type: reported, and nothing more can be said of it. */
static bool
is_broken(const struct destination *d)
{
	return d->type == DESTINATION_HTTP && d->http.url == NULL && d->http.unix_socket == NULL;
}

/* -- rules --------------------------------------------------------------------------------------------- */

static void
report_unknown(struct loading *l, const struct node *to, const char *best)
{
	if (best == NULL) {
		diag_error(l->diag, to->spot, "to: unknown destination \"%.*s\"", SHOWN(to->text));
		return;
	}
	diag_error(
		l->diag, to->spot, "to: unknown destination \"%.*s\"; did you mean \"%s\"?", SHOWN(to->text), best);
	for (size_t i = 0; i < l->destination_names.n; i++)
		if (str_is(l->destination_names.items[i]->text, best))
			diag_note(l->diag, l->destination_names.items[i]->spot, "\"%s\" is here", best);
}

static const struct destination *
find_destination(struct loading *l, const struct node *to)
{
	const struct config *c = l->config;
	struct nearest nearest = { .word = to->text };

	for (size_t i = 0; i < c->n_destinations; i++) {
		if (c->destinations[i].name == NULL)
			continue;
		if (str_is(to->text, c->destinations[i].name))
			return &c->destinations[i];
		nearest_offer(&nearest, c->destinations[i].name);
	}
	if (!l->incomplete)
		report_unknown(l, to, nearest.best);
	return NULL;
}

/* {path.N} counts the wildcards of match.path. Of a path that could not be read nobody knows how many it has. */
static void
check_wildcards(struct loading *l, const struct match *match, const struct template *t, const struct node *node)
{
	size_t wildcards = pattern_wildcards(match);

	if (!match->any_path && !match->has_path)
		return;
	for (size_t i = 0; i < t->n_pieces; i++) {
		const struct template_piece *piece = &t->pieces[i];
		const char *at;

		if (piece->kind != TEMPLATE_PATH || piece->number <= wildcards)
			continue;
		at = strstr(node->chars, piece->source);
		diag_error(l->diag,
			yaml_tree_spot(node, at != NULL ? (size_t)(at - node->chars) : 0, strlen(piece->source)),
			"%s: match.path has %zu wildcard%s", piece->source, wildcards, PLURAL(wildcards));
	}
}

static void
link_template(struct loading *l, const struct route *route, struct rule *rule, const struct node *node)
{
	enum template_style style = rule->to->type == DESTINATION_HTTP ? TEMPLATE_FOR_URL : TEMPLATE_FOR_FILE;
	struct error err = { 0 };
	struct span span;

	rule->target = template_parse(node->text, style, &span, &err);
	if (rule->target != NULL)
		check_wildcards(l, &route->match, rule->target, node);
	else if (err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, yaml_tree_spot(node, span.offset, span.len), "%s", err.message);
}

/* `node`: the mapping below `store` or `concat`. */
static void
link_target(struct loading *l, const struct route *route, struct rule *rule, const struct node *node)
{
	const struct node *to = get_scalar(node, "to"), *method = yaml_tree_get(node, "method");
	const struct node *path = get_scalar(node, "path"), *key = get_scalar(node, "key");
	const struct destination *d = to != NULL ? find_destination(l, to) : NULL;

	l->unresolved = l->unresolved || d == NULL;
	if (d == NULL || is_broken(d))
		return;
	rule->to = d;
	if (d->type == DESTINATION_DIRECTORY && method != NULL) {
		diag_error(l->diag, method->spot, "method: only for an http destination");
		diag_note(l->diag, l->destination_names.items[d - l->config->destinations]->spot,
			"this one is a directory");
	}
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
		check_wildcards(l, &route->match, route->response.redirect, node);
	else if (err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, yaml_tree_spot(node, span.offset, span.len), "redirect: %s", err.message);
}

/* Without `path` a route takes any; no segments alone would be "/" and nothing else. */
static void
link_route(struct loading *l, size_t at)
{
	struct route *route = &l->config->routes[at];
	const struct node *match = yaml_tree_get(l->routes.items[at], "match");

	route->index = at;
	route->match.any_path = match == NULL || (match->kind == NODE_MAP && yaml_tree_get(match, "path") == NULL);
	link_redirect(l, route, get_scalar(yaml_tree_get(l->routes.items[at], "response"), "redirect"));
	for (size_t i = 0; i < route->n_rules && !l->diag->nomem; i++) {
		route->rules[i].index = i;
		link_rule(l, route, &route->rules[i], read_rule_node(l, at, i));
	}
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
}
