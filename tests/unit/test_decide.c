// SPDX-License-Identifier: MIT
/* test_decide.c - one row for each head that may or may not come in. */
#include "base/mem.h"
#include "decide/decide.h"

#include "lib/head_lines.h"
#include "lib/routes.h"

#include <stdio.h>

#define FIELDS "fields: [ { name: x, drop: true } ]"

static const char routes[] =
	"version: 1\nstate: /nowhere\n"
	"destinations: { d: { type: discard }, app: { type: http, url: \"http://app\" } }\n"
	"routes:\n"
	"  - { id: small, match: { path: \"/small\" }, limits: { body: 100B }, " FIELDS " }\n"
	"  - { id: open, match: { path: \"/open\", method: [POST, PUT] }, limits: { body: none }, " FIELDS " }\n"
	"  - { id: host, match: { host: \"*.example.org\", path: \"/h/*\" }, " FIELDS " }\n"
	"  - { id: few, match: { path: \"/few\" }, limits: { concurrent: 2, length: required }, " FIELDS " }\n"
	"  - { id: raw, match: { path: \"/raw\", method: [PUT, POST] }, limits: { body: 100B }, body: { raw: x }, " FIELDS
	" }\n"
	"  - { id: page, match: { path: \"/page\", method: [PUT, POST] }, limits: { concurrent: 1 }, cors: { origins: [\"https://a.example\"] }, " FIELDS
	" }\n"
	"  - { id: page-patch, match: { path: \"/page\", method: PATCH }, " FIELDS " }\n"
	"  - { id: options, match: { path: \"/options\", method: [OPTIONS, POST] }, " FIELDS " }\n"
	"  - { id: each, match: { path: \"/each\" }, limits: { per_client: { uploads: 2 } }, " FIELDS " }\n"
	"  - { id: told, match: { path: \"/told\" }, fields: [ { name: \"photo[]\", store: { to: d, key: \"{uuid}\" } },\n"
	"      { name: other, kind: value, forward: true } ], app: { to: app, sign: none, failed: { path: /failed } } }\n";

ROUTES_LOADED(routes)

#define H "Host: h\n"
#define FORM "Content-Type: multipart/form-data; boundary=B\n"
#define CL(n) "Content-Length: " n "\n"
#define TE "Transfer-Encoding: chunked\n"
#define U UINT64_MAX
#define ASKS(method) "Origin: https://b.example\nAccess-Control-Request-Method: " method "\n"
#define X15 "xxxxxxxxxxxxxxx"
#define X51 X15 X15 X15 "xxxxxx"
#define X255 X51 X51 X51 X51 X51

