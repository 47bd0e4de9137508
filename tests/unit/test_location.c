// SPDX-License-Identifier: MIT
/* test_location.c - where a form is redirected to: whatever a client says, to the host of the route file, below its path, and
 * with as many segments as the template has. */
#include "base/mem.h"
#include "config/load.h"
#include "part/location.h"

#include "lib/check.h"
#include "lib/routes.h"

static const char routes[] = "version: 1\n"
			     "routes:\n"
			     "  - id: r\n"
			     "    match: { path: \"/a/*\" }\n"
			     "    response: { redirect: \"%s\" }\n"
			     "    fields: [ { name: x, drop: true } ]\n";

static bool
no_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	(void)name;
	*value = str_of(arg);
	return nth == 0;
}

static struct config *
config_of(const char *redirect)
{
	struct buf text = { 0 };
	struct config *config;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_addf(&text, routes, redirect);
#pragma GCC diagnostic pop
	config = routes_of(text.data);
	buf_free(&text);
	return config;
}

/* The client says `text` wherever it can. */
static bool
make(const struct config *config, const char *text, struct buf *out, struct error *err)
{
	struct buf target = { 0 };
	struct match_result match = { .n_captures = 1, .captures = { str_of(text) } };
	struct head head = { .header = no_header, .arg = text };
	struct naming naming = { .head = &head, .match = &match, .request_id = STR("id-1") };
	bool ok;

	buf_addf(&target, "/a/x?q=%s", text);
	head.target = buf_str(&target);
	ok = location_make(&naming, &config->routes[0].response, out, err);
	buf_free(&target);
	return ok;
}

static const struct {
	const char *redirect, *text, *location;
} rows[] = {
	{ "/thanks", "x", "/thanks" },
	{ "/", "x", "/" },
	{ "/a/", "x", "/a/" },
	{ "/t?id={request_id}#end", "x", "/t?id=id-1#end" },
	{ "/t?next=/home//x", "x", "/t?next=/home//x" },
	{ "https://example.org", "x", "https://example.org/" },
	{ "HTTP://example.org:8080/{path.1}", "x", "HTTP://example.org:8080/x" },
	{ "https://example.org?x={query.q}", "x", "https://example.org/?x=x" },
	{ "/{path.1}", "a b", "/a%20b" },
	{ "/{header.X}", "x?y#z", "/x%3Fy%23z" },
	{ "/{header.X}", "", "/_" },
	{ "/{header.X}/example.org", "", "/_/example.org" },
	{ "/{header.X}", "..", "/__" },
	{ "/{path.1}/x", "%2e%2e", "/__/x" },
	{ "/{header.X}{query.q}", ".", "/__" },
	{ "/t?q={query.q}", "a%26b", "/t?q=a%26b" },
	{ "/t?q={header.X}", "a\tb\xff", "/t?q=a_b%FF" },
	{ "/{date:%Y}", "x", "/1970" },
};

static void
each_text_stays_where_the_template_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config *config = config_of(rows[i].redirect);
		struct error err = { 0 };
		struct buf out = { 0 };

		assert_int_equal(config->routes[0].response.status, 303);
		if (!make(config, rows[i].text, &out, &err))
			fail_msg("%s with \"%s\": %s", rows[i].redirect, rows[i].text, err.message);
		assert_string_equal(out.data, rows[i].location);
		buf_free(&out);
		config_free(config);
	}
}

static size_t
count(struct str s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.data[i] == c;
	return n;
}

/* An open redirect wants "//", "/\\" or a scheme; it does not matter how often somebody decodes what is behind. */
static void
no_text_leaves_its_segment(void **state)
{
	static const char *const texts[] = { "/evil.example", "//evil.example", "\\evil.example",
		"%2F%2Fevil.example", "%252Fevil.example", "..%2f..", "https:%2F%2Fevil.example", "@evil.example",
		"\r\nSet-Cookie: a=b", "%0d%0aX: y", "?", "#", ";", "" };
	struct config *config = config_of("/{path.1}/{header.X}?q={query.q}");

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		assert_true(make(config, texts[i], &out, &err));
		assert_int_equal(count(buf_str(&out), '/'), 2);
		assert_int_equal(count(buf_str(&out), '?'), 1);
		assert_null(strpbrk(out.data, "\\\r\n#@:&;"));
		assert_true(out.data[0] == '/' && out.data[1] != '/' && strstr(out.data, "//") == NULL);
		buf_free(&out);
	}
	config_free(config);
}

static void
one_that_is_too_long_refuses_the_form(void **state)
{
	struct config *config = config_of("/{header.X}");
	char text[LOCATION_MAX + 1];

	(void)state;
	for (size_t len = LOCATION_MAX - 1; len <= LOCATION_MAX; len++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		memset(text, 'x', len);
		text[len] = '\0';
		assert_int_equal(make(config, text, &out, &err), len < LOCATION_MAX);
		assert_int_equal(err.kind, len < LOCATION_MAX ? ERR_NONE : ERR_RULE);
		assert_string_equal(err.limit, len < LOCATION_MAX ? "" : "redirect");
		buf_free(&out);
	}
	config_free(config);
}

