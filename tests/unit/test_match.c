// SPDX-License-Identifier: MIT
/* test_match.c - which route takes a request: paths, wildcards and what they took, hosts, methods, Allow. */
#include "base/mem.h"
#include "route/match.h"

#include "lib/routes.h"

#include <stdio.h>
#include <string.h>

#define FIELDS "fields: [ { name: x, drop: true } ]"

static const char routes[] =
	"version: 1\n"
	"routes:\n"
	"  - { id: root, match: { path: \"/\" }, " FIELDS " }\n"
	"  - { id: upload, match: { path: \"/upload\", method: [POST, PUT] }, " FIELDS " }\n"
	"  - { id: upload-patch, match: { path: \"/upload\", method: [PUT, PATCH] }, " FIELDS " }\n"
	"  - { id: photos, match: { path: \"/albums/*/photos\" }, " FIELDS " }\n"
	"  - { id: pair, match: { path: \"/p/*/*\" }, " FIELDS " }\n"
	"  - { id: rest, match: { path: \"/r/*/**\" }, " FIELDS " }\n"
	"  - { id: escaped, match: { path: \"/a%20b/%C3%A9\" }, " FIELDS " }\n"
	"  - { id: sub, match: { host: \"*.example.org\", path: \"/h\" }, " FIELDS " }\n"
	"  - { id: exact, match: { host: example.org, path: \"/h\" }, " FIELDS " }\n"
	"  - { id: six, match: { host: \"[::1]\", path: \"/h\" }, " FIELDS " }\n"
	"  - { id: several, match: { host: [one.example, \"*.two.example\"], path: [\"/s\", \"/s/*\", \"/*/s/*\"] }, " FIELDS
	" }\n"
	"  - { id: get, match: { host: only.example, method: [GET] }, " FIELDS " }\n"
	"  - { id: any, match: { host: only.example }, " FIELDS " }\n";

ROUTES_LOADED(routes)

static bool
host_only(const void *arg, struct str name, size_t nth, struct str *value)
{
	const char *host = arg;

	if (nth > 0 || !str_equal_nocase(name, STR("host")))
		return false;
	*value = str_of(host);
	return true;
}

/* The id of the route that takes it, or the kind of the error; then what each wildcard took. */
static const char *
matched(const char *method, const char *host, const char *target, struct buf *allow)
{
	static char told[400];
	struct head head = { str_of(method), str_of(target), STR("HTTP/1.1"), host_only, host };
	struct path path;
	struct match_result result = { 0 };
	struct error err = { 0 };
	const struct route *route = NULL;

	if (path_read(head_path(&head), &path, &err))
		route = match_request(config, &head, &path, &result, &err);
	if (err.kind == ERR_METHOD && allow != NULL)
		match_allow(config, &head, &path, allow);
	assert_true((route == NULL) == error_is_set(&err));
	snprintf(told, sizeof told, "%s", route != NULL ? route->id : error_kind_name(err.kind));
	for (size_t i = 0; i < result.n_captures; i++) {
		size_t n = strlen(told);
		struct buf decoded = { 0 };

		assert_true(percent_decode(result.captures[i], false, &decoded));
		snprintf(told + n, sizeof told - n, " <%.*s>", STR_ARG(buf_str(&decoded)));
		buf_free(&decoded);
	}
	return told;
}

