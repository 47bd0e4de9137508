// SPDX-License-Identifier: MIT
/* test_request_lines.c - what of a request goes to a store: `pass` and templates of `headers`, of a destination and of a rule. */
#include "base/mem.h"
#include "part/request_lines.h"

#include "lib/check.h"
#include "lib/random_bytes.h"
#include "lib/routes.h"

#include <stdio.h>

static const char file[] =
	"version: 1\n"
	"destinations:\n"
	"  a: { type: http, url: \"http://127.0.0.1:1\" }\n"
	"  h: { type: http, url: \"http://127.0.0.1:1\" }\n"
	"  d: { type: http, url: \"http://127.0.0.1:2\", pass: [Authorization, x-tenant],\n"
	"       headers: { X-Fixed: fixed, X-User: { template: \"u={grant.user}\" } } }\n"
	"routes:\n"
	"  - id: r\n"
	"    match: { path: \"/a/*\" }\n"
	"    authorize: { to: a, path: / }\n"
	"    fields:\n"
	"      - { name: a, store: { to: d, path: \"{uuid}\" } }\n"
	"      - { name: b, store: { to: d, path: \"{uuid}\", pass: cookie, headers: { X-Own: own, x-api-key: secret,\n"
	"            X-Made: { template: \"{header.X}|{file.name}|{file.ext}|{path.1}|{part}|100%|ü\" } } } }\n"
	"      - { name: c, store: { to: h, path: \"{uuid}\" } }\n"
	"      - { name: d, store: { to: h, path: \"{uuid}\", headers: { authorization: { template: \"Bearer {grant.user}\" },\n"
	"            X-Ext: { template: \"x.{file.ext}\" } } } }\n"
	"      - { name: e, store: { to: h, path: \"{uuid}\", headers: { X-Long: { template: \"{header.X}\" } } } }\n"
	"      - { name: f, drop: true }\n"
	"      - { name: g, store: { to: h, path: \"{uuid}\", pass: x } }\n";

/* A request's head: lines "name", "value", ..., NULL at the end. */
struct lines {
	const char *const *list;
};

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct lines *lines = arg;

	for (const char *const *line = lines->list; *line != NULL; line += 2)
		if (str_equal_nocase(str_of(line[0]), name) && nth-- == 0) {
			*value = str_of(line[1]);
			return true;
		}
	return false;
}

static struct head
head_of(const struct lines *lines)
{
	return (struct head){ .method = STR("POST"), .target = STR("/a/p"), .header = nth_header, .arg = lines };
}

/* -- before the body ------------------------------------------------------------------------------------- */

static const struct {
	const char *lines[9];
	enum error_kind kind;
	const char *word;
} heads[] = {
	{ { NULL }, ERR_NONE, "" },
	{ { "authorization", "Bearer x", "X-Tenant", "a\tb", "other", "1", "other", "2", NULL }, ERR_NONE, "" },
	{ { "X-Tenant", "a", "x-TENANT", "a", NULL }, ERR_BAD_REQUEST, "more than one header x-tenant" },
	{ { "X-Tenant", "a\rb", NULL }, ERR_BAD_REQUEST,
		"header x-tenant, which is passed on to a store, has a control byte" },
	{ { "X-Tenant", "a\nb", NULL }, ERR_BAD_REQUEST, "control byte" },
	{ { "X-Tenant", "\x01", NULL }, ERR_BAD_REQUEST, "control byte" },
	{ { "X-Tenant", "\x7f", NULL }, ERR_BAD_REQUEST, "control byte" },
	{ { "X-Tenant", "\xc3\xa4\xff", NULL }, ERR_NONE, "" },
	{ { "X-Tenant", "a", "Connection", "close", NULL }, ERR_NONE, "" },
	{ { "X-Tenant", "a", "Connection", "x-tenant", NULL }, ERR_BAD_REQUEST,
		"Connection says that it ends here" },
	{ { "X-Tenant", "a", "Connection", "close", "connection", "b, X-Tenant ,c", NULL }, ERR_BAD_REQUEST,
		"Connection" },
	{ { "X-Tenant", "a", "Connection", "x-tenants,ax-tenant,,", NULL }, ERR_NONE, "" },
	{ { "Connection", "x-tenant", NULL }, ERR_NONE, "" },
};

