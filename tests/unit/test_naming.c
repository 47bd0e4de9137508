// SPDX-License-Identifier: MIT
/* test_naming.c - what a client's text becomes in a name, for each kind of destination, and when it is refused. */
#include "config/kind.h"
#include "config/template.h"
#include "part/naming.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool
query_q(const void *arg, struct str name, size_t nth, struct str *value)
{
	*value = str_of(arg);
	return nth == 0 && str_is(name, "x-h");
}

static struct str detected_type; /* of the part; STR_NONE: nobody has looked */

/* Makes a name of `field`, which header X-H has too. */
static bool
make(enum template_style style, bool refuses, const char *template, struct str field, struct buf *out,
	struct error *err)
{
	struct destination_kind kind = { .style = style };
	struct destination_settings settings = { .refuses_unsafe = refuses };
	struct destination to = { .kind = &kind, .settings = &settings };
	struct head head = { .header = query_q, .arg = field.data, .target = STR("/p?q=%2f&r=+") };
	struct match_result match = { .captures = { STR("%2e%2E") }, .n_captures = 1 };
	struct naming naming = { .head = &head, .match = &match, .request_id = STR("id") };
	struct part_head part = { .number = 7, .field = field, .filename = field };
	struct named_part named = { .head = &part, .detected_type = detected_type };
	struct rule rule = { .to = &to };
	struct span span;
	bool ok;

	rule.target = template_parse(str_of(template), style, &span, err);
	if (rule.target == NULL)
		fail_msg("%s: %s", template, err->message);
	ok = naming_expand(&naming, &rule, &named, out, err);
	template_free(rule.target);
	return ok;
}

static const struct {
	const char *template;
	struct str field;
	const char *http, *file;
	const char *refused; /* by `unsafe: refuse`, for http; NULL: taken as before */
} rows[] = {
	{ "a/{field}", STR("b"), "/a/b", "a/b", NULL },
	{ "a/{field}", STR("b c;d?#+~"), "/a/b%20c%3Bd%3F%23%2B~", "a/b c;d?#+~", NULL },
	{ "a/{field}", STR("../b"), "/a/.._b", "a/..%2Fb", "{field} would put a '/' into the name of an object" },
	{ "a/{field}", STR("..\\b"), "/a/.._b", "a/..%5Cb", "{field} would put a '\\' into the name of an object" },
	{ "a/{field}", STR("b\nc\0d\x7f"), "/a/b_c_d_", "a/b%0Ac%00d%7F",
		"{field} would put a control byte into the name of an object" },
	{ "a/{field}", STR("..%2Fb"), "/a/.._2Fb", "a/..%252Fb",
		"{field} would put an escape into the name of an object" },
	{ "a/{field}", STR("%252e%2"), "/a/_252e%252", "a/%25252e%252",
		"{field} would put an escape into the name of an object" },
	{ "a/{field}", STR("%%25322f"), "/a/%25_25322f", "a/%25%2525322f",
		"{field} would put an escape into the name of an object" },
	{ "a/{field}", STR("100%.txt"), "/a/100%25.txt", "a/100%25.txt", NULL },
	{ "a/{field}2f", STR("%"), "/a/_2f", "a/%252f", "{field} would put an escape into the name of an object" },
	{ "a/{field}{path.1}", STR("%2"), "/a/%252..", "a/%252..", NULL },
	{ "a/{field}{part}f", STR("%"), "/a/_7f", "a/%257f",
		"{field} would put an escape into the name of an object" },
	{ "a/{field}", STR("."), "/a/_", "a/_",
		"{field} would put a \".\" or \"..\" segment into the name of an object" },
	{ "a/{field}", STR(".."), "/a/__", "a/__",
		"{field} would put a \".\" or \"..\" segment into the name of an object" },
	{ "a/{field}", STR("..."), "/a/...", "a/...", NULL },
	{ "a/.{field}", STR("."), "/a/__", "a/__",
		"{field} would put a \".\" or \"..\" segment into the name of an object" },
	{ "a/.{field}/b", STR(""), "/a/_/b", "a/_/b",
		"{field} would put a \".\" or \"..\" segment into the name of an object" },
	{ "a/{field}", STR("..;x"), "/a/__%3Bx", "a/__;x",
		"{field} would put a \".\" or \"..\" segment into the name of an object" },
	{ "a%2F{field}%2F{part}", STR(".."), "/a%2F__%2F7", "a%2F..%2F7",
		"{field} would put a \".\" or \"..\" segment into the name of an object" },
	{ "a/{path.1}", STR("x"), "/a/__", "a/__",
		"{path.1} would put a \".\" or \"..\" segment into the name of an object" },
	{ "a/{query.q}{query.r}b", STR("x"), "/a/_%20b", "a/%2F b",
		"{query.q} would put a '/' into the name of an object" },
	{ "{field}/{part}", STR(""), "/_/7", "_/7",
		"{field} would put an empty segment into the name of an object" },
	{ "a/{query.absent}{field}/{part}", STR(""), "/a/_/7", "a/_/7",
		"{field} would put an empty segment into the name of an object" },
	{ "a/{part}{field}", STR(""), "/a/7", "a/7", NULL },
	{ "{header.x-h}", STR("/etc"), "/_etc", "%2Fetc",
		"{header.x-h} would put a '/' into the name of an object" },
	{ "{part}.{file.ext}", STR("a.tar.gz"), "/7.gz", "7.gz", NULL },
	{ "{part}.{file.ext}", STR("a.b c"), "/7", "7", NULL },
	{ ".{file.ext}", STR("a"), "/_", "_", "{file.ext} would put an empty segment into the name of an object" },
	{ "{file.name}", STR("C:\\x/y.txt"), "/y.txt", "y.txt", NULL },
	{ "a/{field}", STR("\xc0\xaf\xe9"), "/a/_%AF%E9", "a/%C0%AF%E9",
		"{field} would put bytes that are not UTF-8 into the name of an object" },
	{ "a/{field}", STR("\xe5\xad\x97"), "/a/%E5%AD%97", "a/\xe5\xad\x97", NULL },
	{ "a/{field}", STR(".PENSTOCK-x"), "/a/.PENSTOCK-x", "a/_PENSTOCK-x", NULL },
	{ "x;y=%41%3b%7E/{request_id}", STR(""), "/x;y=A%3B~/id", "x;y=%41%3b%7E/id", NULL },
	{ "{field}/", STR("a"), "/a/", NULL, NULL },
};

