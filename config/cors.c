// SPDX-License-Identifier: MIT
/* cors.c - see cors.h. What is written here is compared byte for byte with what browsers send, so whatever no browser sends is a
 * mistake that would otherwise be found in front of a page that does not work. */
#include "config/cors.h"

#include <string.h>

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (str_lower(c) >= 'a' && str_lower(c) <= 'z');
}

/* -- origins ----------------------------------------------------------------------------------------- */

/* Bytes in front of the "://", 0: there is none, or they are no scheme. */
static size_t
scheme_length(struct str s)
{
	size_t n = 0;

	while (n < s.len && (is_alnum(s.data[n]) || s.data[n] == '+' || s.data[n] == '-' || s.data[n] == '.'))
		n++;
	return s.len - n > 3 && str_starts_nocase((struct str){ s.data + n, s.len - n }, "://") ? n : 0;
}

/* Where the port begins, its ':' included; s.len: there is none. */
static size_t
port_at(struct str s)
{
	size_t n = s.len;

	while (n > 0 && s.data[n - 1] >= '0' && s.data[n - 1] <= '9')
		n--;
	return n > 0 && n < s.len && s.data[n - 1] == ':' ? n - 1 : s.len;
}

static const char *
judge_port(struct str scheme, struct str port)
{
	static const struct {
		const char *scheme, *port;
	} usual[] = { { "https", ":443" }, { "http", ":80" } };

	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		if (str_equal_nocase(scheme, str_of(usual[i].scheme)) && str_is(port, usual[i].port))
			return "has the usual port of its scheme, which browsers leave out";
	return port.len > 6 ? "has a port that is none" : NULL;
}

static bool
is_host_byte(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || c == '.';
}

static const char *
judge_host(struct str host)
{
	if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		return NULL;
	if (host.len > 2 && host.data[0] == '*' && host.data[1] == '.')
		host = (struct str){ host.data + 2, host.len - 2 };
	if (memchr(host.data, '*', host.len) != NULL)
		return "has a '*' that is not its whole first label, as in https://*.example.org";
	for (size_t i = 0; i < host.len; i++)
		if (!is_host_byte(host.data[i]))
			return "is no origin: scheme, host and port, such as https://app.example.org:8443, and nothing behind them (names of "
			       "other letters as xn--...)";
	return host.len == 0 || host.data[0] == '.' ? "has no host" : NULL;
}

const char *
cors_judge_origin(struct str origin)
{
	size_t scheme = scheme_length(origin), port;
	struct str host;
	const char *wrong;

	if (str_is(origin, "*"))
		return NULL;
	if (str_equal_nocase(origin, STR("null")))
		return "is what every page sends that hides where it is from, so it may not be let in";
	if (scheme == 0)
		return "has no scheme: write https://... in front of it";
	host = (struct str){ origin.data + scheme + 3, origin.len - scheme - 3 };
	port = port_at(host);
	wrong = judge_host((struct str){ host.data, port });
	return wrong != NULL ? wrong
			     : judge_port((struct str){ origin.data, scheme },
				       (struct str){ host.data + port, host.len - port });
}

/* -- names of headers ---------------------------------------------------------------------------------- */

static bool
has_name(const struct buf *names, struct str name)
{
	struct str rest = buf_str(names);

	while (rest.len > 0) {
		const char *comma = memchr(rest.data, ',', rest.len);
		size_t n = comma != NULL ? (size_t)(comma - rest.data) : rest.len;

		if (str_equal_nocase((struct str){ rest.data, n }, name))
			return true;
		n += comma != NULL ? 2 : 0;
		rest = (struct str){ rest.data + n, rest.len - n };
	}
	return false;
}

static void
add_name(struct loading *l, const struct key *key, const struct node *node, struct str name, struct buf *names)
{
	if (!str_is_token(name)) {
		diag_error(l->diag, node->spot, "%s: \"%.*s\" is not the name of a header", key->name, SHOWN(name));
		return;
	}
	if (has_name(names, name)) {
		diag_error(l->diag, node->spot, "%s: \"%.*s\" stands twice", key->name, SHOWN(name));
		return;
	}
	if (names->len > 0)
		buf_add_text(names, ", ");
	for (size_t i = 0; i < name.len; i++)
		buf_add_char(names, str_lower(name.data[i]));
}

