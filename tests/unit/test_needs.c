// SPDX-License-Identifier: MIT
/* test_needs.c - names that are made of other fields of the form: which value they get, when they are known, and every way in which
 * such a form is refused; in a dry run as in one whose sinks take everything, and however the body is cut. */
#include "config/load.h"
#include "config/needed.h"
#include "part/arrivals.h"

#include "lib/form_run.h"

#include "base/mem.h"

#define A "{ name: a, kind: value, drop: true }, "
#define B "{ name: b, kind: value, drop: true }, "
#define NEEDS(more) "needs: { fields: [a" more "] }, "
#define HOLD(more) "needs: { fields: [a" more "], else: hold }, "
#define P(needs, key) "{ name: p, kind: file, " needs "store: { to: d, key: \"" key "\" } }"
#define APP "app: { to: h, path: /app, sign: none, failed: { path: /failed } }, "
#define TEN(text) text text text text text text text text text text
#define V250 TEN("1234567890123456789012345")

static const struct form_run_verdict rows[] = {
	/* before, after, not at all */
	{ "fields: [ " A P(NEEDS(""), "{field.a}/{part}") " ]", "a=1|p@f=2|p@f=3", ERR_NONE, "", "" },
	{ "fields: [ " A P(NEEDS(""), "{field.a}/{part}") " ]", "p@f=2|a=1", ERR_RULE, "needs",
		"field \"p\": it needs the field \"a\", which has to come before it in the form" },
	{ "fields: [ " A P(NEEDS(""), "{field.a}/{part}") " ]", "p@f=2", ERR_RULE, "needs",
		"field \"p\": it needs the field \"a\", which has to come before it in the form" },
	{ "fields: [ " A B P(NEEDS(", b"), "{field.a}/{part}") " ]", "a=1|p@f=2|b=3", ERR_RULE, "needs",
		"field \"p\": it needs the field \"b\", which has to come before it in the form" },
	{ "fields: [ " A P(NEEDS(""), "{part}") " ]", "a=1", ERR_NONE, "", "" },
	{ "fields: [ " A P(NEEDS(""), "{part}") " ]", "p@=|a=1", ERR_NONE, "", "" }, /* an input left empty */
	{ "fields: [ " A "{ name: p, " NEEDS("") "drop: true } ]", "p@f=1", ERR_RULE, "needs",
		"field \"p\": it needs the field \"a\", which has to come before it in the form" },
	{ "fields: [ " A
	  "{ name: p, " NEEDS("") "types: { detected: [text/plain] }, concat: { to: d, key: \"{field.a}\" } } ]",
		"a=1|p@f=some text|p@f=more text", ERR_NONE, "", "" },
	/* held */
	{ "fields: [ " A P(HOLD(""), "{field.a}/{part}") " ]", "p@f=2|a=1|p@f=3", ERR_NONE, "", "" },
	{ "fields: [ " A P(HOLD(""), "{field.a}/{part}") " ]", "p@f=2", ERR_RULE, "needs",
		"field \"p\": it needs the field \"a\", which has not come with the form" },
	{ "fields: [ " A B P(HOLD(", b"), "{part}") " ]", "b=2|p@f=2", ERR_RULE, "needs",
		"field \"p\": it needs the field \"a\", which has not come with the form" },
	{ "fields: [ " A "{ name: p, " HOLD("") "concat: { to: d, key: \"{field.a}\" } } ]", "p@f=2|p@f=3|a=1",
		ERR_NONE, "", "" },
	{ "fields: [ { name: a, kind: value, " HOLD("") "store: { to: d, key: \"{field.a}/{uuid}\" } } ]", "a=1",
		ERR_NONE, "", "" },
	/* twice, or as a file */
	{ "fields: [ " A P(NEEDS(""), "{field.a}/{part}") " ]", "a=1|a=1|p@f=2", ERR_RULE, "needs",
		"field \"a\": it stands twice, but field \"p\" needs one value of \"a\"" },
	{ "fields: [ " A P(NEEDS(""), "{field.a}/{part}") " ]", "a=1|p@f=2|a=2", ERR_RULE, "needs",
		"field \"a\": it stands twice, but field \"p\" needs one value of \"a\"" },
	{ "fields: [ " A P(HOLD(""), "{field.a}/{part}") " ]", "p@f=2|a=1|a=2", ERR_RULE, "needs",
		"field \"a\": it stands twice, but field \"p\" needs one value of \"a\"" },
	{ "fields: [ " A "{ name: a, drop: true }, " P(NEEDS(""), "{part}") " ]", "a@f=1|a=1|p@f=2", ERR_RULE,
		"needs", "field \"a\": it is a file, but field \"p\" needs one value of \"a\"" },
	{ "fields: [ " A "{ name: a, drop: true }, " P(NEEDS(""), "{part}") " ]", "a@=|a=1|p@f=2", ERR_NONE, "",
		"" },
	{ "fields: [ " A B P(NEEDS(""), "{field.a}/{part}") " ]", "a=1|b=1|b=2|p@f=2", ERR_NONE, "", "" },
	/* too long, with what is before and behind it */
	{ "fields: [ " A P(NEEDS(""), "{part}.{field.a}") " ]", "a=" V250 "|p@f=2", ERR_NONE, "", "" },
	{ "fields: [ " A P(NEEDS(""), "{part}/a{field.a}") " ]", "a=" V250 "123456|p@f=2", ERR_RULE, "names.long",
		"field \"p\": the name it would get is longer than 255 bytes" },
	{ "fields: [ " A "{ name: p, " NEEDS("") "store: { to: h, key: \"/{part}/{field.a}\" } } ]",
		"a=" V250 "123456|p@f=2", ERR_NONE, "", "" },
	{ "fields: [ " A "{ name: p, " NEEDS("") "store: { to: h, key: \"/{part}/{field.a}\" } } ]",
		"a=" V250 "1234567|p@f=2", ERR_TOO_LARGE, "needs",
		"field \"a\": over 256 bytes: a name is made of it" },
	{ "fields: [ " A P(NEEDS(""), "{part}") " ]", "a=" V250 "1234567|p@f=2", ERR_NONE, "", "" },
	{ "limits: { values: 255B }, fields: [ " A P(NEEDS(""), "{field.a}/{part}") " ]", "a=" V250 "1234567",
		ERR_TOO_LARGE, "values", "field \"a\": over values of 255 bytes" },
	{ "fields: [ { name: a, kind: value, max_size: 256B, drop: true }, " P(NEEDS(""), "{field.a}/{part}") " ]",
		"a=" V250 "1234567", ERR_TOO_LARGE, "max_size", "field \"a\": over max_size of 256 bytes" },
	/* what it would be */
	{ "fields: [ " A "{ name: p, " NEEDS("") "store: { to: safe, key: \"{part}/{field.a}\" } } ]",
		"a=x/../y|p@f=1", ERR_RULE, "names.unsafe",
		"field \"p\": {field.a} would put a '/' into the name of an object" },
	{ "fields: [ " A "{ name: p, " HOLD("") "store: { to: safe, key: \"{field.a}/{part}\" } } ]",
		"p@f=1|a=", ERR_RULE, "names.unsafe",
		"field \"p\": {field.a} would put an empty segment into the name of an object" },
	{ "fields: [ " A "{ name: p, max_count: 1, " HOLD(
		  "") "store: { to: d, key: \"{field.a}\" } }, { name: q, max_count: 1, store: { to: d, key: x } } ]",
		"p@f=1|q@f=2|a=x", ERR_RULE, "", "field \"p\": it would get the name of another part of the form" },
	{ "fields: [ " A B "{ name: p, max_count: 1, " HOLD(
		  "") "store: { to: d, key: \"{field.a}\" } }, { name: q, max_count: 1, "
		      "needs: { fields: b, else: hold }, store: { to: d, key: \"{field.b}\" } } ]",
		"p@f=1|q@f=2|a=x|b=x", ERR_RULE, "",
		"field \"q\": it would get the name of another part of the form" },
	{ "fields: [ " A
	  "{ name: p, " NEEDS("") "store: { to: s, key: \"{part}\", metadata: { m: \"{field.a}\" } } } ]",
		"a=x y|p@f=1", ERR_NONE, "", "" },
	/* what an application may take for the needed one */
	{ APP "fields: [ { name: \"a*\", kind: value, forward: true }, " P(NEEDS(""), "{field.a}/{part}") " ]",
		"a=1|ab=2|p@f=2|A=3", ERR_RULE, "", "field \"A\": no rule of this route takes it" },
	{ APP "fields: [ { name: \"*\", kind: value, forward: true }, " P(NEEDS(""), "{field.a}/{part}") " ]",
		"a=1|p@f=2|a[x]=3", ERR_RULE, "needs",
		"field \"a[x]\": the application may take it for another field, but field \"p\" needs one value of \"a\"" },
	{ APP "fields: [ { name: \"*\", kind: value, forward: true }, " P(
		  "needs: { fields: [\"u[a]\"] }, ", "{field.u[a]}/{part}") " ]",
		"u[b]=2|u[a]=1|p@f=2|u[a]x=2", ERR_NONE, "", "" },
	{ APP "fields: [ { name: \"*\", kind: value, forward: true }, " P(
		  "needs: { fields: [\"u[a]\"] }, ", "{field.u[a]}/{part}") " ]",
		"u[a]=1|p@f=2|u.a]=2", ERR_RULE, "needs",
		"field \"u.a]\": the application may take it for another field, but field \"p\" needs one value of \"u[a]\"" },
};