static const struct row {
	const char *line, *headers;
	enum error_kind kind; /* ERR_NONE: allowed */
	uint64_t length;      /* if allowed */
	const char *route;    /* NULL: none known */
} rows[] = {
	/* what comes in */
	{ "POST /small HTTP/1.1", H FORM CL("5"), ERR_NONE, 5, "small" },
	{ "POST /small HTTP/1.1", H FORM CL("100"), ERR_NONE, 100, "small" },
	{ "POST /small HTTP/1.1", H FORM CL("0"), ERR_NONE, 0, "small" },
	{ "POST /small HTTP/1.1", H FORM CL("00"), ERR_NONE, 0, "small" },
	{ "POST /small HTTP/1.1", H FORM CL("  7\t"), ERR_NONE, 7, "small" }, /* blanks around are no part of it */
	{ "POST /small HTTP/1.1", H FORM TE, ERR_NONE, U, "small" },
	{ "POST /small HTTP/1.1", H FORM "transfer-encoding: CHUNKED\n", ERR_NONE, U, "small" },
	{ "POST /open HTTP/1.1", H FORM CL("18446744073709551614"), ERR_NONE, U - 1, "open" },
	{ "PUT /open HTTP/1.1", H FORM TE, ERR_NONE, U, "open" },
	{ "POST http://h/open HTTP/1.1", H FORM TE, ERR_NONE, U, "open" },
	{ "POST /open?x=1 HTTP/1.1", H FORM TE, ERR_NONE, U, "open" },
	/* a query parameter that an application could take for a file */
	{ "POST /told?other=1&photos=2&Photo=3&=photo&photo_=4 HTTP/1.1", H FORM TE, ERR_NONE, U, "told" },
	{ "POST /told?photo=1 HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, "told" },
	{ "POST /told?a=1&%70hoto HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, "told" },
	{ "POST /told?a;photo%5bx%5d=1 HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, "told" },
	{ "POST /told?&+photo%00x= HTTP/1.1", H TE, ERR_BAD_REQUEST, 0, "told" },
	{ "POST /told?%GGphoto=1 HTTP/1.1", H FORM TE, ERR_NONE, U, "told" },
	{ "POST /open?photo=1 HTTP/1.1", H FORM TE, ERR_NONE, U, "open" },
	{ "POST /open HTTP/1.1", "Host:\n" FORM TE, ERR_NONE, U, "open" }, /* empty is a Host */
	{ "POST /h/x HTTP/1.1", "Host: A.example.org.:80\n" FORM TE, ERR_NONE, U, "host" },
	{ "POST /open HTTP/1.1", "Host: [::1]:80\n" FORM TE, ERR_NONE, U, "open" },
	{ "POST /open HTTP/1.0", FORM CL("5"), ERR_NONE, 5, "open" },
	{ "POST /open HTTP/1.0", H FORM CL("5"), ERR_NONE, 5, "open" },
	{ "POST /open HTTP/1.1", H FORM TE "Content-Encoding: identity\n", ERR_NONE, U, "open" },
	{ "POST /open HTTP/1.1", H FORM TE "Expect: 100-continue\n", ERR_NONE, U, "open" },
	{ "POST /open HTTP/1.1", H FORM TE "expect: 100-Continue\n", ERR_NONE, U, "open" },
	{ "POST /open HTTP/1.1", H FORM TE "Expect: \nContent-Encoding:\t\n", ERR_NONE, U,
		"open" }, /* empty: none */
	{ "POST /open HTTP/1.1", H TE "content-type: Multipart/Form-Data;charset=x; BOUNDARY=\"B\"\n", ERR_NONE, U,
		"open" },
	{ "POST /few HTTP/1.1", H FORM CL("5"), ERR_NONE, 5, "few" },
	/* a body that is one file is of any type but that of a form */
	{ "PUT /raw HTTP/1.1", H CL("0"), ERR_NONE, 0, "raw" },
	{ "PUT /raw HTTP/1.1", H CL("100"), ERR_NONE, 100, "raw" },
	{ "PUT /raw HTTP/1.1", H CL("101"), ERR_TOO_LARGE, 0, "raw" },
	{ "PUT /raw HTTP/1.1", H TE "Content-Type: image/png\n", ERR_NONE, U, "raw" },
	{ "POST /raw HTTP/1.1", H TE "Content-Type: application/x-www-form-urlencoded\n", ERR_NONE, U, "raw" },
	{ "PUT /raw HTTP/1.1", H TE "Content-Type: " X255 X255 "x\n", ERR_NONE, U, "raw" },
	{ "PUT /raw HTTP/1.1", H TE "Content-Type: " X255 X255 "xx\n", ERR_MEDIA_TYPE, 0, "raw" },
	{ "PUT /raw HTTP/1.1", H TE "Content-Type: a/b\nContent-Type: a/b\n", ERR_MEDIA_TYPE, 0, "raw" },
	{ "PUT /raw HTTP/1.1", H TE "Content-Encoding: gzip\n", ERR_MEDIA_TYPE, 0, "raw" },
	{ "PUT /raw HTTP/1.1", H FORM TE, ERR_MEDIA_TYPE, 0, "raw" },
	{ "PUT /raw HTTP/1.1", H TE "Content-Type: MULTIPART/form-data\n", ERR_MEDIA_TYPE, 0, "raw" },
	{ "PUT /raw HTTP/1.1", H, ERR_LENGTH_REQUIRED, 0, "raw" },
	{ "PATCH /raw HTTP/1.1", H TE, ERR_METHOD, 0, NULL },
	{ "POST /open HTTP/1.1", H TE "Content-Type: application/x-www-form-urlencoded\n", ERR_MEDIA_TYPE, 0,
		"open" },
	/* HTTP/2 and 3, as a gateway shows them: the end of the body is framing enough */
	{ "POST /open HTTP/2.0", H FORM, ERR_NONE, U, "open" },
	{ "POST /open HTTP/3.0", H FORM CL("5"), ERR_NONE, 5, "open" },
	{ "POST /few HTTP/2.0", H FORM, ERR_LENGTH_REQUIRED, 0, "few" },
	{ "POST /open HTTP/2.0", FORM CL("5"), ERR_BAD_REQUEST, 0, NULL },
	/* what HAProxy's question cannot hold whole */
	{ "POST /open HTTP/1.1", "Host: " X255 "\n" FORM TE, ERR_NONE, U, "open" },
	{ "POST /open HTTP/1.1", "Host: " X255 "x\n" FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H TE "Content-Type: multipart/form-data; boundary=B;" X255 X255 "\n",
		ERR_MEDIA_TYPE, 0, "open" },
	{ "POST /open?" X255 X255 X255 X255 X255 X255 X255 X255 X255 X255 " HTTP/1.1", H FORM TE, ERR_NONE, U,
		"open" },
	{ "POST http://" X255 "/open HTTP/1.0", FORM CL("5"), ERR_NONE, 5, "open" },
	{ "POST http://" X255 X255 X255 X255 X255 X255 X255 X255 X255 X255 "/open HTTP/1.0", FORM CL("5"),
		ERR_BAD_REQUEST, 0, NULL },
	/* limits.length: required */
	{ "POST /few HTTP/1.1", H FORM TE, ERR_LENGTH_REQUIRED, 0, "few" },
	{ "POST /few HTTP/1.1", H TE, ERR_LENGTH_REQUIRED, 0, "few" },
	/* Host (RFC 9112 section 3.2) */
	{ "POST /open HTTP/1.1", FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST http://h/open HTTP/1.1", FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H "host: other\n" FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.0", H H FORM CL("5"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", "Host: a b\n" FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", "Host: h/x\n" FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", "Host: h?x\n" FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /h/x HTTP/1.1", "Host: user@a.example.org\n" FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST http://user@a.example.org/h/x HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST http:///open HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /h/x HTTP/1.1", "Host: evil.com,a.example.org\n" FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST http://evil.com,a.example.org/h/x HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /h/x HTTP/1.0", "Host: *.example.org\n" FORM CL("5"), ERR_BAD_REQUEST, 0, NULL },
	/* an absolute target and a Host that is another one */
	{ "POST http://other/open HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST http://h/open HTTP/1.1", "Host:\n" FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST http://h.x/open HTTP/1.0", H FORM CL("5"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST http://H:80/open HTTP/1.1", H FORM TE, ERR_NONE, U, "open" },
	{ "POST http://h/open HTTP/1.0", FORM CL("5"), ERR_NONE, 5, "open" },
	/* Content-Length and Transfer-Encoding (RFC 9112 section 6) */
	{ "POST /open HTTP/1.1", H FORM CL("5") CL("5"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("5") CL("6"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("5, 5"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("5 5"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("+5"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("-5"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("0x5"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("5.0"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("five"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL(""), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("18446744073709551615"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("18446744073709551616"), ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM CL("5") TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM TE TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM "Transfer-Encoding: gzip, chunked\n", ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM "Transfer-Encoding: identity\n", ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM "Transfer-Encoding: xchunked\n", ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM "Transfer-Encoding:\n", ERR_BAD_REQUEST, 0, NULL },
	{ "POST /open HTTP/1.0", H FORM TE, ERR_BAD_REQUEST, 0, NULL }, /* section 6.1: framing is faulty */
	/* Expect (RFC 9110 section 10.1.1) */
	{ "POST /open HTTP/1.1", H FORM TE "Expect: 200-ok\n", ERR_EXPECTATION, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM TE "Expect:\nExpect:\n", ERR_EXPECTATION, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM TE "Expect:\nExpect: 100-continue\n", ERR_EXPECTATION, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM TE "Expect: ,\n", ERR_EXPECTATION, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM TE "Expect: 100-continue, x\n", ERR_EXPECTATION, 0, NULL },
	{ "POST /open HTTP/1.1", H FORM TE "Expect: 100-continue\nExpect: x\n", ERR_EXPECTATION, 0, NULL },
	/* route and method */
	{ "POST /nowhere HTTP/1.1", H FORM TE, ERR_NO_ROUTE, 0, NULL },
	{ "POST /open/ HTTP/1.1", H FORM TE, ERR_NO_ROUTE, 0, NULL },
	{ "POST /h/x HTTP/1.1", "Host: example.org\n" FORM TE, ERR_NO_ROUTE, 0, NULL },
	{ "POST /h/x HTTP/1.0", FORM CL("5"), ERR_NO_ROUTE, 0, NULL }, /* no Host at all */
	{ "POST /a//b HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /../open HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "POST /%zz HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "OPTIONS * HTTP/1.1", H FORM TE, ERR_BAD_REQUEST, 0, NULL },
	{ "GET /open HTTP/1.1", H, ERR_METHOD, 0, NULL },
	{ "post /open HTTP/1.1", H FORM TE, ERR_METHOD, 0, NULL },
	/* length, coding, type */
	{ "POST /open HTTP/1.1", H FORM, ERR_LENGTH_REQUIRED, 0, "open" },
	{ "POST /open HTTP/1.0", FORM, ERR_LENGTH_REQUIRED, 0, "open" },
	{ "POST /open HTTP/1.1", H FORM TE "Content-Encoding: gzip\n", ERR_MEDIA_TYPE, 0, "open" },
	{ "POST /open HTTP/1.1", H FORM TE "Content-Encoding:\nContent-Encoding:\n", ERR_MEDIA_TYPE, 0, "open" },
	{ "POST /open HTTP/1.1", H FORM TE "Content-Encoding: identity\nContent-Encoding: gzip\n", ERR_MEDIA_TYPE,
		0, "open" },
	{ "POST /open HTTP/1.1", H TE, ERR_MEDIA_TYPE, 0, "open" },
	{ "POST /open HTTP/1.1", H TE "Content-Type: text/plain\n", ERR_MEDIA_TYPE, 0, "open" },
	{ "POST /open HTTP/1.1", H TE "Content-Type: multipart/mixed; boundary=B\n", ERR_MEDIA_TYPE, 0, "open" },
	{ "POST /open HTTP/1.1", H TE "Content-Type: multipart/form-data\n", ERR_MEDIA_TYPE, 0, "open" },
	{ "POST /open HTTP/1.1", H FORM FORM TE, ERR_MEDIA_TYPE, 0, "open" },
	/* a preflight of a route with `cors`; any origin may ask, the answer says whether it may send */
	{ "OPTIONS /page HTTP/1.1", H ASKS("POST"), ERR_NONE, U, "page" },
	{ "OPTIONS /page HTTP/2.0", H ASKS("PUT"), ERR_NONE, U, "page" },
	{ "OPTIONS /page HTTP/1.1", H ASKS("POST") CL("0"), ERR_NONE, 0, "page" },
	{ "OPTIONS /page HTTP/1.1", H ASKS("POST") "Expect: x\n", ERR_NONE, U, "page" },
	{ "OPTIONS http://h/page?q HTTP/1.1", H ASKS("POST"), ERR_NONE, U, "page" },
	/* and what is none */
	{ "OPTIONS /page HTTP/1.1", ASKS("POST"), ERR_BAD_REQUEST, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H ASKS("POST") CL("1"), ERR_METHOD, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H ASKS("POST") TE, ERR_METHOD, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H ASKS("DELETE"), ERR_METHOD, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H ASKS("post"), ERR_METHOD, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H ASKS(""), ERR_METHOD, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H ASKS("PATCH"), ERR_METHOD, 0, NULL }, /* the route that takes it has none */
	{ "OPTIONS /page HTTP/1.1", H ASKS("POST") "Origin: https://a.example\n", ERR_METHOD, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H ASKS("POST") "Access-Control-Request-Method: POST\n", ERR_METHOD, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H "Origin: https://a.example\n", ERR_METHOD, 0, NULL },
	{ "OPTIONS /page HTTP/1.1", H "Access-Control-Request-Method: POST\n", ERR_METHOD, 0, NULL },
	{ "options /page HTTP/1.1", H ASKS("POST"), ERR_METHOD, 0, NULL },
	{ "OPTIONS /page/ HTTP/1.1", H ASKS("POST"), ERR_NO_ROUTE, 0, NULL },
	{ "OPTIONS /open HTTP/1.1", H ASKS("POST"), ERR_METHOD, 0, NULL },
	{ "OPTIONS /options HTTP/1.1", H ASKS("POST") FORM CL("5"), ERR_NONE, 5, "options" }, /* an upload */
	/* size */
	{ "POST /small HTTP/1.1", H FORM CL("101"), ERR_TOO_LARGE, 0, "small" },
	/* which of two is told: the earlier of the header's order */
	{ "GET /nowhere HTTP/1.1", CL("+5") "Expect: x\n", ERR_BAD_REQUEST, 0, NULL },
	{ "GET /nowhere HTTP/1.1", H CL("5") "Expect: x\n", ERR_EXPECTATION, 0, NULL },
	{ "GET /small HTTP/1.1", H CL("101"), ERR_METHOD, 0, NULL },
	{ "POST /small HTTP/1.1", H "Content-Type: text/plain\n", ERR_LENGTH_REQUIRED, 0, "small" },
	{ "POST /small HTTP/1.1", H CL("101") "Content-Type: text/plain\n", ERR_MEDIA_TYPE, 0, "small" },
};

static struct head
head_of(const char *line, const char *headers)
{
	size_t method = strcspn(line, " "), target = strcspn(line + method + 1, " ");

	return (struct head){
		.method = { line, method },
		.target = { line + method + 1, target },
		.version = str_of(line + method + target + 2),
		.header = head_lines_nth,
		.arg = headers,
	};
}

static void
expect_row(const struct row *row, const struct decision *decision)
{
	const char *id = decision->route != NULL ? decision->route->id : NULL;

	if (decision->allow != (row->kind == ERR_NONE) || decision->error.kind != row->kind)
		fail_msg("%s\n%sgot %s (%s), want %s", row->line, row->headers,
			error_kind_name(decision->error.kind), decision->error.message, error_kind_name(row->kind));
	if ((id == NULL) != (row->route == NULL) || (id != NULL && strcmp(id, row->route) != 0))
		fail_msg("%s\n%sgot route %s", row->line, row->headers, id != NULL ? id : "none");
	assert_true(decision->retry_after_s == 0);
	if (!decision->allow)
		return;
	assert_true(decision->length == row->length);
	if (decision->is_preflight != (strcmp(id, "page") == 0))
		fail_msg("%s\n%sis %s preflight", row->line, row->headers, decision->is_preflight ? "a" : "no");
}

static void
every_head_gets_the_answer_of_its_row(void **state)
{
	const struct load idle = { 0 };

	(void)state;
	assert_true(sizeof rows / sizeof rows[0] >= 60);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head head = head_of(rows[i].line, rows[i].headers);
		struct decision decision = { 0 };

		decide(config, &head, &idle, &decision);
		expect_row(&rows[i], &decision);
	}
}

static void
decide_one(const char *line, const char *headers, struct load busy, struct decision *decision)
{
	struct head head = head_of(line, headers);

	*decision = (struct decision){ 0 };
	decide(config, &head, &busy, decision);
}

static void
a_refusal_says_what_the_answer_needs(void **state)
{
	struct decision d;

	(void)state;
	decide_one("GET /open HTTP/1.1", H, (struct load){ 0 }, &d);
	assert_int_equal(d.error.kind, ERR_METHOD);
	decide_one("POST /small HTTP/1.1", H FORM CL("101"), (struct load){ 0 }, &d);
	assert_string_equal(d.error.limit, "body");
	assert_non_null(strstr(d.error.message, "100 bytes"));
	decide_one("POST /few HTTP/1.1", H FORM TE, (struct load){ 0 }, &d);
	assert_string_equal(d.error.limit, "length");
	decide_one("POST /h/a%20b HTTP/1.1", "Host: x.example.org\n" FORM TE, (struct load){ 0 }, &d);
	assert_true(d.allow && d.match.n_captures == 1 && str_is(d.match.captures[0], "a%20b"));
	decide_one("POST /open HTTP/1.1", H FORM TE, (struct load){ 0 }, &d);
	assert_true(d.allow && d.max_body == LIMIT_NONE);
	decide_one("POST /small HTTP/1.1", H FORM TE, (struct load){ 0 }, &d);
	assert_true(d.allow && d.max_body == 100);
}

static void
only_an_http_1_1_client_waits_for_100(void **state)
{
	static const struct {
		const char *line, *headers;
		bool waits;
	} heads[] = {
		{ "POST /open HTTP/1.1", H FORM TE "Expect: 100-Continue\n", true },
		{ "POST /open HTTP/1.1", H FORM TE, false },
		{ "POST /open HTTP/1.1", H FORM TE "Expect: tea\n", false },
		{ "POST /open HTTP/1.0", FORM CL("5") "Expect: 100-continue\n", false },
		/* whatever is wrong with it */
		{ "POST /nowhere HTTP/1.1", H FORM TE "Expect: 100-continue\n", true },
		{ "POST /open HTTP/1.1", H H FORM TE "Expect: 100-continue\n", true },
		{ "POST /open HTTP/1.1", H FORM TE "Expect: tea\nExpect: 100-continue\n", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct head head = head_of(heads[i].line, heads[i].headers);

		if (decide_expects_continue(&head) != heads[i].waits)
			fail_msg("%s\n%s", heads[i].line, heads[i].headers);
	}
}

/* Its browser sends no credentials with it, and it takes no place. */
static void
a_preflight_comes_before_all_that_refuses_an_upload(void **state)
{
	struct counter full = { 0 };
	struct counter *active[10];
	struct load load = { .is_draining = true, .is_over_memory = true, .active = active };
	static const char *const words[] = { "401", "403", "429", "503" };
	struct decision d;

	(void)state;
	counter_add(&full, 1);
	for (size_t i = 0; i < sizeof active / sizeof active[0]; i++)
		active[i] = &full;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		load.gateway_refuses = str_of(words[i]);
		decide_one("OPTIONS /page HTTP/1.1", H ASKS("POST"), load, &d);
		assert_true(d.allow && d.is_preflight && d.retry_after_s == 0);
		decide_one("POST /page HTTP/1.1", H FORM TE, load, &d);
		assert_false(d.allow);
	}
}

static void
load_is_asked_last(void **state)
{
	static const struct {
		struct load load;
		enum error_kind kind;
	} cases[] = {
		{ { .is_draining = true }, ERR_DRAINING },
		{ { .is_over_memory = true }, ERR_BUSY },
		{ { .is_draining = true, .is_over_memory = true }, ERR_DRAINING },
	};
	struct decision d;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		decide_one("POST /open HTTP/1.1", H FORM TE, cases[i].load, &d);
		assert_true(!d.allow && d.error.kind == cases[i].kind && d.retry_after_s > 0 && d.route != NULL);
		decide_one("POST /small HTTP/1.1", H FORM CL("101"), cases[i].load, &d);
		assert_true(d.error.kind == ERR_TOO_LARGE && d.retry_after_s == 0);
	}
}

/* Routes whose forms wait for their memory. */
static void
who_may_wait_for_memory_is_not_refused_for_it(void **state)
{
	static const struct load over = { .is_over_memory = true },
				 ending = { .is_over_memory = true, .is_draining = true };
	uint64_t *memory = &config->routes[0].memory;
	struct decision d;

	(void)state;
	decide_one("POST /open HTTP/1.1", H FORM TE, over, &d);
	assert_true(!d.allow && d.route != NULL);
	memory = &config->routes[d.route->index].memory;
	*memory = 1 << 20;
	decide_one("POST /open HTTP/1.1", H FORM TE, over, &d);
	assert_true(d.allow);
	decide_one("POST /open HTTP/1.1", H FORM TE, ending, &d);
	assert_int_equal(d.error.kind, ERR_DRAINING);
	*memory = 0;
}

static void
a_gateway_that_could_ask_nobody_is_believed(void **state)
{
	const struct load deaf = { .gateway_refuses = STR("503") };
	struct decision d;

	(void)state;
	decide_one("POST /open HTTP/1.1", H FORM TE, deaf, &d);
	assert_int_equal(d.error.kind, ERR_BUSY);
	assert_int_equal(d.retry_after_s, 1);
	decide_one("POST /nope HTTP/1.1", H FORM TE, deaf, &d);
	assert_int_equal(d.error.kind, ERR_NO_ROUTE);
	decide_one("POST /open HTTP/1.1", H FORM TE "X-Penstock-Refuse: 503\n", (struct load){ 0 }, &d);
	assert_true(d.allow); /* whose word that is, only the caller knows */
	decide_one("POST /open HTTP/1.1", H FORM TE, (struct load){ .gateway_refuses = STR("418") }, &d);
	assert_int_equal(d.error.kind, ERR_BUSY);
}

/* Before anything that a stranger could learn of the routes; but not of a head that can be read in two ways. */
static void
what_the_gateways_own_rules_refuse_is_refused_first(void **state)
{
	static const struct {
		const char *status, *headers;
		enum error_kind kind;
		unsigned retry_after_s;
	} refused[] = {
		{ "401", H FORM TE, ERR_UNAUTHORIZED, 0 },
		{ "403", H FORM TE, ERR_FORBIDDEN, 0 },
		{ "429", H FORM TE, ERR_TOO_MANY, 1 },
		{ "401", H FORM TE CL("5"), ERR_BAD_REQUEST, 0 },
	};
	struct decision d;

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		for (int known = 0; known < 2; known++) {
			decide_one(known ? "POST /open HTTP/1.1" : "GET /nope HTTP/1.1", refused[i].headers,
				(struct load){ .gateway_refuses = str_of(refused[i].status) }, &d);
			assert_true(!d.allow && d.error.kind == refused[i].kind);
			assert_int_equal(d.retry_after_s, refused[i].retry_after_s);
		}
}

static void
one_over_concurrent_is_told_to_come_again(void **state)
{
	struct counter counters[4] = { 0 }, *active[4] = { &counters[0], &counters[1], &counters[2], &counters[3] };
	struct load load = { .active = active };
	struct decision d;

	(void)state;
	counter_add(active[3], 1);
	decide_one("POST /few HTTP/1.1", H FORM CL("5"), load, &d);
	assert_true(d.allow);
	counter_add(active[3], 1);
	decide_one("POST /few HTTP/1.1", H FORM CL("5"), load, &d);
	assert_true(!d.allow && d.error.kind == ERR_TOO_MANY && d.retry_after_s > 0);
	assert_string_equal(d.error.limit, "concurrent");
	decide_one("POST /open HTTP/1.1", H FORM CL("5"), load, &d);
	assert_true(d.allow);
	decide_one("POST /few HTTP/1.1", H FORM CL("5"), (struct load){ 0 }, &d);
	assert_true(d.allow); /* nobody counts */
}

static uint64_t
uploads(void *arg, const struct route *route)
{
	const uint64_t *n = arg;

	assert_string_equal(route->id, "each");
	return *n;
}

static void
one_over_what_a_client_may_have_is_told_to_come_again(void **state)
{
	uint64_t n = 1;
	struct load load = { .uploads = uploads, .uploads_arg = &n };
	struct decision d;

	(void)state;
	decide_one("POST /each HTTP/1.1", H FORM CL("5"), load, &d);
	assert_true(d.allow);
	n = 2;
	decide_one("POST /each HTTP/1.1", H FORM CL("5"), load, &d);
	assert_true(!d.allow && d.error.kind == ERR_TOO_MANY && d.retry_after_s > 0);
	assert_string_equal(d.error.limit, "per_client.uploads");
	assert_string_equal(d.error.message, "this client has its 2 uploads of the route already");
	decide_one("POST /open HTTP/1.1", H FORM CL("5"), load, &d);
	assert_true(d.allow); /* nobody is asked */
	decide_one("POST /each HTTP/1.1", H FORM CL("5"), (struct load){ 0 }, &d);
	assert_true(d.allow); /* nobody knows */
	decide_too_many_of_client(&d, "connections", 1);
	assert_string_equal(d.error.limit, "per_client.connections");
	assert_string_equal(d.error.message, "this client has its 1 connection of the route already");
}

static void
nothing_is_allocated(void **state)
{
	const struct load idle = { 0 };

	(void)state;
	mem_fail(0, 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head head = head_of(rows[i].line, rows[i].headers);
		struct decision decision = { 0 };

		decide(config, &head, &idle, &decision);
	}
	assert_int_equal(mem_fail(0, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_head_gets_the_answer_of_its_row),
		cmocka_unit_test(a_refusal_says_what_the_answer_needs),
		cmocka_unit_test(only_an_http_1_1_client_waits_for_100),
		cmocka_unit_test(a_preflight_comes_before_all_that_refuses_an_upload),
		cmocka_unit_test(load_is_asked_last),
		cmocka_unit_test(who_may_wait_for_memory_is_not_refused_for_it),
		cmocka_unit_test(a_gateway_that_could_ask_nobody_is_believed),
		cmocka_unit_test(what_the_gateways_own_rules_refuse_is_refused_first),
		cmocka_unit_test(one_over_concurrent_is_told_to_come_again),
		cmocka_unit_test(one_over_what_a_client_may_have_is_told_to_come_again),
		cmocka_unit_test(nothing_is_allocated),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
