// SPDX-License-Identifier: MIT
/* test_named.c - routes by header and query: one row for each way in which a value may be said, and what is looked at first. */
#include "decide/decide.h"
#include "route/match.h"
#include "route/named.h"

#include "lib/head_lines.h"
#include "lib/routes.h"

#include <stdio.h>
#include <string.h>

#define FIELDS "fields: [ { name: x, drop: true } ]"

static const char routes[] =
	"version: 1\n"
	"routes:\n"
	"  - { id: acme, match: { path: /h, header: { x-tenant: \"acme-*\" } }, " FIELDS " }\n"
	"  - { id: list, match: { path: /h, header: { x-tenant: \"a,?\" } }, " FIELDS " }\n"
	"  - { id: both, match: { path: /h, header: { X-A: a, x-b: \"?\" }, method: PUT }, " FIELDS " }\n"
	"  - { id: form, match: { path: /type, header: { content-type: \"multipart/*\" } }, " FIELDS " }\n"
	"  - { id: photo, match: { path: /q, query: { kind: \"ph*\" } }, " FIELDS " }\n"
	"  - { id: blank, match: { path: /q, query: { kind: \"a b\", \"a[b]\": \"*\" } }, " FIELDS " }\n"
	"  - { id: before, match: { path: /first, method: PUT }, " FIELDS " }\n"
	"  - { id: named, match: { path: \"/first\", query: { kind: a }, header: { x-a: a } }, " FIELDS " }\n"
	"  - { id: rest, match: { path: [\"/first\", \"/rest/*\"] }, " FIELDS " }\n";

ROUTES_LOADED(routes)

/* The id of the route, or the kind of the error. */
static const char *
matched(const char *method, const char *target, const char *lines, struct error *err)
{
	struct head head = { str_of(method), str_of(target), STR("HTTP/1.1"), head_lines_nth, lines };
	struct match_result result = { 0 };
	struct path path;
	const struct route *route;

	*err = (struct error){ 0 };
	assert_true(path_read(head_path(&head), &path, err));
	route = match_request(config, &head, &path, &result, err);
	assert_true((route == NULL) == error_is_set(err));
	return route != NULL ? route->id : error_kind_name(err->kind);
}

struct row {
	const char *method, *target, *lines, *want;
};

static void
check(const struct row *rows, size_t n)
{
	struct error err;

	for (size_t i = 0; i < n; i++) {
		const char *got = matched(rows[i].method, rows[i].target, rows[i].lines, &err);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s %s %s: got %s (%s), want %s", rows[i].method, rows[i].target, rows[i].lines,
				got, err.message, rows[i].want);
	}
}

static void
headers_once_in_any_case_of_their_names_and_no_wildcard_takes_a_comma(void **state)
{
	static const struct row rows[] = {
		{ "POST", "/h", "x-tenant: acme-1\n", "acme" },
		{ "POST", "/h", "X-TENANT:   acme-1 \t\n", "acme" },
		{ "POST", "/h", "x-tenant: acme-\n", "acme" },
		{ "POST", "/h", "x-tenant: acme-a b\tc\n", "acme" },
		{ "POST", "/h", "x-tenant: acme-\xc3\xa9\n", "acme" },
		{ "POST", "/h", "x-tenant: Acme-1\n", "no-route" },
		{ "POST", "/h", "x-tenant: acme\n", "no-route" },
		{ "POST", "/h", "x-tenant: xacme-1\n", "no-route" },
		{ "POST", "/h", "x-tenants: acme-1\n", "no-route" },
		{ "POST", "/h", "x_tenant: acme-1\n", "no-route" },
		{ "POST", "/h", "", "no-route" },
		{ "POST", "/h", "x-tenant:\n", "no-route" },
		{ "POST", "/h", "x-tenant: acme-\x01\n", "no-route" },
		{ "POST", "/h", "x-tenant: acme-1, evil\n", "no-route" },
		{ "POST", "/h", "x-tenant: acme-1,\n", "no-route" },
		{ "POST", "/h", "x-tenant: a,b\n", "list" },
		{ "POST", "/h", "x-tenant: a,,\n", "no-route" },
		{ "POST", "/h", "x-tenant: a?b\n", "no-route" },
		{ "POST", "/h", "x-tenant: acme-1\nx-tenant: acme-1\n", "bad-request" },
		{ "POST", "/h", "x-tenant: other\nX-Tenant:\n", "bad-request" },
		{ "PUT", "/h", "x-a: a\nx-b: b\n", "both" },
		{ "PUT", "/h", "x-a: a\nx-b: bb\n", "no-route" },
		{ "PUT", "/h", "x-b: b\n", "no-route" },
		{ "POST", "/h", "x-a: a\nx-b: b\n", "method" },
		{ "POST", "/h", "x-a: b\nx-b: b\nx-b: c\n", "bad-request" },
		{ "POST", "/nowhere", "x-tenant: 1\nx-tenant: 2\n", "no-route" },
		{ "POST", "/type", "content-type: multipart/form-data; boundary=B\n", "form" },
		{ "POST", "/type", "content-type: text/plain\n", "no-route" },
	};

	(void)state;
	check(rows, sizeof rows / sizeof rows[0]);
}

