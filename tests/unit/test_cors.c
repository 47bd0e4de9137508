// SPDX-License-Identifier: MIT
/* test_cors.c - which origins an answer lets read it, and by which route's `cors` it goes. */
#include "base/mem.h"
#include "reply/headers.h"
#include "route/cors.h"

#include "lib/routes.h"

#include <stdio.h>
#include <string.h>

#define FIELDS "fields: [ { name: x, drop: true } ]"
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10

static const char routes[] =
	"version: 1\n"
	"routes:\n"
	"  - { id: none, match: { path: /none }, " FIELDS " }\n"
	"  - { id: any, match: { path: /any }, cors: { origins: \"*\" }, " FIELDS " }\n"
	"  - { id: some, match: { path: /some }, cors: { origins: [\"HTTPS://A.example\", \"http://b.example:8080\", "
	"\"https://*.example.org\", \"http://*.local:81\", \"capacitor://localhost\", \"http://[::1]:3000\"], credentials: true }, " FIELDS
	" }\n"
	"  - { id: put, match: { path: /two, method: PUT }, " FIELDS " }\n"
	"  - { id: post, match: { path: /two, method: POST }, cors: { origins: https://a.example }, " FIELDS " }\n"
	"  - { id: patch, match: { path: /two, method: PATCH }, cors: { origins: https://b.example }, " FIELDS
	" }\n";

ROUTES_LOADED(routes)

/* Name and value in turn; NULL at the end. */
static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	for (const char *const *line = arg; *line != NULL; line += 2) {
		if (!str_equal_nocase(name, str_of(line[0])) || nth-- > 0)
			continue;
		*value = str_of(line[1]);
		return true;
	}
	return false;
}

static struct head
head_of(const char *method, const char *target, const char *const *headers)
{
	return (struct head){ str_of(method), str_of(target), STR("HTTP/1.1"), nth_header, headers };
}

static const struct cors *
cors_of(const char *id)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (strcmp(config->routes[i].id, id) == 0)
			return &config->routes[i].cors;
	fail_msg("no route %s", id);
	return NULL;
}