static void
a_form_gets_one_verdict_however_it_comes(void **state)
{
	(void)state;
	form_run_verdicts(rows, sizeof rows / sizeof rows[0]);
}

/* -- names ------------------------------------------------------------------------------------------- */

static const struct {
	const char *key, *form, *name; /* of the last file */
} names[] = {
	{ "{field.a}/{part}", "a=summer|p@f=1", "summer/2" },
	{ "{field.a}/{part}", "a=|p@f=1", "_/2" },
	{ "{field.a}/{part}", "a=..|p@f=1", "__/2" },
	{ "{field.a}/{part}", "a=../../etc|p@f=1", "..%2F..%2Fetc/2" },
	{ "{field.a}/{part}", "a=x\r\ny\tz|p@f=1", "x%0D%0Ay%09z/2" },
	{ "{field.a}/{part}", "a=%2e%2e|p@f=1", "%252e%252e/2" },
	{ "{field.a}/{part}", "a=\xff\xc0\xaf|p@f=1", "%FF%C0%AF/2" },
	{ "{field.a}/{part}", "a=.penstock-x|p@f=1", "_penstock-x/2" },
	{ "{field.a}{field.a}/{part}", "a=.|p@f=1", "__/2" },
	{ "{field}-{field.a}-{field.b}/{part}", "b=\xe5\xad\x97|a=1|p@f=1", "p-1-\xe5\xad\x97/3" },
};

