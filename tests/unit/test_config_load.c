// SPDX-License-Identifier: MIT
/* test_config_load.c - what a route file becomes: defaults, values, secrets; and that running out of memory at
 * any allocation is an error like any other. */
#include "base/mem.h"
#include "config/load.h"
#include "config/memory.h"
#include "config/needed.h"
#include "config/object_head.h"
#include "sink/http/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUTE "routes:\n  - id: a\n    fields:\n      - { name: x, drop: true }\n"

static struct config *
load(const char *text, struct findings *findings)
{
	return config_load_text("t.yaml", str_of(text), findings);
}

static struct config *
load_clean(const char *text)
{
	struct findings findings;
	struct config *config = load(text, &findings);

	if (config == NULL || findings.text.len > 0)
		fail_msg("%s", buf_str(&findings.text).data);
	findings_free(&findings);
	return config;
}

/* The largest of those that are stored one after the other, and each that is joined. */
static void
what_a_form_needs_of_memory(void **state)
{
	struct config *c = load_clean(
		"version: 1\nmemory: 8MiB\nmemory_wait: 10s\n"
		"destinations:\n  a: { type: discard, memory: 1MiB }\n  b: { type: discard, memory: 100000 }\n"
		"  c: { type: discard }\n"
		"routes:\n  - id: one\n    match: { path: /one }\n    fields:\n"
		"      - { name: a, store: { to: a, key: \"{uuid}\" } }\n"
		"      - { name: b, concat: { to: b, key: \"{uuid}\" } }\n"
		"      - { name: c, concat: { to: b, key: \"{uuid}\" } }\n"
		"      - { name: d, store: { to: b, key: \"{uuid}\" } }\n"
		"  - id: two\n    fields: [ { name: c, store: { to: c, key: \"{uuid}\" } } ]\n");
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(c->routes[0].memory, (1 << 20) + 2 * 131072);
	assert_int_equal(c->routes[1].memory, 0);
	memory_tell(c, &out);
	assert_string_equal(out.data,
		"route \"one\": a form needs up to 1280KiB of memory; there is enough for 4 such uploads at once, others wait for up to 10s\n");
	buf_free(&out);
	config_free(c);
}

#define CHUNK UINT64_C(32768)

/* In chunks: the part, an eighth and one, what its request takes, and one; and what is remembered of `parts`. */
static uint64_t
memory_of_parts(uint64_t size, uint64_t parts)
{
	uint64_t full = (size + CHUNK - 1) / CHUNK, bytes = (full + full / 8 + 1 + 9 + 1) * CHUNK + parts * 125;

	return (bytes + CHUNK - 1) / CHUNK * CHUNK;
}

/* What is told is the most that any form needs, and what a form needs follows its length. */
static void
what_a_form_needs_follows_its_length(void **state)
{
	static const uint64_t mib = 1 << 20;
	struct config *c = load_clean(
		"version: 1\nmemory: 64MiB\n"
		"destinations:\n  s: { type: s3, bucket: abc, credentials: { access_key: a, secret_key: b } }\n"
		"routes:\n  - id: one\n    match: { path: /one }\n    limits: { body: 100000MiB }\n"
		"    fields: [ { name: a, max_count: 1, store: { to: s, key: \"{uuid}\" } } ]\n"
		"  - id: two\n    match: { path: /two }\n    limits: { body: none }\n"
		"    fields: [ { name: a, max_count: 1, store: { to: s, key: \"{uuid}\" } } ]\n"
		"  - id: three\n    limits: { body: none }\n"
		"    fields: [ { name: a, max_count: 1, max_size: 5MiB, store: { to: s, key: \"{uuid}\" } } ]\n");
	const struct route *one = &c->routes[0], *two = &c->routes[1], *three = &c->routes[2];
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(one->memory, memory_of_parts(10 * mib, 10000));
	assert_int_equal(memory_of_route(one, 1000), memory_of_parts(1000, 1));
	assert_int_equal(memory_of_route(one, 5 * mib), memory_of_parts(5 * mib, 1));
	assert_int_equal(memory_of_route(one, 50000 * mib), memory_of_parts(5 * mib, 10000));
	assert_int_equal(memory_of_route(one, 50000 * mib + 1), memory_of_parts(6 * mib, 8334));
	assert_int_equal(two->memory, memory_of_parts(5 * mib, 10000));
	assert_int_equal(memory_of_route(two, 80000 * mib), memory_of_parts(8 * mib, 10000));
	assert_int_equal(three->memory, memory_of_parts(5 * mib, 1));
	for (uint64_t body = 1; body < one->limits.body; body = body * 3 / 2 + 1)
		assert_true(memory_of_route(one, body) <= one->memory);
	memory_tell(c, &out);
	assert_non_null(strstr(
		out.data, "route \"one\": a form needs up to 13120KiB of memory; there is enough for 3 such"));
	assert_non_null(strstr(out.data,
		"route \"two\": a form needs 7360KiB of memory, and more if its Content-Length is very "
		"large; there is enough for 5 such"));
	assert_non_null(strstr(out.data, "route \"three\": a form needs up to "));
	buf_free(&out);
	config_free(c);
}

