// SPDX-License-Identifier: MIT
/* gateway_rules.c - see gateway_priv.h: a route file's routes as ACLs, and the refusals that HAProxy gives.
 *
 * Who refuses? HAProxy, where its answer arrives for certain: the client waits for 100 (Expect) or sends no body. Then
 * penstock never sees the request. An answer of HAProxy's to one that is sending already would be lost in a reset
 * (2.6) or come with a reset stream (HTTP/2); there penstock answers: it comes to the same decision, says so at once,
 * and reads on until the answer has arrived.
 *
 * Paths with an escape, a dot segment or an empty segment, those that match.h refuses for their length, and targets that
 * are no path but a URL, are matched by penstock alone: a regular expression would read them differently.
 *
 * Names of our own ACLs and those of routes (NAME_host, NAME_path, NAME_method) must differ: ours end otherwise. What a
 * route file may choose freely (methods, paths) is quoted, and stands behind `--` where it could begin with '-'. */
#include "gateway_priv.h"
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
				(unsigned)(unsigned char)*text); /* a line ends wherever it stands */
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

static void
add_path_acl(struct buf *out, const struct route *route)
{
	const struct match *match = &route->match;

	begin_acl(out, route, "path");
	buf_add_text(out, "path -m reg '^");
	for (size_t i = 0; i < match->n_segments; i++)
		add_segment(out, &match->segments[i]);
	if (match->any_path)
		buf_add_text(out, "/");
	else
		buf_addf(out, "%s$", match->n_segments == 0 ? "/" : "");
	buf_add_text(out, "'\n");
}

/* With a port or without, with a final dot or without. */
static void
add_host_acl(struct buf *out, const struct route *route)
{
	const char *host = route->match.host;

	if (host == NULL)
		return;
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

/* "album_host album_path": the condition that a request is the route's, whatever its method. */
static void
add_place(struct buf *out, const struct route *route)
{
	if (route->match.host != NULL)
		buf_addf(out, "%s_host ", route->id);
	buf_addf(out, "%s_path", route->id);
}

void
gateway_add_routes(struct buf *out, const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		buf_addf(out, "    # route %s\n", config->routes[i].id);
		add_host_acl(out, &config->routes[i]);
		add_path_acl(out, &config->routes[i]);
		add_method_acl(out, &config->routes[i]);
	}
	for (size_t i = 0; i < config->n_routes; i++) {
		buf_add_text(out, "    http-request set-var(txn.upload.is) bool(true) if ");
		add_place(out, &config->routes[i]);
		buf_add_text(out, "\n");
	}
	buf_addf(out,
		"    # Such paths, and URLs instead of paths, are for penstock to read. HTTP/2 has none, but looks as if.\n"
		"    http-request set-var(txn.upload.target) url if { fc_http_major 1 }\n"
		"    acl odd path -m reg '[%%#]|//|/\\.\\.?(/|$)|(/[^/]*){%d}'\n"
		"    acl odd path_len ge %d\n"
		"    acl odd var(txn.upload.target) -m reg '^[^/]'\n"
		"    http-request set-var(txn.upload.is) bool(true) if odd\n",
		MATCH_SEGMENTS_MAX + 1, MATCH_PATH_MAX + 1);
}

/* The first route that takes it, as the sidecar will choose. */
static void
add_choice(struct buf *out, const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		const char *id = config->routes[i].id;

		buf_addf(out, "    http-request set-var(txn.upload.route) str(%s) if ", id);
		add_place(out, &config->routes[i]);
		buf_addf(out, " %s_method !odd !{ var(txn.upload.route) -m found }\n", id);
	}
}

/* -- refusals that HAProxy gives itself ------------------------------------------------------------ */

struct refusal {
	unsigned status;
	const char *kind, *title, *header; /* header: further words of the rule */
};

static const struct refusal not_found = { 404, "no-route", "Not Found", "" };
static const struct refusal no_method = { 405, "method", "Method Not Allowed",
	" hdr allow %[var(txn.upload.methods),bytes(2)]" };