static const char *wanted;

static void
look_at_name(const struct parts *parts)
{
	const struct delivery *last = NULL;

	for (const struct part *part = parts_first(parts); part != NULL; part = part->next)
		last = part->delivery != NULL ? part->delivery : last;
	assert_non_null(last);
	assert_string_equal(last->target.data, wanted);
	if (last->shown.len > 0)
		assert_string_equal(last->shown.data, wanted);
}

static void
a_value_is_made_harmless_as_any_other_text_of_a_client(void **state)
{
	(void)state;
	for (EACH(i, names))
		for (int hold = 0; hold < 2; hold++)
			for (int is_dry = 0; is_dry < 2; is_dry++) {
				struct buf route = { 0 }, body = { 0 };
				struct config *config;
				struct error err = { 0 };

				buf_addf(&route,
					"fields: [ " A B
					"{ name: p, kind: file, needs: { fields: [a%s]%s }, store: { to: d, key: \"%s\" } } ]",
					strstr(names[i].key, "field.b") != NULL ? ", b" : "",
					hold ? ", else: hold" : "", names[i].key);
				config = form_run_config(route.data);
				wanted = names[i].name;
				form_run_text(names[i].form, &body);
				if (!form_run(config->routes, buf_str(&body), 9, is_dry, look_at_name, &err))
					fail_msg("%s: %s", names[i].key, err.message);
				buf_free(&route);
				buf_free(&body);
				config_free(config);
			}
}