static void
a_head_that_could_be_read_in_two_ways_is_refused(void **state)
{
	struct config *config = routes_of(file);

	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct lines lines = { heads[i].lines };
		struct head head = head_of(&lines);
		struct error err = { 0 };

		assert_int_equal(
			request_lines_check(&head, &config->routes[0].rules[0], &err), heads[i].kind == ERR_NONE);
		if (err.kind != heads[i].kind || strstr(err.message, heads[i].word) == NULL)
			fail_msg("%zu: %s", i, err.message);
		err = (struct error){ 0 };
		assert_true(request_lines_check(&head, &config->routes[0].rules[2], &err)); /* passes none */
		assert_true(request_lines_check(&head, &config->routes[0].rules[5], &err)); /* stores nothing */
	}
	config_free(config);
}

/* "authorization: a" and a line end, and "x-tenant: ", the value and a line end. */
static void
all_that_is_passed_has_a_limit(void **state)
{
	struct config *config = routes_of(file);
	char value[REQUEST_LINES_MAX + 1] = { 0 };
	const char *list[] = { "Authorization", "a", "X-Tenant", value, NULL };
	struct lines lines = { list };
	struct head head = head_of(&lines);
	size_t room = REQUEST_LINES_MAX - strlen("authorization: a\r\nx-tenant: \r\n");

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct error err = { 0 };

		memset(value, 'a', room + over);
		assert_int_equal(request_lines_check(&head, &config->routes[0].rules[0], &err), over == 0);
		if (over == 0)
			continue;
		assert_int_equal(err.kind, ERR_HEADERS);
		assert_string_equal(err.limit, "pass");
		assert_string_equal(err.message,
			"the headers that are passed on to a store have 8193 bytes together; 8192 are taken");
	}
	config_free(config);
}

/* -- of a part ------------------------------------------------------------------------------------------- */

struct asked {
	size_t rule;
	const char *lines[9];
	const char *grant; /* "user=..."; NULL: nothing was granted */
	struct str filename;
	bool is_explained;
	size_t failing; /* this allocation of it; 0: none */
};

static bool
make(const struct config *config, const struct asked *asked, struct buf *out, struct error *err)
{
	const struct route *route = &config->routes[0];
	struct lines lines = { asked->lines };
	struct head head = head_of(&lines);
	struct match_result match = { .n_captures = 1, .captures = { STR("p%2Fq") } };
	struct grants grants = { 0 };
	struct naming naming = { .head = &head,
		.match = &match,
		.request_id = STR("id-1"),
		.grants = &grants,
		.want_shown = asked->is_explained };
	struct part_head part_head = { .number = 7, .field = STR("f"), .filename = asked->filename };
	struct named_part part = { .head = &part_head };
	struct delivery delivery = { .rule = &route->rules[asked->rule] };
	bool ok;

	delivery.order.to = route->rules[asked->rule].to;
	assert_true(grants_give(&grants, route, &asked->grant, asked->grant != NULL, err));
	mem_fail(asked->failing, 1);
	ok = request_lines_make(&naming, &part, &delivery, err);
	mem_fail(0, 0);
	for (size_t i = 0; ok && i < delivery.order.n_lines; i++) {
		const struct order_line *line = &delivery.order.lines[i];

		buf_addf(out, "%s: %s\n", line->name,
			asked->is_explained && line->shown != NULL ? line->shown : line->value);
	}
	mem_free(delivery.lines);
	buf_free(&delivery.head);
	grants_free(&grants);
	return ok;
}

static const struct {
	struct asked asked;
	const char *lines;
} parts[] = {
	{ { 0, { "AUTHORIZATION", "Bearer x", "X-Tenant", "\xc3\xa4", "Cookie", "c", NULL }, "user=joe", STR("a"),
		  false, 0 },
		"authorization: Bearer x\nx-tenant: \xc3\xa4\nX-User: u=joe\n" },
	{ { 0, { "X-Tenant", "", NULL }, "user=a\xc3\xa4%", STR("a"), false, 0 }, "X-User: u=a%C3%A4%25\n" },
	{ { 1, { "X-Tenant", "t", "Cookie", "c=d", "X", "v", NULL }, "user=joe", STR("d/a.txt"), false, 0 },
		"x-tenant: t\ncookie: c=d\nX-User: u=joe\nX-Own: own\nx-api-key: secret\n"
		"X-Made: v|a.txt|txt|p/q|7|100%25|%C3%BC\n" },
	{ { 1, { NULL }, "user=joe", STR("a\r\nX-Evil: 1\0"), false, 0 },
		"X-User: u=joe\nX-Own: own\nx-api-key: secret\nX-Made: |a%0D%0AX-Evil: 1%00||p/q|7|100%25|%C3%BC\n" },
	{ { 2, { "Authorization", "Bearer x", NULL }, "user=joe", STR("a"), false, 0 }, "" },
	{ { 3, { NULL }, "user=x.y-z_~+/==", STR("a.tar"), false, 0 },
		"authorization: Bearer x.y-z_~+/==\nX-Ext: x.tar\n" },
	{ { 3, { NULL }, "user=x", STR("a"), false, 0 }, "authorization: Bearer x\nX-Ext: x\n" },
	{ { 4, { NULL }, "user=x", STR("a"), false, 0 }, "" }, /* an empty value */
	/* as `explain` shows it */
	{ { 0, { "AUTHORIZATION", "Bearer x", "X-Tenant", "t", NULL }, NULL, STR("a"), true, 0 },
		"authorization: {of the client}\nx-tenant: t\nX-User: u={grant.user}\n" },
	{ { 1, { "Cookie", "c", NULL }, "user=joe", STR("a"), true, 0 },
		"cookie: {of the client}\nX-User: u=joe\nX-Own: {of the route file}\nx-api-key: {of the route file}\n"
		"X-Made: |a||p/q|7|100%25|%C3%BC\n" },
	{ { 3, { NULL }, "user=x", STR("a"), true, 0 }, "authorization: Bearer {grant.user}\nX-Ext: x\n" },
};

