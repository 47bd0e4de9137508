// SPDX-License-Identifier: MIT
/* gateway_refusals.c - see gateway_priv.h: the refusals of a written gateway.
 *
 * HAProxy refuses if its answer surely arrives: because the client waits for 100 (Expect), or sends no body. Then
 * penstock never sees the request. A client that is sending already would lose HAProxy's answer in a reset (2.6), or get
 * its stream reset (HTTP/2). There penstock refuses: it comes to the same decision, answers at once, and reads on until
 * the answer has arrived. The same holds for the user's own rules, which come before the question to the agent: they set
 * txn.upload.refuse, and HAProxy answers or, told by X-Penstock-Refuse, penstock. */
#include "cmd/gateway_priv.h"
#include "route/body_limit.h"
#include "source/format.h"

#include <stdio.h>
#include <string.h>

struct refusal {
	unsigned status;
	const char *kind, *title, *header; /* header: further words of the rule */
};

static const struct refusal unauthorized = { 401, "unauthorized", "Unauthorized", "" };
static const struct refusal forbidden = { 403, "forbidden", "Forbidden", "" };
static const struct refusal not_found = { 404, "no-route", "Not Found", "" };
static const struct refusal no_method = { 405, "method", "Method Not Allowed",
	" hdr allow %[var(txn.upload.methods),bytes(2)]" };
static const struct refusal no_length = { 411, "length-required", "Length Required", "" };
static const struct refusal too_large = { 413, "too-large", "Content Too Large", "" };
static const struct refusal media_type = { 415, "media-type", "Unsupported Media Type", "" };
static const struct refusal busy = { 503, "busy", "Service Unavailable", " hdr retry-after 1" };

/* Further members of the object, each with a comma behind it. */
#define NONE ""
#define ROUTE "\"route\":\"%[var(txn.upload.route)]\","
#define WHAT_IS_KNOWN "%[var(txn.upload.members)]"

/* `detail` is a log-format expression or plain text without quotes; `when` the condition of the rule, may_answer included. */
static void
add_return(
	struct buf *out, const struct refusal *refusal, const char *detail, const char *members, const char *when)
{
	buf_addf(out,
		"    http-request return status %u%s hdr x-request-id %%[var(txn.upload.request_id)] hdr cache-control no-store "
		"content-type application/problem+json lf-string ",
		refusal->status, refusal->header);
	buf_addf(out,
		"'{\"type\":\"urn:penstock:problem:%s\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\",%s"
		"\"request_id\":\"%%[var(txn.upload.request_id)]\"}' if %s\n",
		refusal->kind, refusal->title, refusal->status, detail, members, when);
}

void
gateway_add_may_answer(struct buf *out)
{
	buf_add_text(out,
		"    # HAProxy answers only clients that wait for 100, or send no body. All others are sending already, and could lose\n"
		"    # its answer in a reset. Penstock answers these, because it reads on until they have the answer.\n"
		"    http-request set-var(txn.upload.waits) bool(true) if HTTP_1.1 { req.fhdr(expect) -m str -i 100-continue }\n"
		"    http-request set-var(txn.upload.waits) bool(true) if { fc_http_major 1 } !{ req.fhdr(content-length) -m "
		"found } !{ req.fhdr(transfer-encoding) -m found }\n"
		"    acl may_answer var(txn.upload.waits) -m bool\n");
}

/* The user's own rules only set a status; whether HAProxy or penstock answers with it is decided here. */
static void
add_turned_away(struct buf *out)
{
	static const struct refusal too_often = { 429, "too-many", "Too Many Requests", " hdr retry-after 1" };
	static const struct {
		const struct refusal *refusal;
		const char *detail;
	} rows[] = {
		{ &unauthorized, "the gateway wants to know who sends this" },
		{ &forbidden, "the gateway does not let this in" },
		{ &too_often, "the gateway has had too many requests from this client" },
	};
	char when[80];

	buf_add_text(out,
		"    # Here HAProxy answers what your own rules refuse; a client that is sending already is answered by penstock, at once.\n"
		"    acl turned_away var(txn.upload.refuse) -m found\n");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(when, sizeof when, "may_answer { var(txn.upload.refuse) -m int %u }",
			rows[i].refusal->status);
		add_return(out, rows[i].refusal, rows[i].detail, NONE, when);
	}
	buf_add_text(out,
		"    http-after-response set-header WWW-Authenticate %[var(txn.upload.challenge)] if { status 401 } "
		"{ var(txn.upload.challenge) -m found }\n");
}

void
gateway_add_early(struct buf *out)
{
	add_turned_away(out);
	add_return(out, &not_found, "no route takes this host and path", NONE,
		"may_answer !{ var(txn.upload.is) -m bool }");
}

