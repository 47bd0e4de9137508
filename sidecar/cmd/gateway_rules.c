// SPDX-License-Identifier: MIT
/* gateway_rules.c - see gateway_priv.h: a route file's routes as ACLs, and words of a configuration.
 *
 * Paths with an escape, a dot segment or an empty segment, those that match.h refuses for their length, and targets that
 * are no path but a URL, are matched by penstock alone: a regular expression would read them differently.
 *
 * Names of our own ACLs and those of routes (NAME_host, NAME_path, NAME_method) must differ: ours never end so. What a
 * route file may choose freely (methods, paths) is quoted, and stands behind `--` where it could begin with '-'. */
#include "cmd/gateway_priv.h"
#include "route/match.h"

#include <stdio.h>
#include <string.h>

/* -- text ------------------------------------------------------------------------------------------ */

void
gateway_add_quoted(struct buf *out, const char *text)
{
	buf_add_char(out, '\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			buf_add_text(out, "'\\''");
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			buf_addf(out, "'\\x%02X'",
				(unsigned)(unsigned char)*text); /* a line feed ends the line even in quotes */
		else
			buf_add_char(out, *text);
	buf_add_char(out, '\'');
}

void
gateway_add_word(struct buf *out, struct buf *word)
{
	out->failed = out->failed || word->failed;
	if (!word->failed && word->data != NULL)
		gateway_add_quoted(out, word->data);
	buf_free(word);
}

/* A byte of a regular expression that stands for itself. A slash in a segment came as %2F, and does so in requests. */
static void
add_literal(struct buf *out, char c)
{
	if (c == '\'')
		buf_add_text(out, "'\\''");
	else if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || c == '/')
		buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
	else if (strchr("$()*+.?[]^{|}\\", c) != NULL)
		buf_addf(out, "\\%c", c);
	else
		buf_add_char(out, c);
}

/* -- routes as ACLs ------------------------------------------------------------------------------- */

/* Names of ACLs have letters, digits, '-', '_', '.' and ':', and so have ids of routes. */
static void
begin_acl(struct buf *out, const struct route *route, const char *what)
{
	buf_addf(out, "    acl %s_%s ", route->id, what);
}

static void
add_segment(struct buf *out, const struct path_segment *segment)
{
	switch (segment->kind) {
	case SEGMENT_REST:
		buf_add_text(out, "(/.*)?");
		return;
	case SEGMENT_ONE:
		buf_add_text(out, "/[^/]+");
		return;
	case SEGMENT_TEXT:
		break;
	}
	buf_add_char(out, '/');
	for (const char *p = segment->text; *p != '\0'; p++)
		add_literal(out, *p);
}

/* Of several lines with one name one has to fit. */
static void
add_path_acls(struct buf *out, const struct route *route)
{
	const struct match *match = &route->match;

	for (size_t i = 0; i < match->n_paths; i++) {
		const struct path_pattern *path = &match->paths[i];

		begin_acl(out, route, "path");
		buf_add_text(out, "path -m reg '^");
		for (size_t k = 0; k < path->n_segments; k++)
			add_segment(out, &path->segments[k]);
		buf_addf(out, "%s$'\n", path->n_segments == 0 ? "/" : "");
	}
	if (match->n_paths > 0)
		return;
	begin_acl(out, route, "path");
	buf_add_text(out, "path -m reg '^/'\n");
}

/* With a port or without, with a final dot or without. */
static void
add_host_acl(struct buf *out, const struct route *route, const char *host)
{
	begin_acl(out, route, "host");
	buf_add_text(out, "req.fhdr(host) -m reg -i '^");
	if (host[0] == '*') {
		buf_add_text(out, ".+");
		host++;
	}
	for (; *host != '\0'; host++)
		add_literal(out, *host);
	buf_add_text(out, "\\.?(:[0-9]*)?$'\n");
}

static void
add_method_acl(struct buf *out, const struct route *route)
{
	begin_acl(out, route, "method");
	buf_add_text(out, "method --");
	for (size_t i = 0; i < route->match.n_methods; i++) {
		buf_add_char(out, ' ');
		gateway_add_quoted(out, route->match.methods[i]);
	}
	buf_add_text(out, "\n");
}

void
gateway_add_place(struct buf *out, const struct route *route)
{
	if (route->match.n_hosts > 0)
		buf_addf(out, "%s_host ", route->id);
	buf_addf(out, "%s_path", route->id);
}

void
gateway_add_acls(struct buf *out, const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		const struct route *route = &config->routes[i];

		buf_addf(out, "    # route %s\n", route->id);
		for (size_t k = 0; k < route->match.n_hosts; k++)
			add_host_acl(out, route, route->match.hosts[k]);
		add_path_acls(out, route);
		add_method_acl(out, route);
	}
}

/* Routes that go by headers or the query: none but penstock, its agent and its filter reads these, for what rules can say of them is
 * another reading. False: there is none. */
static bool
add_named(struct buf *out, const struct config *config)
{
	bool any = false;

	for (size_t i = 0; i < config->n_routes; i++) {
		const struct match *match = &config->routes[i].match;

		if (match->headers.n == 0 && match->query.n == 0)
			continue;
		any = true;
		buf_add_text(out, "    http-request set-var(txn.upload.named) bool(true) if ");
		gateway_add_place(out, &config->routes[i]);
		buf_add_text(out, "\n");
	}
	return any;
}

void
gateway_add_routes(struct buf *out, const struct config *config)
{
	bool has_named = add_named(out, config);

	for (size_t i = 0; i < config->n_routes; i++) {
		buf_add_text(out, "    http-request set-var(txn.upload.is) bool(true) if ");
		gateway_add_place(out, &config->routes[i]);
		buf_add_text(out, "\n");
	}
	buf_addf(out,
		"    # Only penstock reads paths that could be read in two ways, and URLs in place of a path. With HTTP/2 there is no\n"
		"    # URL in place of a path, though `url` looks like one.\n"
		"    http-request set-var(txn.upload.target) url if { fc_http_major 1 }\n"
		"    acl odd path -m reg '[%%#]|//|/\\.\\.?(/|$)|(/[^/]*){%d}'\n"
		"    acl odd path_len ge %d\n"
		"    acl odd var(txn.upload.target) -m reg '^[^/]'\n"
		"%s"
		"    http-request set-var(txn.upload.is) bool(true) if odd\n",
		MATCH_SEGMENTS_MAX + 1, MATCH_PATH_MAX + 1,
		has_named ? "    acl odd var(txn.upload.named) -m bool\n" : "");
}
