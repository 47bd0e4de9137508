// SPDX-License-Identifier: MIT
/* matching_named.c - see matching.h: the headers and query parameters by which routes are chosen. How a request's are compared with
 * them is said in route/named.h. */
#include "config/matching.h"

#include "base/mem.h"
#include "config/headers.h"

#include <string.h>

static bool
has_only(struct str s, const char *others)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)(s.data[i] | 0x20); /* of letters the small one */

		if (!(c >= 'a' && c <= 'z') && !(s.data[i] >= '0' && s.data[i] <= '9') &&
			(s.data[i] == '\0' || strchr(others, s.data[i]) == NULL))
			return false;
	}
	return s.len > 0 && s.len <= MATCHING_NAME_MAX;
}

/* What is wrong with it; NULL: nothing. A gateway changes some, and others say how the body comes. */
static const char *
judge_header(struct str name)
{
	if (!has_only(name, "-"))
		return "is not the name of a header of letters, digits and '-', at most 64";
	if (str_equal_nocase(name, STR("host")))
		return "has a key of its own: `host`";
	if (str_equal_nocase(name, STR("origin")) || str_starts_nocase(name, "access-control-"))
		return "is for `cors` of the route to look at";
	if (str_equal_nocase(name, STR("content-type")))
		return NULL;
	return str_equal_nocase(name, STR("tracestate")) ? headers_judge_passed(STR("traceparent"))
							 : headers_judge_passed(name);
}

static const char *
judge_parameter(struct str name)
{
	return has_only(name, "-._~[]")
		? NULL
		: "is not the name of a query parameter of letters, digits and - . _ ~ [ ], at most 64";
}

static const char *
judge_value(struct str value)
{
	if (value.len == 0)
		return "is empty; `\"*\"` takes any value that is not";
	if (value.len > MATCHING_VALUE_MAX)
		return "is longer than 255 bytes, and no value may be";
	if (str_has_control(value))
		return "has a control byte, and no value may have one";
	return str_trim(value).len == value.len ? NULL : "begins or ends with a blank";
}

static bool
is_named(const struct named_patterns *named, struct str name)
{
	for (size_t i = 0; i < named->n; i++)
		if (str_equal_nocase(str_of(named->items[i].name), name))
			return true;
	return false;
}

/* False: reported. */
static bool
read_named(struct loading *l, const struct key *key, const struct node *name, const struct node *value,
	struct named_patterns *named)
{
	bool is_header = key->type == KEY_NAMED_HEADERS;
	const char *wrong = is_header ? judge_header(name->text) : judge_parameter(name->text);
	struct named_pattern *next = &named->items[named->n];

	if (wrong == NULL && is_header && is_named(named, name->text))
		wrong = "stands twice";
	if (wrong != NULL) {
		diag_error(l->diag, name->spot, "%s: \"%.*s\" %s", key->name, SHOWN(name->text), wrong);
		return false;
	}
	if (!loading_is_scalar(l, key, value))
		return false;
	wrong = judge_value(value->text);
	if (wrong != NULL) {
		diag_error(l->diag, value->spot, "%s: the pattern of \"%.*s\" %s", key->name, SHOWN(name->text),
			wrong);
		return false;
	}
	next->name = is_header ? str_dup_lower(name->text) : str_dup(name->text);
	next->value = str_dup(value->text);
	named->n++;
	return (next->name != NULL && next->value != NULL) || diag_nomem(l->diag);
}

static bool
is_named_map(struct loading *l, const struct key *key, const struct node *node)
{
	if (node->kind != NODE_MAP)
		diag_error(l->diag, node->spot, "%s is a mapping (name: pattern), not %s", key->name,
			yaml_tree_kind(node));
	else if (node->n < key->min)
		diag_error(l->diag, node->spot, "%s: the mapping is empty", key->name);
	else if (node->n > key->max)
		diag_error(l->diag, node->spot, "%s: %zu entries are too many; at most %zu", key->name, node->n,
			(size_t)key->max);
	else
		return true;
	return false;
}

static bool
read_all(struct loading *l, const struct key *key, const struct node *node, struct named_patterns *named)
{
	bool ok = true;

	if (!is_named_map(l, key, node) || !loading_grow(l, &named->items, 0, node->n, sizeof *named->items))
		return false;
	for (size_t i = 0; i < node->n && !l->diag->nomem; i++)
		ok = read_named(l, key, node->keys[i], node->items[i], named) && ok;
	return ok;
}

void
matching_read_named(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct match *match = (struct match *)(void *)((char *)base + key->offset);
	struct named_patterns *named = key->type == KEY_NAMED_HEADERS ? &match->headers : &match->query;

	match->is_broken = !read_all(l, key, node, named) || match->is_broken;
}

/* -- of all routes ---------------------------------------------------------------------------------------- */

static bool
is_named_before(const struct config *config, size_t route, const char *name)
{
	for (size_t i = 0; i < route; i++)
		if (is_named(&config->routes[i].match.headers, str_of(name)))
			return true;
	return false;
}

bool
matching_is_new_header(const struct config *config, size_t route, size_t header)
{
	const char *name = config->routes[route].match.headers.items[header].name;

	return strcmp(name, "content-type") != 0 && !is_named_before(config, route, name);
}

void
matching_check(struct loading *l)
{
	const struct config *c = l->config;
	size_t n = 0;

	for (size_t i = 0; i < c->n_routes && n <= MATCHING_HEADERS_MAX; i++) {
		for (size_t k = 0; k < c->routes[i].match.headers.n; k++)
			n += matching_is_new_header(c, i, k);
		if (n > MATCHING_HEADERS_MAX)
			diag_error(l->diag,
				yaml_tree_get(yaml_tree_get(l->routes.items[i], "match"), "header")->spot,
				"header: with this one the routes name more than %d different headers, which is what HAProxy can ask about",
				MATCHING_HEADERS_MAX);
	}
}