/* Returns how many there are. */
static size_t
fail_each_allocation(const char *redirect)
{
	struct config *config = config_of(redirect);

	for (size_t nth = 1;; nth++) {
		struct error err = { 0 };
		struct buf out = { 0 };
		bool ok, is_over;

		mem_fail(nth, 1);
		ok = make(config, "x", &out, &err);
		is_over = mem_fail(0, 0) < nth;
		assert_true(is_over || (!ok ? err.kind == ERR_NOMEM : !out.failed && out.len > 20));
		buf_free(&out);
		if (is_over) {
			config_free(config);
			return nth - 1;
		}
	}
}

static void
out_of_memory_is_told(void **state)
{
	(void)state;
	assert_true(fail_each_allocation("https://example.org/{path.1}/{query.q}") > 2);
	assert_true(fail_each_allocation("https://example.org/a/page/of/text/alone") > 0);
}

/* What is asked in place of the redirect, from the same template. NULL in `target`: it is refused. */
static void
a_question_is_about_what_its_template_says(void **state)
{
	static const struct {
		const char *path, *text, *target;
	} questions[] = {
		{ "/may/{path.1}?q={query.q}", "a%2Fb", "/may/a%2Fb?q=a%2Fb" },
		{ "/may/{header.X}", "..", NULL },
		{ "/may/{header.X}/x", ".", NULL },
		{ "/may/{header.X}{query.q}", ".", NULL },
		{ "/may/{header.X}{query.q}?a", ".", NULL },
		{ "/may/.{query.q}/x", ".", NULL },
		{ "/may/{header.X}.{query.q}", "", NULL },
		{ "/may/{header.X}.{query.q}", ".", "/may/..." },
		{ "/may/x{query.q}", "..", "/may/x.." },
		{ "/may?q={query.q}/{query.q}", "..", "/may?q=../.." },
		{ "/may/{query.q}", "", NULL },
		{ "/may/{query.q}/x", "", NULL },
		{ "/{query.q}/x", "", NULL },
		{ "/may/{query.q}{header.X}", "", NULL },
		{ "/may/{query.q}{header.X}?a", "", NULL },
		{ "/may/{query.q}/{header.X}", "", NULL },
		{ "/may/x{query.q}/y", "", "/may/x/y" },
		{ "/may/{query.q}{header.X}x", "", "/may/x" },
		{ "/may/?q={query.q}", "", "/may/?q=" },
		{ "/may?q=/{query.q}/x", "", "/may?q=//x" },
		{ "/may/", "", "/may/" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
		struct config *config = config_of(questions[i].path);
		struct match_result match = { .n_captures = 1, .captures = { str_of(questions[i].text) } };
		struct head head = { .header = no_header, .arg = questions[i].text };
		struct naming naming = { .head = &head, .match = &match };
		struct buf target = { 0 }, out = { 0 };
		struct error err = { 0 };
		bool ok;

		buf_addf(&target, "/a/x?q=%s", questions[i].text);
		head.target = buf_str(&target);
		ok = location_of_question(&naming, config->routes[0].response.redirect, &out, &err);
		if (ok != (questions[i].target != NULL) || (ok && strcmp(out.data, questions[i].target) != 0))
			fail_msg("%s with \"%s\": %s", questions[i].path, questions[i].text, out.data);
		assert_int_equal(err.kind, ok ? ERR_NONE : ERR_BAD_REQUEST);
		buf_free(&out);
		buf_free(&target);
		config_free(config);
	}
}

static void
a_route_without_one_has_none(void **state)
{
	struct response response = { .status = 201 };
	struct naming naming = { 0 };
	struct buf out = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(location_make(&naming, &response, &out, &err));
	assert_int_equal(out.len, 0);
}

static void
a_form_goes_where_the_client_went_unless_it_is_said(void **state)
{
	static const struct {
		const char *target, *told;
	} targets[] = { { "/a/x", "/a/x" }, { "/a/x?b=%C3%BC&c", "/a/x?b=%C3%BC&c" }, { "/a/x?", "/a/x" },
		{ "/a/%2E/x?b", "/a/%2E/x?b" } };
	struct config *config = config_of("/to/{path.1}?{query.b}");
	struct match_result match = { .n_captures = 1, .captures = { STR("x") } };
	struct app same = { 0 }, said = { .path = config->routes[0].response.redirect };

	(void)state;
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		struct head head = { .header = no_header, .arg = "", .target = str_of(targets[i].target) };
		struct naming naming = { .head = &head, .match = &match, .request_id = STR("id-1") };
		struct error err = { 0 };
		struct buf out = { 0 };

		assert_true(location_of_form(&naming, &same, &out, &err));
		assert_string_equal(out.data, targets[i].told);
		out.len = 0;
		assert_true(location_of_form(&naming, &said, &out, &err));
		assert_memory_equal(out.data, "/to/x?", 6);
		buf_free(&out);
	}
	config_free(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_stays_where_the_template_has_it),
		cmocka_unit_test(no_text_leaves_its_segment),
		cmocka_unit_test(one_that_is_too_long_refuses_the_form),
		cmocka_unit_test(out_of_memory_is_told),
		cmocka_unit_test(a_question_is_about_what_its_template_says),
		cmocka_unit_test(a_route_without_one_has_none),
		cmocka_unit_test(a_form_goes_where_the_client_went_unless_it_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