static const struct refusal no_length = { 411, "length-required", "Length Required", "" };
static const struct refusal too_large = { 413, "too-large", "Content Too Large", "" };
static const struct refusal media_type = { 415, "media-type", "Unsupported Media Type", "" };
static const struct refusal busy = { 503, "busy", "Service Unavailable", " hdr retry-after 1" };

/* `detail` is a log-format expression or plain text without quotes; `when` the condition behind may_answer. */
static void
add_return(struct buf *out, const struct refusal *refusal, const char *detail, const char *when)
{
	buf_addf(out,
		"    http-request return status %u%s hdr x-request-id %%[unique-id] hdr cache-control no-store "
		"content-type application/problem+json lf-string ",
		refusal->status, refusal->header);
	buf_addf(out,
		"'{\"type\":\"urn:penstock:problem:%s\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\","
		"\"request_id\":\"%%[unique-id]\"}' if %s\n",
		refusal->kind, refusal->title, refusal->status, detail, when);
}

void
gateway_add_may_answer(struct buf *out)
{
	buf_add_text(out,
		"    # HAProxy answers only where that arrives: to who waits for 100, or sends no body. Everybody else is sending\n"
		"    # already, and would lose the answer in a reset: penstock tells them, and reads on until they have heard it.\n"
		"    http-request set-var(txn.upload.waits) bool(true) if HTTP_1.1 { req.fhdr(expect) -m str -i 100-continue }\n"
		"    http-request set-var(txn.upload.waits) bool(true) if { fc_http_major 1 } !{ req.fhdr(content-length) -m "
		"found } !{ req.fhdr(transfer-encoding) -m found }\n"
		"    acl may_answer var(txn.upload.waits) -m bool\n");
	add_return(
		out, &not_found, "no route takes this host and path", "may_answer !{ var(txn.upload.is) -m bool }");
}

/* ", PUT" with what is around it, as one word. In a log-format (`percent` is "%%") a '%' stands twice. */
static void
add_listed(struct buf *out, const char *before, const char *method, const char *percent, const char *after)
{
	struct buf word = { 0 };

	buf_addf(&word, "%s, ", before);
	for (; *method != '\0'; method++)
		if (*method == '%')
			buf_add_text(&word, percent);
		else
			buf_add_char(&word, *method);
	buf_add_text(&word, after);
	gateway_add_word(out, &word);
}

static void
add_method(struct buf *out, const struct route *route, const char *method, const char *when)
{
	buf_add_text(out, "    http-request set-var-fmt(txn.upload.methods) ");
	add_listed(out, "%[var(txn.upload.methods)]", method, "%%", "");
	buf_addf(out, " if %s ", when);
	add_place(out, route);
	buf_add_text(out, " !{ var(txn.upload.methods) -m end ");
	add_listed(out, "", method, "%", "");
	buf_add_text(out, " } !{ var(txn.upload.methods) -m sub ");
	add_listed(out, "", method, "%", ",");
	buf_add_text(out, " }\n");
}

/* ", POST, PUT": each method that some route takes here, once, in the order of the routes. */
static void
add_methods(struct buf *out, const struct config *config, const char *when)
{
	for (size_t i = 0; i < config->n_routes; i++)
		for (size_t k = 0; k < config->routes[i].match.n_methods; k++)
			add_method(out, &config->routes[i], config->routes[i].match.methods[k], when);
}

/* HAProxy's own 503 goes to who may be answered; the others hear it from penstock. */
static void
add_closed(struct buf *out, const char *detail, const char *when)
{
	char whole[160];

	snprintf(whole, sizeof whole, "may_answer %s", when);
	add_return(out, &busy, detail, whole);
	buf_addf(out, "    http-request set-header X-Penstock-Refuse %u if %s\n", busy.status, when);
}