static void
what_is_left_out_gets_the_documented_defaults(void **state)
{
	struct config *c = load_clean("version: 1\n" ROUTE);
	const struct route *r = &c->routes[0];

	(void)state;
	assert_int_equal(c->n_listen, 1);
	assert_string_equal(c->listen[0].host, "127.0.0.1");
	assert_string_equal(c->listen[0].port, "8081");
	assert_int_equal(c->memory_wait_ms, 30000);
	assert_true(c->memory == 64u << 20 && c->workers == 0 && c->placement == PLACEMENT_LOCAL);
	assert_true(c->log_level == LOG_INFO && c->log_format == LOG_JSON && c->drain_ms == 30000);
	assert_true(c->client.head_ms == 30000 && c->client.keep_alive_ms == 75000 && c->client.idle_ms == 60000);
	assert_true(c->client.total_ms == 86400000 && c->client.connections == 0);
	assert_true(r->limits.body == 1u << 30 && r->limits.parts == 1000 && r->limits.part_head == 8192);
	assert_true(r->limits.values == 1u << 20 && r->limits.discard == 64u << 20);
	assert_true(r->match.n_paths == 0 && r->match.n_hosts == 0 && r->match.n_methods == 1);
	assert_string_equal(r->match.methods[0], "POST");
	assert_null(r->raw);
	assert_true(r->cors.origins.n == 0 && r->cors.max_age_ms == 600000 && !r->cors.credentials);
	assert_string_equal(r->cors.headers, "content-type, content-disposition, cache-control, x-requested-with");
	assert_string_equal(r->cors.expose, "location, x-request-id, retry-after");
	assert_true(r->fallback == ACTION_REJECT && r->commit == COMMIT_ALL && r->response.status == 201);
	assert_true(
		r->rules[0].max_size == LIMIT_NONE && r->rules[0].max_count == LIMIT_NONE && r->rules[0].nth == 0);
	assert_true(r->rules[0].action == ACTION_DROP && r->rules[0].kind == PART_ANY && !r->rules[0].required);
	assert_string_equal(r->place.file, "t.yaml");
	assert_true(r->place.line == 3 && r->place.column == 5);
	config_free(c);
}

static void
only_a_route_without_path_takes_any_path(void **state)
{
	struct config *c = load_clean("version: 1\nroutes:\n"
				      "  - { id: a, match: { path: / }, fields: [{ name: x, drop: true }] }\n"
				      "  - { id: b, match: { path: '/x/*' }, fields: [{ name: x, drop: true }] }\n"
				      "  - { id: c, match: { method: PUT }, fields: [{ name: x, drop: true }] }\n"
				      "  - { id: d, fields: [{ name: x, drop: true }] }\n");

	(void)state;
	assert_true(c->routes[0].match.n_paths == 1 && c->routes[0].match.paths[0].n_segments == 0);
	assert_true(c->routes[1].match.n_paths == 1 && c->routes[1].match.paths[0].n_segments == 2);
	assert_int_equal(c->routes[2].match.n_paths, 0);
	assert_int_equal(c->routes[3].match.n_paths, 0);
	config_free(c);
}