static void
each_value_stays_in_its_segment(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int is_file = 0; is_file < 2; is_file++) {
			enum template_style style = is_file ? TEMPLATE_FOR_FILE : TEMPLATE_FOR_URL;
			const char *want = is_file ? rows[i].file : rows[i].http;
			struct error err = { 0 };
			struct buf out = { 0 };

			if (want == NULL)
				continue;
			if (!make(style, false, rows[i].template, rows[i].field, &out, &err))
				fail_msg("%s: %s", rows[i].template, err.message);
			assert_string_equal(out.data, want);
			buf_free(&out);
		}
}

static void
what_would_be_made_harmless_is_refused_where_that_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error err = { 0 };
		struct buf out = { 0 };
		bool ok = make(TEMPLATE_FOR_URL, true, rows[i].template, rows[i].field, &out, &err);

		if (ok != (rows[i].refused == NULL))
			fail_msg("%s: %s", rows[i].template, ok ? "taken" : err.message);
		if (ok)
			assert_string_equal(out.data, rows[i].http);
		else
			assert_string_equal(err.message, rows[i].refused);
		buf_free(&out);
	}
}

static void
a_folder_refuses_the_same_and_its_own_reserved_names(void **state)
{
	static const struct {
		const char *field;
		bool taken;
	} cases[] = { { "a", true }, { "100%", true }, { "\xff", true }, { "a/b", false }, { "%2f", false },
		{ "..", false }, { "", false }, { ".Penstock-1", false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		if (make(TEMPLATE_FOR_FILE, true, "{field}/%41{part}", str_of(cases[i].field), &out, &err) !=
			cases[i].taken)
			fail_msg("%s: %s", cases[i].field, err.message);
		buf_free(&out);
	}
}

static void
a_detected_type_has_its_usual_extension(void **state)
{
	static const struct {
		struct str type;
		const char *template, *name;
	} cases[] = {
		{ STR("image/jpeg"), "{field}.{detected.ext}", "evil.exe.jpg" },
		{ STR("IMAGE/PNG"), "a/{detected.ext}", "a/png" },
		{ STR("application/x-empty"), "{field}.{detected.ext}", "evil.exe" },
		{ STR("image/jpegs"), "a.{detected.ext}", "a" },
		{ STR_NONE, "a.{detected.ext}", "a" },
		{ STR_NONE, "a/{detected.ext}", "a/_" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		detected_type = cases[i].type;
		if (!make(TEMPLATE_FOR_FILE, false, cases[i].template, STR("evil.exe"), &out, &err))
			fail_msg("%s: %s", cases[i].template, err.message);
		assert_string_equal(out.data, cases[i].name);
		buf_free(&out);
	}
	detected_type = STR_NONE;
}

/* -- what a request says twice ------------------------------------------------------------------------- */

static bool
two_of_x_h(const void *arg, struct str name, size_t nth, struct str *value)
{
	(void)arg;
	*value = STR("v");
	return nth < (str_is(name, "x-h") ? 2 : 1);
}

static void
what_a_name_is_made_of_stands_there_once(void **state)
{
	static const struct {
		const char *template, *target;
		bool is_clear;
	} cases[] = {
		{ "{header.x-h}", "/", false },
		{ "{header.x-one}", "/", true },
		{ "{query.n}", "/?n=1", true },
		{ "{query.n}", "/?m=1&m=2&n=1", true },
		{ "{query.n}", "/", true },
		{ "{query.n}", "/?n=1&n=1", false },
		{ "{query.n}", "/?n&x&%6E=1", false },
		{ "{query.a b}", "/?a+b=1&a%20b=1", false },
		{ "{query.n}", "/?n=1&nn=2&N=3", true },
		{ "{query.n}", "/?n=%zz", false },
		{ "{query.n}", "/?n=a%00", false },
		{ "{uuid}", "/?n=1&n=1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct head head = { .header = two_of_x_h, .target = str_of(cases[i].target) };
		struct naming naming = { .head = &head };
		struct rule rules[2] = { { .action = ACTION_DROP }, { .action = ACTION_STORE } };
		struct route route = { .rules = rules, .n_rules = 2 };
		struct error err = { 0 };
		struct span span;

		rules[1].target = template_parse(str_of(cases[i].template), TEMPLATE_FOR_FILE, &span, &err);
		if (naming_check(&naming, &route, &err) != cases[i].is_clear)
			fail_msg("%s %s: %s", cases[i].template, cases[i].target, err.message);
		assert_true(cases[i].is_clear || err.kind == ERR_BAD_REQUEST);
		template_free(rules[1].target);
	}
}

static void
test_a_key_is_any_text_and_is_counted_as_it_is_meant(void **state)
{
	static const struct {
		const char *template;
		struct str field;
		const char *name;
	} keys[] = {
		{ "f\u00fcr alle/a+b%2F{field}", STR("c d"), "/f%C3%BCr%20alle/a%2Bb%252Fc%20d" },
		{ "a//b!$'()*,;=:@~/100%", STR(""), "/a//b%21%24%27%28%29%2A%2C%3B%3D%3A%40~/100%25" },
		{ "a/{field}", STR("../%41"), "/a/..__41" },
		{ "a/{field}", STR(".."), "/a/__" },
		{ "a/{field}", STR("\xc3\xa9\xa9\xff"), "/a/%C3%A9__" },
	};
	char long_name[1100];
	struct buf out = { 0 };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		assert_true(make(TEMPLATE_FOR_KEY, false, keys[i].template, keys[i].field, &out, &err));
		assert_string_equal(out.data, keys[i].name);
		buf_clear(&out);
	}
	memset(long_name, '&', sizeof long_name);
	assert_true(make(TEMPLATE_FOR_KEY, false, "a/{field}", (struct str){ long_name, 1022 }, &out, &err));
	buf_clear(&out);
	assert_false(make(TEMPLATE_FOR_KEY, false, "a/{field}", (struct str){ long_name, 1023 }, &out, &err));
	assert_int_equal(err.kind, ERR_RULE);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_detected_type_has_its_usual_extension),
		cmocka_unit_test(test_a_key_is_any_text_and_is_counted_as_it_is_meant),
		cmocka_unit_test(each_value_stays_in_its_segment),
		cmocka_unit_test(what_would_be_made_harmless_is_refused_where_that_is_asked_for),
		cmocka_unit_test(a_folder_refuses_the_same_and_its_own_reserved_names),
		cmocka_unit_test(what_a_name_is_made_of_stands_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