static void
parameters_once_decoded_and_what_two_parsers_read_differently_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "POST", "/q?kind=photo", "", "photo" },
		{ "POST", "http://h/q?a=b&kind=ph#x", "", "photo" },
		{ "POST", "/q?%6bind=%70h", "", "photo" },
		{ "POST", "/q?kind=ph=&x", "", "photo" },
		{ "POST", "/q?kind=ph%3Bx=1", "", "photo" },
		{ "POST", "/q?kind=ph%C3%A9", "", "photo" },
		{ "POST", "/q?kind=ph&Kind=x&kinds[]=x&xkind=x", "", "photo" },
		{ "POST", "/q?kind=ph&kind[]=x", "", "bad-request" },
		{ "POST", "/q?kind=ph%2Cx", "", "no-route" },
		{ "POST", "/q?kind=ph,x", "", "no-route" },
		{ "POST", "/q?kind=ph%0a", "", "no-route" },
		{ "POST", "/q?kind=Photo", "", "no-route" },
		{ "POST", "/q?kind=", "", "no-route" },
		{ "POST", "/q?kind", "", "no-route" },
		{ "POST", "/q?", "", "no-route" },
		{ "POST", "/q", "", "no-route" },
		{ "POST", "/q?#kind=photo", "", "no-route" },
		{ "POST", "/q?kind=a+b&a%5Bb%5D=1", "", "blank" },
		{ "POST", "/q?kind=a%20b&a[b]=%2B", "", "blank" },
		{ "POST", "/q?kind=a%2Bb&a[b]=1", "", "no-route" },
		{ "POST", "/q?kind=a+b&a[b]=", "", "no-route" },
		{ "POST", "/q?kind=photo&kind=photo", "", "bad-request" },
		{ "POST", "/q?kind=photo&k%69nd", "", "bad-request" },
		{ "POST", "/q?kind=ph%", "", "bad-request" },
		{ "POST", "/q?kind=ph%zz", "", "bad-request" },
		{ "POST", "/q?kind=ph%00", "", "bad-request" },
		{ "POST", "/q?x;kind=photo", "", "bad-request" },
		{ "POST", "/q?kind=x&a[b]=1&a%5bb]=2", "", "bad-request" },
		{ "PUT", "/q?kind=photo", "", "method" },
		{ "POST", "/rest/1?kind=1&kind=2;", "", "rest" },
	};

	(void)state;
	check(rows, sizeof rows / sizeof rows[0]);
}

static void
a_route_before_takes_its_requests_without_looking(void **state)
{
	static const struct row rows[] = {
		{ "PUT", "/first?kind=a&kind=b", "x-a: 1\nx-a: 2\n", "before" },
		{ "POST", "/first?kind=a", "x-a: a\n", "named" },
		{ "POST", "/first?kind=a", "x-a: b\n", "rest" },
		{ "POST", "/first?kind=b", "x-a: a\n", "rest" },
		{ "POST", "/first?kind=a&kind=a", "x-a: a\n", "bad-request" },
		{ "POST", "/first?kind=a", "x-a: a\nx-a: a\n", "bad-request" },
	};

	(void)state;
	check(rows, sizeof rows / sizeof rows[0]);
}