static const char everything[] =
	"version: 1\nmemory: 8MiB\nstate: /s/t\nlisten: [':80', 'unix:/s']\ndestinations:\n"
	"  h: { type: http, url: 'http://h:1/p/', headers: { a: { env: PENSTOCK_TEST_SECRET }, b: c, d: { template: '{path.1}' } }, undo: DELETE,\n"
	"       pass: [Authorization, x-a] }\n"
	"  u: { type: http, url: 'unix:/x.sock', host: y }\n"
	"routes:\n  - id: a\n    match: { host: ['*.Example.ORG', h.], path: ['/a/*/%41/**', '/b/*/*'], method: [POST, PUT],\n"
	"      header: { X-A: 'a*', x-b: b }, query: { 'k[]': '?' } }\n    commit: each\n    fields:\n"
	"      - { name: f, max_size: 4MiB, buffer: true, store: { to: h, path: '{path.2}/{uuid}', pass: cookie,\n"
	"          headers: { e: { template: '{field}' }, f: 'a{{b' } } }\n"
	"      - { name: g, concat: { to: u, method: POST, key: 'k-{date:%F}' } }\n";

static const char heads[] =
	"version: 1\nstate: /s\ndestinations:\n"
	"  b: { type: s3, bucket: bkt, undo: DELETE, content_type: a/b, content_disposition: attachment, metadata: { a: '{uuid}', b: c } }\n"
	"routes:\n  - id: a\n    fields:\n"
	"      - { name: f, store: { to: b, key: '{uuid}', content_type: c/d, metadata: { d: '{field}' } } }\n"
	"      - { name: g, store: { to: b, key: 'g{uuid}', content_type: declared, content_disposition: none, metadata: {} } }\n"
	"      - { name: h, store: { to: b, key: 'h{uuid}' } }\n";

static void
a_rule_says_what_its_destination_says_unless_it_says_it_itself(void **state)
{
	struct config *c = load_clean(heads);
	const struct rule *rules = c->routes[0].rules;
	struct object_head own = object_head_of(&rules[0]), none = object_head_of(&rules[1]),
			   usual = object_head_of(&rules[2]);

	(void)state;
	assert_string_equal(own.type.text, "c/d");
	assert_true(own.disposition == DISPOSITION_ATTACHMENT && own.metadata.n == 1);
	assert_string_equal(own.metadata.lines[0].name, "d");
	assert_true(none.type.from == CONTENT_TYPE_DECLARED && none.type.text == NULL);
	assert_true(none.disposition == DISPOSITION_NONE && none.metadata.n == 0);
	assert_string_equal(usual.type.text, "a/b");
	assert_true(usual.disposition == DISPOSITION_ATTACHMENT && usual.metadata.n == 2);
	config_free(c);
}