static void
paths_and_what_their_wildcards_took(void **state)
{
	static const struct {
		const char *target, *want;
	} rows[] = {
		{ "/", "root" },
		{ "/?x=1", "root" },
		{ "/upload", "upload" },
		{ "/upload?a/b", "upload" },
		{ "http://h/upload", "upload" },
		{ "/up%6Coad", "upload" },
		{ "/upload/", "no-route" }, /* a trailing slash counts */
		{ "/Upload", "no-route" },
		{ "/uploads", "no-route" },
		{ "/upload/x", "no-route" },
		{ "/albums/7/photos", "photos <7>" },
		{ "/albums/a%2Fb/photos", "photos <a/b>" }, /* %2F is a byte, not a separator */
		{ "/albums/a+b%20c/photos", "photos <a+b c>" },
		{ "/albums/photos", "no-route" },
		{ "/albums/7/8/photos", "no-route" },
		{ "/albums/7/photos/", "no-route" },
		{ "/p/1/2", "pair <1> <2>" },
		{ "/p/1", "no-route" },
		{ "/p/1/", "no-route" },
		{ "/p/1/2/3", "no-route" },
		{ "/p/%2A/...", "pair <*> <...>" },
		{ "/r/1", "rest <1> <>" },
		{ "/r/1/", "rest <1> <>" },
		{ "/r/1/a", "rest <1> <a>" },
		{ "/r/1/a/b/c", "rest <1> <a/b/c>" },
		{ "/r/1/a/b/", "rest <1> <a/b>" },
		{ "/r", "no-route" },
		{ "/a%20b/%c3%a9", "escaped" },
		{ "/nowhere", "no-route" },
		{ "//", "bad-request" },
		{ "//upload", "bad-request" },
		{ "/r//a", "bad-request" },
		{ "/upload//", "bad-request" },
		{ "/.", "bad-request" },
		{ "/r/./a", "bad-request" },
		{ "/r/1/../a", "bad-request" },
		{ "/r/1/%2e%2E/a", "bad-request" },
		{ "/r/1/.%2e", "bad-request" },
		{ "/r/1/%", "bad-request" },
		{ "/r/1/%1", "bad-request" },
		{ "/r/1/%zz", "bad-request" },
		{ "/r/1/%00", "bad-request" },
		{ "/r/1/%0a", "bad-request" },
		{ "/r/1/%7f", "bad-request" },
		{ "*", "bad-request" },
		{ "host:443", "bad-request" },
		{ "", "bad-request" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = matched("POST", "h", rows[i].target, NULL);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got %s, want %s", rows[i].target, got, rows[i].want);
	}
}

static void
hosts_in_any_case_with_port_and_final_dot(void **state)
{
	static const struct {
		const char *host, *want;
	} rows[] = {
		{ "a.example.org", "sub" },
		{ "a.b.example.org", "sub" },
		{ "A.EXAMPLE.org:8080", "sub" },
		{ "a.example.org.", "sub" },
		{ "a.example.org.:80", "sub" },
		{ "example.org", "exact" }, /* not below itself */
		{ "Example.Org.", "exact" },
		{ "example.org:81", "exact" },
		{ ".example.org", "no-route" },
		{ "aexample.org", "no-route" },
		{ "example.org.evil", "no-route" },
		{ "a.example.org..", "no-route" },
		{ "example.com", "no-route" },
		{ "[::1]", "six" },
		{ "[::1]:8080", "six" },
		{ "[::2]", "no-route" },
		{ "::1", "no-route" },
		{ "", "no-route" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = matched("POST", rows[i].host, "/h", NULL);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got %s, want %s", rows[i].host, got, rows[i].want);
	}
	assert_false(match_host("example.org", STR_NONE) || match_host("*.example.org", STR_NONE));
}

static void
of_several_hosts_and_paths_one_each_has_to_fit(void **state)
{
	static const struct {
		const char *host, *target, *want;
	} rows[] = {
		{ "one.example", "/s", "several" },
		{ "a.two.example", "/s", "several" },
		{ "two.example", "/s", "no-route" },
		{ "h", "/s", "no-route" },
		{ "one.example", "/s/1", "several <1>" },
		{ "one.example", "/s/s/1",
			"several <s> <1>" }, /* what the second took is not what the third takes */
		{ "one.example", "/x/s/1", "several <x> <1>" },
		{ "one.example", "/x/t/1", "no-route" },
		{ "one.example", "/", "root" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = matched("POST", rows[i].host, rows[i].target, NULL);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s%s: got %s, want %s", rows[i].host, rows[i].target, got, rows[i].want);
	}
}

static void
methods_choose_among_routes_and_allow_lists_each_once(void **state)
{
	static const struct {
		const char *method, *host, *target, *want, *allow;
	} rows[] = {
		{ "POST", "h", "/upload", "upload", "" },
		{ "PUT", "h", "/upload", "upload", "" },
		{ "PATCH", "h", "/upload", "upload-patch", "" },
		{ "GET", "h", "/upload", "method", "POST, PUT, PATCH" },
		{ "post", "h", "/upload", "method", "POST, PUT, PATCH" }, /* RFC 9110 section 9.1 */
		{ "PU", "h", "/upload", "method", "POST, PUT, PATCH" },
		{ "GET", "h", "/p/1/2", "method", "POST" }, /* no captures left of it */
		{ "GET", "h", "/nowhere", "no-route", "" },
		{ "GET", "only.example", "/any/thing", "get", "" },
		{ "POST", "only.example", "/any/thing/", "any", "" },
		{ "PUT", "only.example", "/", "method", "POST, GET" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf allow = { 0 };
		const char *got = matched(rows[i].method, rows[i].host, rows[i].target, &allow);

		if (strcmp(got, rows[i].want) != 0 || !str_is(buf_str(&allow), rows[i].allow))
			fail_msg("%s %s: got %s (%s), want %s (%s)", rows[i].method, rows[i].target, got,
				allow.data != NULL ? allow.data : "", rows[i].want, rows[i].allow);
		buf_free(&allow);
	}
}

static void
a_path_has_at_most_so_many_segments(void **state)
{
	char target[2 * MATCH_SEGMENTS_MAX + 3] = "";
	struct path path;
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i <= MATCH_SEGMENTS_MAX; i++) {
		target[2 * i] = '/';
		target[2 * i + 1] = 'a';
	}
	assert_true(path_read((struct str){ target, (size_t)2 * MATCH_SEGMENTS_MAX }, &path, &err));
	assert_int_equal(path.n_segments, MATCH_SEGMENTS_MAX);
	assert_false(path_read((struct str){ target, (size_t)2 * MATCH_SEGMENTS_MAX + 2 }, &path, &err));
	assert_int_equal(err.kind, ERR_BAD_REQUEST);
}

static void
a_path_is_as_long_as_the_gateway_can_ask_about(void **state)
{
	char target[MATCH_PATH_MAX + 1];
	struct path path;
	struct error err = { 0 };

	(void)state;
	memset(target, 'a', sizeof target);
	target[0] = '/';
	assert_true(path_read((struct str){ target, MATCH_PATH_MAX }, &path, &err));
	assert_false(path_read((struct str){ target, MATCH_PATH_MAX + 1 }, &path, &err));
	assert_int_equal(err.kind, ERR_BAD_REQUEST);
}

static void
only_allow_is_allocated_and_half_of_it_is_marked(void **state)
{
	size_t nth;

	(void)state;
	mem_fail(0, 0);
	matched("POST", "h", "/upload", NULL);
	matched("GET", "h", "/r/a/b", NULL);
	assert_int_equal(mem_fail(0, 0), 0);
	for (nth = 1;; nth++) {
		struct buf allow = { 0 };
		bool failed;

		mem_fail(nth, 1);
		matched("GET", "h", "/upload", &allow);
		failed = allow.failed;
		buf_free(&allow);
		if (mem_fail(0, 0) < nth)
			break;
		assert_true(failed);
	}
	assert_true(nth > 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_what_their_wildcards_took),
		cmocka_unit_test(hosts_in_any_case_with_port_and_final_dot),
		cmocka_unit_test(of_several_hosts_and_paths_one_each_has_to_fit),
		cmocka_unit_test(methods_choose_among_routes_and_allow_lists_each_once),
		cmocka_unit_test(a_path_has_at_most_so_many_segments),
		cmocka_unit_test(a_path_is_as_long_as_the_gateway_can_ask_about),
		cmocka_unit_test(only_allow_is_allocated_and_half_of_it_is_marked),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
