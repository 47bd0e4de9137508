// SPDX-License-Identifier: MIT
/* matching.c - see matching.h. What the text means is for pattern.c to say. */
#include "config/matching.h"

#include "base/mem.h"
#include "config/nearest.h"
#include "config/pattern.h"
#include "config/rows.h"
#include "config/values.h"

#include <string.h>

/* -- the rows -------------------------------------------------------------------------------------- */

#define LIST_MAX 16 /* hosts, paths, methods of one route */
#define NAMED_MAX 8 /* headers of one route, and parameters */

static const struct key match_keys[] = {
	{ "host", KEY_HOSTS, .min = 1, .max = LIST_MAX, AT(route, match),
		.help = "Host name without port, or a list; `*.example.org` takes any name below it. Without it: any host." },
	{ "path", KEY_PATHS, .min = 1, .max = LIST_MAX, AT(route, match),
		.help = "Path whose segments are text, `*` (one segment) or, at the end, `**` (any rest, also none), or a list of such. "
			"Without it: any path." },
	{ "method", KEY_METHODS, .fallback = "POST", .min = 1, .max = LIST_MAX, AT(route, match),
		.help = "One method or a list." },
	{ "header", KEY_NAMED_HEADERS, .min = 1, .max = NAMED_MAX, AT(route, match),
		.help = "Headers that a request has to have, once each, and patterns of their values, with `*` (any run) and `?` (one byte); "
			"see Which route, which rule." },
	{ "query", KEY_NAMED_QUERY, .min = 1, .max = NAMED_MAX, AT(route, match),
		.help = "The same of query parameters, whose values are compared decoded." },
};
const struct key_table matching_keys = { "`match`", "routes[].match", KEYS(match_keys) };

/* -- the readers ----------------------------------------------------------------------------------- */

/* One entry of a list. False: reported. */
typedef bool read_entry(struct loading *l, const struct key *key, const struct node *node, struct match *match);

/* False: at least one of them was not read. */
static bool
read_entries(
	struct loading *l, const struct key *key, const struct node *node, struct match *match, read_entry *read)
{
	size_t n = 0;
	bool ok = values_entries(l, key, node, key->max, &n);

	for (size_t i = 0; i < n && !l->diag->nomem; i++)
		ok = read(l, key, node->kind == NODE_LIST ? node->items[i] : node, match) && ok;
	return ok;
}

static struct match *
match_of(const struct key *key, void *base)
{
	return (struct match *)(void *)((char *)base + key->offset);
}

/* An entry for which nothing is left. */
static void
report_covered(struct loading *l, const struct key *key, const struct node *node, const char *by)
{
	diag_error(l->diag, node->spot, "%s: \"%.*s\" is of no use: \"%s\" stands before it and takes all of it",
		key->name, SHOWN(node->text), by);
}

static void
check_host_is_new(struct loading *l, const struct key *key, const struct node *node, const struct match *match)
{
	for (size_t i = 0; i + 1 < match->n_hosts; i++)
		if (pattern_host_covers(match->hosts[i], match->hosts[match->n_hosts - 1])) {
			report_covered(l, key, node, match->hosts[i]);
			return;
		}
}

static bool
read_host(struct loading *l, const struct key *key, const struct node *node, struct match *match)
{
	struct error err = { 0 };
	char *host;

	if (!loading_is_scalar(l, key, node) || !loading_grow(l, &match->hosts, match->n_hosts, 1, sizeof host))
		return false;
	host = pattern_read_host(node->text, &err);
	if (host == NULL) {
		loading_complain(l, key, node, &err);
		return false;
	}
	match->hosts[match->n_hosts++] = host;
	check_host_is_new(l, key, node, match);
	return true;
}

void
matching_read_hosts(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct match *match = match_of(key, base);

	match->is_broken = !read_entries(l, key, node, match, read_host) || match->is_broken;
}

static void
check_path_is_new(struct loading *l, const struct key *key, const struct node *node, const struct match *match)
{
	for (size_t i = 0; i + 1 < match->n_paths; i++)
		if (pattern_path_covers(&match->paths[i], &match->paths[match->n_paths - 1])) {
			report_covered(l, key, node, match->paths[i].source);
			return;
		}
}

static bool
read_path(struct loading *l, const struct key *key, const struct node *node, struct match *match)
{
	struct error err = { 0 };

	if (!loading_is_scalar(l, key, node) ||
		!loading_grow(l, &match->paths, match->n_paths, 1, sizeof *match->paths))
		return false;
	if (!pattern_read_path(node->text, &match->paths[match->n_paths], &err)) {
		pattern_free_path(&match->paths[match->n_paths]);
		loading_complain(l, key, node, &err);
		return false;
	}
	match->n_paths++;
	check_path_is_new(l, key, node, match);
	return true;
}

void
matching_read_paths(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct match *match = match_of(key, base);

	match->is_broken = !read_entries(l, key, node, match, read_path) || match->is_broken;
}

/* Methods that are common enough for any other word to be a slip of the pen. */
static const char *const common_methods[] = { "POST", "PUT", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS", "QUERY" };

static void
warn_of_method(struct loading *l, const struct key *key, const struct node *node)
{
	struct nearest nearest = { .word = node->text };

	for (size_t i = 0; i < sizeof common_methods / sizeof common_methods[0]; i++) {
		if (str_is(node->text, common_methods[i]))
			return;
		nearest_offer(&nearest, common_methods[i]);
	}
	if (nearest.best != NULL)
		diag_warn(l->diag, node->spot, "%s: \"%.*s\" is an unusual method; did you mean \"%s\"?", key->name,
			SHOWN(node->text), nearest.best);
}

static bool
is_method(struct loading *l, const struct key *key, const struct node *node, const struct match *match)
{
	if (!loading_is_scalar(l, key, node))
		return false;
	for (size_t i = 0; i < node->text.len; i++)
		if (node->text.data[i] >= 'a' && node->text.data[i] <= 'z') {
			diag_error(l->diag, node->spot, "%s: methods are written in upper case", key->name);
			return false;
		}
	if (!pattern_is_token(node->text)) {
		diag_error(l->diag, node->spot, "%s: \"%.*s\" is not a method", key->name, SHOWN(node->text));
		return false;
	}
	for (size_t i = 0; i < match->n_methods; i++)
		if (str_is(node->text, match->methods[i])) {
			diag_error(l->diag, node->spot, "%s: \"%s\" stands twice", key->name, match->methods[i]);
			return false;
		}
	warn_of_method(l, key, node);
	return true;
}

static bool
read_method(struct loading *l, const struct key *key, const struct node *node, struct match *match)
{
	char *method;

	if (!is_method(l, key, node, match) ||
		!loading_grow(l, &match->methods, match->n_methods, 1, sizeof method))
		return false;
	method = str_dup(node->text);
	if (method == NULL)
		return diag_nomem(l->diag);
	match->methods[match->n_methods++] = method;
	return true;
}

void
matching_read_methods(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	read_entries(l, key, node, match_of(key, base), read_method);
}