static void
an_origin_is_allowed_as_it_is_written_or_below_a_star(void **state)
{
	static const struct {
		const char *route, *origin, *allowed;
	} rows[] = {
		{ "any", "https://who.ever", "*" },
		{ "any", "null", "" },
		{ "any", "", "" },
		{ "some", "https://a.example", "https://a.example" },
		{ "some", "https://A.example", "" }, /* no browser writes it so */
		{ "some", "https://a.example:443", "" },
		{ "some", "https://a.example.", "" },
		{ "some", "https://a.example/", "" },
		{ "some", "http://a.example", "" },
		{ "some", "https://a.example, https://a.example", "" },
		{ "some", "https://xa.example", "" },
		{ "some", "http://b.example:8080", "http://b.example:8080" },
		{ "some", "http://b.example", "" },
		{ "some", "https://x.example.org", "https://x.example.org" },
		{ "some", "https://x-1_2.y.example.org", "https://x-1_2.y.example.org" },
		{ "some", "https://example.org", "" },
		{ "some", "https://.example.org", "" },
		{ "some", "https://x..example.org", "" },
		{ "some", "https://.x.example.org", "" },
		{ "some", "https://evil.com/.example.org", "" },
		{ "some", "https://evil.com#.example.org", "" },
		{ "some", "https://evil@x.example.org", "" },
		{ "some", "https://x.example.org.evil.com", "" },
		{ "some", "https://x.example.org:8443", "" },
		{ "some", "http://x.example.org", "" },
		{ "some", "http://x.local:81", "http://x.local:81" },
		{ "some", "http://x.local", "" },
		{ "some", "capacitor://localhost", "capacitor://localhost" },
		{ "some", "http://[::1]:3000", "http://[::1]:3000" },
		{ "some", "*", "" },
		{ "some", "null", "" },
		/* 300 bytes, and one more */
		{ "some", "https://" X50 X50 X50 X50 X50 X10 X10 "xxxxxxxxxx.example.org",
			"https://" X50 X50 X50 X50 X50 X10 X10 "xxxxxxxxxx.example.org" },
		{ "some", "https://" X50 X50 X50 X50 X50 X10 X10 "xxxxxxxxxxx.example.org", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *headers[] = { "origin", rows[i].origin, NULL };
		struct head head = head_of("POST", "/some", headers);
		struct str allowed = cors_allowed(cors_of(rows[i].route), &head);

		if (!str_is(allowed, rows[i].allowed))
			fail_msg("%s: %s gives %.*s", rows[i].route, rows[i].origin, STR_ARG(allowed));
	}
}

static void
of_no_origin_and_of_two_nothing_is_said(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const two[] = { "origin", "https://a.example", "Origin", "https://a.example", NULL };
	struct head head = head_of("POST", "/some", none);

	(void)state;
	assert_int_equal(cors_allowed(cors_of("some"), &head).len, 0);
	assert_int_equal(cors_allowed(cors_of("any"), &head).len, 0);
	head = head_of("POST", "/some", two);
	assert_int_equal(cors_allowed(cors_of("some"), &head).len, 0);
	assert_int_equal(cors_allowed(cors_of("any"), &head).len, 0);
}

static void
a_refusal_goes_by_the_route_that_would_have_taken_it(void **state)
{
	static const struct {
		const char *method, *target, *asks, *route;
	} rows[] = {
		{ "POST", "/some", NULL, "some" },
		{ "DELETE", "/some", NULL, "some" },
		{ "OPTIONS", "/some", "POST", "some" },
		{ "OPTIONS", "/some", "DELETE", "some" }, /* refused, as no preflight */
		{ "POST", "/none", NULL, "" },
		{ "DELETE", "/none", NULL, "" },
		{ "OPTIONS", "/none", "POST", "" },
		{ "POST", "/nowhere", NULL, "" },
		{ "POST", "/some/../none", NULL, "" },
		{ "PUT", "/two", NULL, "" },
		{ "POST", "/two", NULL, "post" },
		{ "PATCH", "/two", NULL, "patch" },
		{ "GET", "/two", NULL, "post" }, /* the first that has a cors */
		{ "OPTIONS", "/two", "PATCH", "patch" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *headers[] = { "Origin", "https://a.example",
			rows[i].asks != NULL ? "Access-Control-Request-Method" : NULL, rows[i].asks, NULL };
		struct head head = head_of(rows[i].method, rows[i].target, headers);
		const struct route *route = cors_of_refusal(config, &head);

		if (strcmp(route != NULL ? route->id : "", rows[i].route) != 0)
			fail_msg("%s %s: %s", rows[i].method, rows[i].target, route != NULL ? route->id : "none");
	}
}

/* One byte more than the agent of HAProxy is shown could be another method there. */
static void
a_preflight_asks_for_a_method_of_at_most_63_bytes(void **state)
{
	static const char *const longest[] = { "origin", "https://a.example", "access-control-request-method",
		X50 X10 "xxx", NULL };
	static const char *const longer[] = { "origin", "https://a.example", "access-control-request-method",
		X50 X10 "xxxx", NULL };
	struct head head = head_of("OPTIONS", "/some", longest);

	(void)state;
	assert_true(cors_is_preflight(&head));
	assert_int_equal(cors_asked_method(&head).len, CORS_METHOD_MAX);
	head = head_of("OPTIONS", "/some", longer);
	assert_false(cors_is_preflight(&head));
}

enum { NONE, ANY }; /* of routes */

static void
expect_lines(const char *method, const char *target, const struct route *route, const char *cors, const char *asked)
{
	static const char *const headers[] = { "Origin", "https://a.example", "Access-Control-Request-Method",
		"POST", NULL };
	struct head head = head_of(method, target, headers);
	struct reply_cors told = headers_cors_of(config, &head, route, cors_is_preflight(&head));

	assert_string_equal(told.cors == NULL ? "" : told.cors == &config->routes[ANY].cors ? "any" : "post", cors);
	assert_true(str_is(told.method, asked));
}

static void
an_answer_goes_by_the_cors_of_its_route_or_of_the_one_that_a_refusal_goes_by(void **state)
{
	(void)state;
	expect_lines("POST", "/any", &config->routes[ANY], "any", "");
	expect_lines("OPTIONS", "/any", &config->routes[ANY], "any", "POST");
	expect_lines("POST", "/none", &config->routes[NONE], "", "");
	expect_lines("DELETE", "/two", NULL, "post", "");
	expect_lines("POST", "/nowhere", NULL, "", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_origin_is_allowed_as_it_is_written_or_below_a_star),
		cmocka_unit_test(of_no_origin_and_of_two_nothing_is_said),
		cmocka_unit_test(a_refusal_goes_by_the_route_that_would_have_taken_it),
		cmocka_unit_test(a_preflight_asks_for_a_method_of_at_most_63_bytes),
		cmocka_unit_test(an_answer_goes_by_the_cors_of_its_route_or_of_the_one_that_a_refusal_goes_by),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