static void
values_arrive_in_the_struct(void **state)
{
	struct config *c;
	const struct rule *rules;

	(void)state;
	setenv("PENSTOCK_TEST_SECRET", "s3cret", 1);
	c = load_clean(everything);
	rules = c->routes[0].rules;
	assert_true(c->n_listen == 2 && c->listen[0].host[0] == '\0');
	assert_string_equal(c->listen[1].unix_socket, "/s");
	assert_string_equal(c->state, "/s/t");
	assert_string_equal(http_settings(&c->destinations[0])->peer.url, "http://h:1/p");
	assert_string_equal(http_settings(&c->destinations[0])->peer.headers.items[0].value, "s3cret");
	assert_true(http_settings(&c->destinations[0])->undo_delete &&
		http_settings(&c->destinations[0])->peer.retry_connect == 2 &&
		!http_settings(&c->destinations[0])->passes_errors);
	assert_null(http_settings(&c->destinations[0])->peer.headers.items[2].value);
	assert_string_equal(http_settings(&c->destinations[0])->peer.headers.items[2].made->source, "{path.1}");
	assert_string_equal(object_head_template(&rules[0], 1)->source, "{field}");
	assert_null(object_head_template(&rules[0], 2));
	assert_string_equal(object_head_passed(&rules[0], 0), "authorization");
	assert_string_equal(object_head_passed(&rules[0], 2), "cookie");
	assert_null(object_head_passed(&rules[0], 3));
	assert_string_equal(rules[0].head.lines.items[1].value, "a{{b");
	assert_string_equal(http_settings(&c->destinations[1])->peer.url, "http://y");
	assert_string_equal(http_settings(&c->destinations[1])->peer.unix_socket, "/x.sock");
	assert_string_equal(c->routes[0].match.hosts[0], "*.example.org");
	assert_string_equal(c->routes[0].match.paths[0].segments[2].text, "A");
	assert_int_equal(c->routes[0].match.paths[0].segments[3].kind, SEGMENT_REST);
	assert_true(c->routes[0].match.n_hosts == 2 && c->routes[0].match.n_paths == 2);
	assert_true(c->routes[0].match.headers.n == 2 && c->routes[0].match.query.n == 1);
	assert_string_equal(c->routes[0].match.headers.items[0].name, "x-a");
	assert_string_equal(c->routes[0].match.headers.items[0].value, "a*");
	assert_string_equal(c->routes[0].match.query.items[0].name, "k[]");
	assert_ptr_equal(rules[0].to, &c->destinations[0]);
	assert_true(rules[0].buffer && rules[0].action == ACTION_STORE && rules[0].method == STORE_PUT);
	assert_true(rules[1].action == ACTION_CONCAT && rules[1].method == STORE_POST && rules[1].index == 1);
	assert_string_equal(rules[1].target->pieces[0].text, "/k-");
	config_free(c);
}

static const char waits[] =
	"version: 1\nstate: /s\ndestinations:\n  f: { type: directory, path: / }\n"
	"  s: { type: s3, bucket: abc, credentials: { access_key: a, secret_key: b }, undo: DELETE, metadata: { m: '{field.B}' } }\n"
	"routes:\n  - id: r\n    fields:\n"
	"      - { name: '*', kind: value, drop: true }\n"
	"      - { name: p, needs: { fields: [b, B] }, store: { to: s, key: '{uuid}' } }\n"
	"      - { name: q, needs: { fields: [c, b], else: hold }, store: { to: f, key: '{field.c}/{uuid}' } }\n";

/* Each field once, however many rules need it, and of those the first one. */
static void
what_a_route_needs_is_known(void **state)
{
	struct config *c = load_clean(waits);
	const struct route *route = &c->routes[0];

	(void)state;
	assert_int_equal(route->n_needed, 3);
	assert_true(needed_find(route, STR("b")) == &route->needed[0] && !route->needed[0].is_named);
	assert_true(needed_find(route, STR("B")) == &route->needed[1] && route->needed[1].is_named);
	assert_true(needed_find(route, STR("c")) == &route->needed[2] && route->needed[2].is_named);
	assert_null(needed_find(route, STR("d")));
	assert_true(route->needed[0].by == &route->rules[1] && route->needed[2].by == &route->rules[2]);
	assert_true(route->rules[0].needs.fields.n == 0 && !route->rules[0].needs.holds);
	assert_true(route->rules[1].needs.fields.n == 2 && !route->rules[1].needs.holds);
	assert_true(route->rules[2].needs.holds);
	config_free(c);
}