static void
each_rule_has_its_lines(void **state)
{
	struct config *config = routes_of(file);

	(void)state;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		if (!make(config, &parts[i].asked, &out, &err))
			fail_msg("%zu: %s", i, err.message);
		assert_string_equal(out.data != NULL ? out.data : "", parts[i].lines);
		buf_free(&out);
	}
	config_free(config);
}

static void
what_is_made_has_a_limit(void **state)
{
	struct config *config = routes_of(file);
	size_t room = REQUEST_LINES_MAX - strlen("X-Long: \r\n");
	char value[REQUEST_LINES_MAX + 1] = { 0 };
	struct asked asked = { .rule = 4, .lines = { "X", value, NULL } };

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		memset(value, 'a', room + over);
		assert_int_equal(make(config, &asked, &out, &err), over == 0);
		if (over > 0) {
			assert_int_equal(err.kind, ERR_RULE);
			assert_string_equal(err.limit, "headers");
			assert_string_equal(err.message,
				"the header lines that are made for it would have 8193 bytes; 8192 are taken");
		}
		buf_free(&out);
	}
	config_free(config);
}

/* Each allocation in turn, until none of them is left. */
static void
without_memory_there_are_no_lines(void **state)
{
	struct config *config = routes_of(file);
	struct asked asked = parts[2].asked;
	struct buf out = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(asked.rule, 1); /* which has lines of all kinds */
	do {
		asked.failing++;
		err = (struct error){ 0 };
		if (!make(config, &asked, &out, &err))
			assert_int_equal(err.kind, ERR_NOMEM);
	} while (error_is_set(&err));
	assert_true(asked.failing > 3);
	assert_string_equal(out.data, parts[2].lines);
	buf_free(&out);
	config_free(config);
}

/* Whatever is in it: two lines at the most, of printable ASCII. */
static void
no_text_makes_a_line(void **state)
{
	struct config *config = routes_of(file);
	uint64_t random = 19;
	char name[40], grant[40];

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		struct asked asked = { .rule = 3, .lines = { NULL }, .grant = grant };
		struct error err = { 0 };
		struct buf out = { 0 };
		size_t len = random_below(&random, sizeof name), lines = 0;

		for (size_t j = 0; j < len; j++)
			name[j] = (char)random_below(&random, 256);
		for (size_t j = 0; j < sizeof grant; j++)
			grant[j] = (char)(1 + random_below(&random, 255));
		memcpy(grant, "user=x", 6);
		grant[sizeof grant - 1] = '\0';
		asked.filename = (struct str){ name, len };
		assert_true(make(config, &asked, &out, &err));
		for (size_t j = 0; j < out.len; j++) {
			lines += out.data[j] == '\n';
			assert_true(out.data[j] == '\n' || (out.data[j] >= 0x20 && out.data[j] <= 0x7e));
		}
		assert_int_equal(lines, 2);
		buf_free(&out);
	}
	config_free(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_that_could_be_read_in_two_ways_is_refused),
		cmocka_unit_test(all_that_is_passed_has_a_limit),
		cmocka_unit_test(each_rule_has_its_lines),
		cmocka_unit_test(what_is_made_has_a_limit),
		cmocka_unit_test(without_memory_there_are_no_lines),
		cmocka_unit_test(no_text_makes_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