void
gateway_add_verdicts(struct buf *out, const struct config *config, const char *silent)
{
	static const struct refusal bad_request = { 400, "bad-request", "Bad Request", "" };
	static const struct refusal expectation = { 417, "expectation", "Expectation Failed", "" };
	static const struct refusal too_many = { 429, "too-many", "Too Many Requests",
		" hdr retry-after %[var(txn.upload.retry_after)]" };
	static const struct refusal *const refusals[] = { &bad_request, &not_found, &no_method, &no_length,
		&too_large, &media_type, &expectation, &too_many, &busy };
	char when[120];

	buf_add_text(out,
		"    # Fail closed: no answer, or none that allows, is no admission.\n"
		"    acl allowed var(txn.upload.allow) -m bool\n"
		"    acl refused var(txn.upload.status) -m int ge 400\n");
	add_closed(out, silent, "{ var(txn.upload.error) -m found }");
	add_closed(out, silent, "!allowed !refused");
	buf_addf(out,
		"    # An answer without a route is none to this request: its question could not be read.\n"
		"    http-request set-header X-Penstock-Refuse %u if { var(txn.upload.status) -m int %u } { "
		"var(txn.upload.route) -m len 0 }\n",
		busy.status, busy.status);
	add_methods(out, config, "may_answer !odd { var(txn.upload.status) -m int 405 }");
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		snprintf(when, sizeof when, "refused may_answer { var(txn.upload.status) -m int %u }%s",
			refusals[i]->status,
			refusals[i] == &no_method ? " { var(txn.upload.methods) -m found }" : "");
		add_return(out, refusals[i], "%[var(txn.upload.reason),json(utf8s)]", when);
	}
}

/* Limits of the route that was chosen, not of all that have its path. */
static void
add_limits(struct buf *out, const struct route *route)
{
	char when[400];

	if (route->limits.length_required) {
		snprintf(when, sizeof when,
			"may_answer { var(txn.upload.route) -m str -- %s } !{ req.fhdr(content-length) -m found }",
			route->id);
		add_return(out, &no_length, "this route wants a Content-Length", when);
	}
	if (route->limits.body != LIMIT_NONE) {
		snprintf(when, sizeof when,
			"may_answer { var(txn.upload.route) -m str -- %s } { req.hdr_val(content-length) -m int gt %llu }",
			route->id, (unsigned long long)route->limits.body);
		add_return(out, &too_large, "the body is over the limit", when);
	}
}

void
gateway_add_rules(struct buf *out, const struct config *config)
{
	static const char other_method[] = "may_answer !odd !{ var(txn.upload.route) -m found }";

	add_choice(out, config);
	add_methods(out, config, other_method);
	add_return(out, &no_method, "this path does not take this method",
		"may_answer !{ var(txn.upload.route) -m found } { var(txn.upload.methods) -m found }");
	for (size_t i = 0; i < config->n_routes; i++)
		add_limits(out, &config->routes[i]);
	add_return(out, &media_type, "not multipart/form-data",
		"may_answer { var(txn.upload.route) -m found } !{ req.fhdr(content-type) -m beg -i multipart/form-data }");
}

void
gateway_add_own_errors(struct buf *out)
{
	static const struct refusal own[] = {
		{ 400, "bad-request", "Bad Request", "" },
		{ 408, "client-slow", "Request Timeout", "" },
		{ 500, "internal", "Internal Server Error", "" },
		{ 502, "upstream", "Bad Gateway", "" },
		{ 503, "busy", "Service Unavailable", " hdr retry-after 1" },
		{ 504, "upstream-timeout", "Gateway Timeout", "" },
	};

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		buf_addf(out,
			"    http-error status %u content-type application/problem+json string "
			"'{\"type\":\"urn:penstock:problem:%s\",\"title\":\"%s\",\"status\":%u}' hdr cache-control no-store%s\n",
			own[i].status, own[i].kind, own[i].title, own[i].status, own[i].header);
}