/* Loads with a header whose value is the file's content; *value gets a copy, NULL if it was refused. */
static void
load_secret(const char *content, mode_t mode, char **value, struct findings *findings)
{
	char path[] = "/tmp/penstock-secret-XXXXXX", text[512];
	int fd = mkstemp(path);
	struct config *c;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	snprintf(text, sizeof text,
		"version: 1\ndestinations:\n  h: { type: http, url: 'http://h', headers: { a: { file: %s } } }\nroutes:\n"
		"  - { id: a, fields: [{ name: x, max_count: 1, store: { to: h, path: '{uuid}' } }] }\n",
		path);
	c = load(text, findings);
	*value = c != NULL ? str_dup(str_of(http_settings(&c->destinations[0])->peer.headers.items[0].value))
			   : NULL;
	config_free(c);
	unlink(path);
}

static void
a_secret_loses_its_last_newline_and_is_never_shown(void **state)
{
	static const struct {
		const char *content, *value;
		mode_t mode;
		unsigned warnings;
	} cases[] = {
		{ "hunter2\n", "hunter2", 0600, 0 },
		{ "hunter2\r\n", "hunter2", 0640, 0 },
		{ "hunter2", "hunter2", 0644, 1 },
		{ "hunter2\n\n", NULL, 0600, 0 },
		{ "hunter2\r\nx: y", NULL, 0600, 0 },
		{ "", NULL, 0600, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct findings findings;
		char *value;

		load_secret(cases[i].content, cases[i].mode, &value, &findings);
		assert_int_equal(value == NULL, cases[i].value == NULL);
		if (value != NULL)
			assert_string_equal(value, cases[i].value);
		assert_int_equal(findings.warnings, cases[i].warnings);
		assert_null(strstr(buf_str(&findings.text).data, "hunter2"));
		mem_free(value);
		findings_free(&findings);
	}
}

/* Each allocation fails once, and then all from there on. A run ends when none was left to fail. */
static void
fail_each_allocation(const char *text, size_t count, bool good)
{
	for (size_t nth = 1;; nth++) {
		struct findings findings;
		struct config *c;
		size_t made;

		mem_fail(nth, count);
		c = load(text, &findings);
		made = mem_fail(0, 0);
		if (made < nth) {
			assert_int_equal(c != NULL, good);
			config_free(c);
			findings_free(&findings);
			return;
		}
		assert_true(c == NULL && findings.errors > 0);
		findings_free(&findings);
		assert_true(nth < 100000);
	}
}

static void
any_allocation_may_fail(void **state)
{
	static const char bad[] =
		"version: 2\nmemory: 1MB\nmemory: 2MB\nlog: { level: x, y: z }\ndestinations:\n"
		"  h: { type: htp }\n  i: { type: http, url: 'http://h', headers: { a: { env: NOT_SET_HERE } } }\n"
		"routes:\n  - id: a\n    fields:\n      - { name: f, store: { to: j, path: '{x}' }, drop: true }\n"
		"      - { name: f, store: { to: i, path: '{field}' } }\n";

	(void)state;
	setenv("PENSTOCK_TEST_SECRET", "s3cret", 1);
	fail_each_allocation(everything, 1, true);
	fail_each_allocation(everything, SIZE_MAX / 2, true);
	fail_each_allocation(heads, 1, true);
	fail_each_allocation(heads, SIZE_MAX / 2, true);
	fail_each_allocation(waits, 1, true);
	fail_each_allocation(waits, SIZE_MAX / 2, true);
	fail_each_allocation(bad, 1, false);
	fail_each_allocation(bad, SIZE_MAX / 2, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_out_gets_the_documented_defaults),
		cmocka_unit_test(what_a_form_needs_of_memory),
		cmocka_unit_test(what_a_form_needs_follows_its_length),
		cmocka_unit_test(only_a_route_without_path_takes_any_path),
		cmocka_unit_test(values_arrive_in_the_struct),
		cmocka_unit_test(a_rule_says_what_its_destination_says_unless_it_says_it_itself),
		cmocka_unit_test(what_a_route_needs_is_known),
		cmocka_unit_test(a_secret_loses_its_last_newline_and_is_never_shown),
		cmocka_unit_test(any_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