static void
a_value_has_at_most_255_bytes_and_a_query_2047(void **state)
{
	char line[400], target[NAMED_QUERY_MAX + 100];
	struct error err;

	(void)state;
	for (int more = 0; more <= 1; more++) {
		int len = NAMED_VALUE_MAX + more;

		snprintf(line, sizeof line, "x-tenant: acme-%0*d\n", len - 5, 0);
		assert_string_equal(matched("POST", "/h", line, &err), more ? "no-route" : "acme");
		snprintf(target, sizeof target, "/q?kind=%%70h%0*d", len - 2, 0);
		assert_string_equal(matched("POST", target, "", &err), more ? "no-route" : "photo");
		snprintf(target, sizeof target, "/q?kind=ph&x=%0*d", NAMED_QUERY_MAX + more - 10, 0);
		assert_string_equal(matched("POST", target, "", &err), more ? "bad-request" : "photo");
	}
	assert_non_null(strstr(err.message, "over 2047 bytes"));
}

/* Also where nobody has asked before whether it is clear. */
static void
what_cannot_be_decoded_fits_nothing(void **state)
{
	struct head head = { STR("POST"), STR("/q?kind=ph%zz"), STR("HTTP/1.1"), head_lines_nth, "" };

	(void)state;
	assert_ptr_equal(
		named_query_misfit(&config->routes[4].match, &head), &config->routes[4].match.query.items[0]);
}

/* As `penstock explain` tells it. */
static void
what_is_missed_first_has_a_name(void **state)
{
	static const struct {
		size_t route;
		const char *method, *target, *lines;
		enum match_miss want;
		const char *name;
	} rows[] = {
		{ 7, "POST", "/first?kind=a", "x-a: a\n", MATCH_NOTHING, NULL },
		{ 7, "GET", "/first?kind=a", "x-a: a\n", MATCH_METHOD, NULL },
		{ 7, "GET", "/other?kind=b", "x-a: b\n", MATCH_PATH, NULL },
		{ 7, "GET", "/first?kind=b", "x-a: b\n", MATCH_HEADER, "x-a" },
		{ 7, "GET", "/first?kind=b", "x-a: a\n", MATCH_QUERY, "kind" },
		{ 7, "GET", "/first?kind=b&kind=a", "x-a: b\n", MATCH_UNCLEAR, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head head = { str_of(rows[i].method), str_of(rows[i].target), STR("HTTP/1.1"),
			head_lines_nth, rows[i].lines };
		struct match_look look;
		struct error err = { 0 };
		struct path path;

		assert_true(path_read(head_path(&head), &path, &err));
		match_look_at(&config->routes[rows[i].route], &head, &path, &look);
		assert_int_equal(look.miss, rows[i].want);
		assert_true((look.named == NULL) == (rows[i].name == NULL));
		if (rows[i].name != NULL)
			assert_string_equal(look.named->name, rows[i].name);
		assert_true(error_is_set(&look.error) == (rows[i].want == MATCH_UNCLEAR));
	}
}

static void
a_query_is_shown_to_the_agent_only_where_a_route_goes_by_it(void **state)
{
	struct config *plain = routes_of(
		"version: 1\nroutes: [ { id: a, match: { header: { x-a: a } }, " FIELDS " } ]\n");

	(void)state;
	assert_int_equal(decide_target_shown(plain), DECIDE_TARGET_MAX + 1);
	assert_int_equal(decide_target_shown(config), DECIDE_TARGET_MAX + 1 + NAMED_QUERY_MAX + 1);
	config_free(plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_once_in_any_case_of_their_names_and_no_wildcard_takes_a_comma),
		cmocka_unit_test(parameters_once_decoded_and_what_two_parsers_read_differently_is_refused),
		cmocka_unit_test(a_route_before_takes_its_requests_without_looking),
		cmocka_unit_test(a_value_has_at_most_255_bytes_and_a_query_2047),
		cmocka_unit_test(what_cannot_be_decoded_fits_nothing),
		cmocka_unit_test(what_is_missed_first_has_a_name),
		cmocka_unit_test(a_query_is_shown_to_the_agent_only_where_a_route_goes_by_it),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