/* The object has begun as a stream, and may be all away, when its name is known. */
static void
a_name_that_is_held_is_that_of_the_end(void **state)
{
	struct config *config = form_run_config("fields: [ " A P(HOLD(""), "{field.a}/{part}-{file.name}") " ]");
	struct buf body = { 0 };
	struct error err = { 0 };

	(void)state;
	buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=p; filename=\"f.bin\"\r\n\r\n");
	for (int i = 0; i < 200000; i++)
		buf_add_char(&body, 'x');
	buf_add_text(&body, "\r\n");
	form_run_text("a=late", &body);
	wanted = "late/1-f.bin";
	assert_true(form_run(config->routes, buf_str(&body), 30000, false, look_at_name, &err));
	buf_free(&body);
	config_free(config);
}

/* -- what runs out ------------------------------------------------------------------------------------- */

/* Each allocation fails once: the form is refused, and nothing is lost. */
static void
memory_that_runs_out_refuses_the_form(void **state)
{
	static const char *const routes[] = { "fields: [ " A P(NEEDS(""), "{field.a}/{part}") " ]",
		"fields: [ " A P(HOLD(""), "{field.a}/{part}") " ]" };
	struct buf body = { 0 };

	(void)state;
	form_run_text("a=1|p@f=2", &body);
	for (EACH(i, routes)) {
		struct config *config = form_run_config(routes[i]);
		bool ok = false;

		for (size_t n = 1; !ok; n++) {
			struct error err = { 0 };

			assert_true(n < 1000);
			mem_fail(n, 1);
			ok = form_run(config->routes, buf_str(&body), 100, false, NULL, &err);
			mem_fail(0, 0);
			if (!ok)
				assert_true(err.kind == ERR_NOMEM || err.kind == ERR_BUSY);
		}
		config_free(config);
	}
	buf_free(&body);
}

/* What is known of parts has room in the budget, and their names, at the end, have none any more. */
static void
names_count_against_the_budget(void **state)
{
	struct config *config = form_run_config("fields: [ " A P(HOLD(""), "{field.a}/{part}") " ]");
	bool ok = true;

	(void)state;
	for (size_t n = 100; ok; n += 20) {
		struct buf body = { 0 };
		struct error err = { 0 };

		assert_true(n < 2000);
		for (size_t i = 0; i < n; i++)
			buf_add_text(
				&body, "--B\r\nContent-Disposition: form-data; name=p; filename=f\r\n\r\n\r\n");
		form_run_text("a=" V250, &body);
		ok = form_run(config->routes, buf_str(&body), SOURCE_FEED_MAX, false, NULL, &err);
		if (!ok) {
			assert_int_equal(err.kind, ERR_BUSY);
			assert_string_equal(err.limit, "memory");
			assert_string_equal(
				err.message, "field \"p\": no memory left for its name; try again later");
		}
		buf_free(&body);
	}
	config_free(config);
}

/* Nothing has been asked of it: it has nothing. */
static void
a_route_without_needs_has_none(void **state)
{
	struct config *config = form_run_config("fields: [ " A B P("", "{part}") " ]");
	struct arrivals arrivals = { 0 };

	(void)state;
	assert_true(arrivals_init(&arrivals, config->routes));
	assert_null(arrivals_value(&arrivals, "a").data);
	assert_null(arrivals_value(NULL, "a").data);
	assert_null(arrivals_missing(&arrivals, &config->routes->rules[2]));
	assert_null(needed_find(config->routes, STR("a")));
	arrivals_fini(&arrivals);
	config_free(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_gets_one_verdict_however_it_comes),
		cmocka_unit_test(a_value_is_made_harmless_as_any_other_text_of_a_client),
		cmocka_unit_test(a_name_that_is_held_is_that_of_the_end),
		cmocka_unit_test(memory_that_runs_out_refuses_the_form),
		cmocka_unit_test(names_count_against_the_budget),
		cmocka_unit_test(a_route_without_needs_has_none),
	};

	return cmocka_run_group_tests(tests, form_run_set_up, form_run_tear_down);
}