/* One text may have several, as a header line has them. */
static void
add_names(struct loading *l, const struct key *key, const struct node *node, struct buf *names)
{
	struct str rest = node->text;

	if (!loading_is_scalar(l, key, node))
		return;
	for (;;) {
		const char *comma = memchr(rest.data, ',', rest.len);
		size_t n = comma != NULL ? (size_t)(comma - rest.data) : rest.len;

		add_name(l, key, node, str_trim((struct str){ rest.data, n }), names);
		if (comma == NULL)
			return;
		rest = (struct str){ comma + 1, rest.len - n - 1 };
	}
}

static size_t
count_names(const struct buf *names)
{
	size_t n = names->len > 0;

	for (size_t i = 0; i < names->len; i++)
		n += names->data[i] == ',';
	return n;
}

void
cors_read_names(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	char **to = (char **)(void *)((char *)base + key->offset);
	struct buf names = { 0 };

	if (node->kind == NODE_MAP)
		diag_error(l->diag, node->spot, "%s is one name or a list, not a mapping", key->name);
	if (node->kind == NODE_SCALAR)
		add_names(l, key, node, &names);
	for (size_t i = 0; node->kind == NODE_LIST && i < node->n; i++)
		add_names(l, key, node->items[i], &names);
	if (count_names(&names) > key->max)
		diag_error(l->diag, node->spot, "%s: %zu names are too many; at most %llu", key->name,
			count_names(&names), (unsigned long long)key->max);
	else if (names.len > CORS_NAMES_BYTES_MAX)
		diag_error(l->diag, node->spot, "%s: the names have more than %u bytes together", key->name,
			CORS_NAMES_BYTES_MAX);
	*to = str_dup(buf_str(&names));
	if (*to == NULL || names.failed)
		diag_nomem(l->diag);
	buf_free(&names);
}

/* -- what holds between them ----------------------------------------------------------------------------- */

static bool
takes_any_origin(const struct cors *cors)
{
	for (size_t i = 0; i < cors->origins.n; i++)
		if (strcmp(cors->origins.items[i], "*") == 0)
			return true;
	return false;
}

static bool
has_star(const char *names)
{
	return names != NULL && strchr(names, '*') != NULL;
}

/* Fetch, "HTTP-network-or-cache fetch": a browser takes no `*` of such an answer, and it would let every page act as its user. */
static void
check_credentials(struct loading *l, const struct cors *cors, const struct node *node)
{
	static const char why[] = "with `credentials` every origin and every header has to be named";
	struct spot said = yaml_tree_spot_of(node, "credentials");

	if (!cors->credentials)
		return;
	if (takes_any_origin(cors))
		diag_error(l->diag, yaml_tree_spot_of(node, "origins"), "origins: `*` cannot be here: %s", why);
	else if (has_star(cors->headers))
		diag_error(l->diag, yaml_tree_spot_of(node, "headers"), "headers: `*` cannot be here: %s", why);
	else if (has_star(cors->expose))
		diag_error(l->diag, yaml_tree_spot_of(node, "expose"), "expose: `*` cannot be here: %s", why);
	else
		return;
	diag_note(l->diag, said, "said here");
}

static void
check_methods(struct loading *l, const struct match *match, const struct node *route)
{
	for (size_t i = 0; i < match->n_methods; i++) {
		if (strcmp(match->methods[i], "OPTIONS") != 0)
			continue;
		diag_error(l->diag, yaml_tree_spot_of(yaml_tree_get(route, "match"), "method"),
			"method: with `cors` OPTIONS is what browsers ask by, and no upload");
		diag_note(l->diag, yaml_tree_spot_of(route, "cors"), "said here");
	}
}

/* Names of headers are all that a browser tells beforehand of those that a page will send. */
static void
check_no_header(struct loading *l, const struct match *match, const struct node *route)
{
	if (match->headers.n > 0)
		diag_error(l->diag, yaml_tree_spot_of(yaml_tree_get(route, "match"), "header"),
			"header: a browser's question (cors) has none of these headers, so the route would not be found; match by "
			"host, path or query");
}

void
cors_check(struct loading *l, size_t route)
{
	const struct cors *cors = &l->config->routes[route].cors;
	const struct node *node = l->routes.items[route], *mine = yaml_tree_get(node, "cors");

	if (mine == NULL || mine->kind != NODE_MAP)
		return;
	if (takes_any_origin(cors) && cors->origins.n > 1)
		diag_error(l->diag, yaml_tree_spot_of(mine, "origins"),
			"origins: `*` takes every origin, so it stands alone");
	check_credentials(l, cors, mine);
	check_methods(l, &l->config->routes[route].match, node);
	check_no_header(l, &l->config->routes[route].match, node);
}