/* This comes last, because a rule above may have set the header to another status. */
void
gateway_add_passed_on(struct buf *out)
{
	buf_add_text(
		out, "    http-request set-header X-Penstock-Refuse %[var(txn.upload.refuse)] if turned_away\n");
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
	gateway_add_place(out, route);
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

/* HAProxy answers 503 itself where it may; the other clients get it from penstock. */
static void
add_closed(struct buf *out, const char *detail, const char *when)
{
	char whole[160];

	snprintf(whole, sizeof whole, "may_answer %s", when);
	add_return(out, &busy, detail, NONE, whole);
	buf_addf(out, "    http-request set-header X-Penstock-Refuse %u if %s\n", busy.status, when);
}

/* txn.upload.members: route and limit, where they are known. */
static void
add_members(struct buf *out)
{
	buf_add_text(out,
		"    http-request set-var-fmt(txn.upload.members) '" ROUTE
		"' if refused !{ var(txn.upload.route) -m len 0 }\n"
		"    http-request set-var-fmt(txn.upload.members) '" WHAT_IS_KNOWN
		"\"limit\":\"%[var(txn.upload.limit)]\",' if refused { var(txn.upload.limit) -m found }\n");
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
		"    # Fail closed: without an answer that allows it no request is admitted.\n"
		"    acl allowed var(txn.upload.allow) -m bool\n"
		"    acl refused var(txn.upload.status) -m int ge 400\n");
	add_closed(out, silent, "{ var(txn.upload.error) -m found }");
	add_closed(out, silent, "!allowed !refused");
	buf_addf(out,
		"    # 503 without a route says that the question could not be read. Penstock may decide otherwise, so it is told.\n"
		"    http-request set-header X-Penstock-Refuse %u if { var(txn.upload.status) -m int %u } { "
		"var(txn.upload.route) -m len 0 }\n",
		busy.status, busy.status);
	add_methods(out, config, "may_answer !odd { var(txn.upload.status) -m int 405 }");
	add_members(out);
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		snprintf(when, sizeof when, "refused may_answer { var(txn.upload.status) -m int %u }%s",
			refusals[i]->status,
			refusals[i] == &no_method ? " { var(txn.upload.methods) -m found }" : "");
		add_return(out, refusals[i], "%[var(txn.upload.reason),json(utf8s)]", WHAT_IS_KNOWN, when);
	}
}

/* Chooses the first route that takes the request, as the sidecar will. */
static void
add_choice(struct buf *out, const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		const char *id = config->routes[i].id;

		buf_addf(out, "    http-request set-var(txn.upload.route) str(%s) if ", id);
		gateway_add_place(out, &config->routes[i]);
		buf_addf(out, " %s_method !odd !{ var(txn.upload.route) -m found }\n", id);
	}
}

/* Limits of the route that was chosen, not of all that have its path. */
static void
add_length(struct buf *out, const struct route *route)
{
	char when[400];

	if (!route->limits.length_required)
		return;
	snprintf(when, sizeof when,
		"may_answer { var(txn.upload.route) -m str -- %s } !{ req.fhdr(content-length) -m found }",
		route->id);
	add_return(out, &no_length, "this route wants a Content-Length", ROUTE "\"limit\":\"length\",", when);
}

static void
add_size(struct buf *out, const struct route *route)
{
	char when[400];
	struct error err = { 0 };

	if (route->limits.body == LIMIT_NONE)
		return;
	body_limit_refuse(route->limits.body, &err);
	snprintf(when, sizeof when,
		"may_answer { var(txn.upload.route) -m str -- %s } { req.hdr_val(content-length) -m int gt %llu }",
		route->id, (unsigned long long)route->limits.body);
	add_return(out, &too_large, err.message, ROUTE "\"limit\":\"body\",", when);
}

static const struct route *
first_of(const struct config *config, bool is_raw)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if ((config->routes[i].raw != NULL) == is_raw)
			return &config->routes[i];
	return NULL;
}

/* In the words of the route's format, which says no to `type`. */
static void
add_type(struct buf *out, const struct route *route, struct str type, const char *whose, const char *which)
{
	struct error err = { 0 };
	char when[240];

	source_format_of(route)->accepts(type, &err);
	snprintf(when, sizeof when, "may_answer { var(txn.upload.route) -m found } %s%s", whose, which);
	add_return(out, &media_type, err.message, ROUTE, when);
}

static void
add_types_of_forms(struct buf *out, const struct route *route, const char *whose)
{
	static const char none[] = "!{ req.fhdr(content-type) -m found }",
			  coded[] = "{ req.fhdr(content-type) -m beg -i application/x-www-form-urlencoded }",
			  other[] = "!{ req.fhdr(content-type) -m beg -i multipart/form-data }";

	add_type(out, route, STR_NONE, whose, none);
	add_type(out, route, STR("application/x-www-form-urlencoded"), whose, coded);
	add_type(out, route, STR("text/plain"), whose, other);
}

/* Which of a route's bodies come in at all (sidecar/source/format.h), as far as a rule can tell. */
static void
add_types(struct buf *out, const struct config *config)
{
	const struct route *raw = first_of(config, true), *form = first_of(config, false);

	for (size_t i = 0; i < config->n_routes; i++)
		if (config->routes[i].raw != NULL)
			buf_addf(out, "    acl takes_a_file var(txn.upload.route) -m str -- %s\n",
				config->routes[i].id);
	if (raw != NULL)
		add_type(out, raw, STR("multipart/form-data"), "takes_a_file ",
			"{ req.fhdr(content-type) -m beg -i multipart/form-data }");
	if (form != NULL)
		add_types_of_forms(out, form, raw != NULL ? "!takes_a_file " : "");
}

void
gateway_add_rules(struct buf *out, const struct config *config)
{
	const char *other_method = gateway_has_cors(config)
		? "may_answer !odd !{ var(txn.upload.route) -m found } !{ var(txn.upload.preflight) -m bool }"
		: "may_answer !odd !{ var(txn.upload.route) -m found }";

	add_choice(out, config);
	add_methods(out, config, other_method);
	add_return(out, &no_method, "this path does not take the method %[method,json(utf8s)]", NONE,
		"may_answer !{ var(txn.upload.route) -m found } { var(txn.upload.methods) -m found }");
	for (size_t i = 0; i < config->n_routes; i++) /* in penstock's order, so both tell the same fault */
		add_length(out, &config->routes[i]);
	add_types(out, config);
	for (size_t i = 0; i < config->n_routes; i++)
		add_size(out, &config->routes[i]);
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
