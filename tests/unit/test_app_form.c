// SPDX-License-Identifier: MIT
/* test_app_form.c - the body that an application gets of a form: every value and every stored file, in the order of the form, and each
 * key of a file's object as app_form.h has it. */
#include "base/mem.h"
#include "config/load.h"
#include "reply/app_form.h"

#include "lib/form_run.h"

#include <jansson.h>

#define APP "app: { to: h, path: /app, sign: none, failed: { path: /failed }"
#define STORE "store: { to: d, key: \"{part}-{field}\" }"

static const struct route *route;
static const char *expected;

static struct app_form_of
form_of(const struct parts *parts)
{
	return (struct app_form_of){ .route = route, .parts = parts, .request_id = STR("id-1") };
}

static void
compare(const struct parts *parts)
{
	struct app_form_of of = form_of(parts);
	struct buf body = { 0 };

	app_form_make(&of, &body);
	assert_false(body.failed);
	assert_string_equal(body.len > 0 ? body.data : "", expected);
	assert_true(body.cap <= app_form_most(&of));
	buf_free(&body);
}

static void
expect(const char *text, const char *form, const char *body)
{
	struct config *config = form_run_config(text);
	struct buf raw = { 0 };
	struct error err = { 0 };

	route = config->routes;
	expected = body;
	form_run_text(form, &raw);
	for (int is_dry = 0; is_dry < 2; is_dry++)
		if (!form_run(route, buf_str(&raw), 7, is_dry, compare, &err))
			fail_msg("%s", err.message);
	buf_free(&raw);
	config_free(config);
}

static void
values_are_written_as_a_browser_writes_them(void **state)
{
	(void)state;
	expect(APP " }, fields: [ { name: \"*\", kind: value, forward: true } ]", "", "");
	expect(APP " }, fields: [ { name: \"*\", kind: value, forward: true } ]",
		"a=1|b[]=x y|b[]=&=%|a=", "a=1&b%5B%5D=x+y&b%5B%5D=%26%3D%25&a=");
	expect(APP " }, fields: [ { name: \"*\", kind: value, forward: true } ]", "k\xc3\xa9=*-._~\xff\r\n\"'",
		"k%C3%A9=*-._%7E%FF%0D%0A%22%27");
	expect(APP
		" }, default: drop, fields: [ { name: b, kind: value, forward: true }, { name: c, drop: true } ]",
		"a=1|b=2|c=3|d@d=4", "b=2");
}

#define FILE_4                                                                                                                        \
	"{\"name\":\"\xc3\xa9 \\\"&.txt\",\"type\":null,\"detected_type\":\"text/plain\",\"size\":4,\"digests\":{\"md5\":"            \
	"\"1cb251ec0d568de6a929b520c4aed8d1\",\"crc32c\":\"2f5319e1\"},\"destination\":\"d\",\"target\":\"2-p[]\",\"location\":null," \
	"\"version\":null,\"part\":2}"
#define RULE_4                                                                                                     \
	"{ name: \"p[]\", kind: file, digest: [crc32c, md5], types: { detected: [text/plain] }, store: { to: d, key: \"{part}-{field}\" } }"

static void
a_file_is_a_field_of_its_own_name(void **state)
{
	(void)state;
	expect(APP
		" }, fields: [ { name: t, kind: value, forward: true }, { name: p, kind: file, store: { to: d, key: \"x/{part}\" } } ]",
		"t=1|p@a.txt=12|t=2",
		"t=1&p=%7B%22name%22%3A%22a.txt%22%2C%22type%22%3Anull%2C%22detected_type%22%3Anull%2C%22size%22%3A2%2C%22digests%22%3A"
		"%7B%7D%2C%22destination%22%3A%22d%22%2C%22target%22%3A%22x%2F2%22%2C%22location%22%3Anull%2C%22version%22%3Anull%2C"
		"%22part%22%3A2%7D&t=2");
}

static void
a_document_has_values_and_files_apart(void **state)
{
	(void)state;
	expect(APP ", form: json }, fields: [ { name: \"*\", kind: value, forward: true } ]", "",
		"{\"route\":\"r\",\"request_id\":\"id-1\",\"fields\":[]}");
	expect(APP ", form: json }, fields: [ { name: t, kind: value, forward: true }, " RULE_4 " ]",
		"t=\x01\"\xff|p[]@\xc3\xa9 %22&.txt=text|t=",
		"{\"route\":\"r\",\"request_id\":\"id-1\",\"fields\":[{\"name\":\"t\",\"value\":\"\\u0001\\\"\xef\xbf\xbd\"},{\"name\":\"p[]\","
		"\"file\":" FILE_4 "},{\"name\":\"t\",\"value\":\"\"}]}");
	expect(APP
		", form: json, reveal_path: true }, fields: [ { name: b, kind: value, forward: true, store: { to: d, key: \"{part}\" "
		"} } ]",
		"b=1",
		"{\"route\":\"r\",\"request_id\":\"id-1\",\"fields\":[{\"name\":\"b\",\"value\":\"1\",\"file\":{\"name\":null,\"type\":null,"
		"\"detected_type\":null,\"size\":1,\"digests\":{},\"destination\":\"d\",\"target\":\"1\",\"location\":null,\"version\":null,"
		"\"part\":1,\"path\":null}}]}");
}

/* -- what a store says, and where a file lies ---------------------------------------------------------------- */

static const char *kind_of_path;

static void
look_at_outcome(const struct parts *parts)
{
	const struct part *part = parts_first(parts);
	struct app_form_of of = form_of(parts);
	struct order *order = &part->delivery->order;
	struct buf body = { 0 };

	order->outcome.version = "v-1";
	snprintf(order->outcome.location, sizeof order->outcome.location, "http://x/y");
	app_form_make(&of, &body);
	assert_non_null(strstr(body.data, "\"location\":null,\"version\":null")); /* it is not there yet */
	order->outcome.state = OUTCOME_COMMITTED;
	buf_clear(&body);
	app_form_make(&of, &body);
	assert_non_null(strstr(body.data, "\"location\":\"http://x/y\",\"version\":\"v-1\""));
	assert_non_null(strstr(body.data, kind_of_path));
	order->outcome = (struct outcome){ 0 };
	buf_free(&body);
}

static void
look_at_one(const char *text, const char *path)
{
	struct config *config = form_run_config(text);
	struct buf raw = { 0 };
	struct error err = { 0 };

	route = config->routes;
	kind_of_path = path;
	form_run_text("p@p=1", &raw);
	assert_true(form_run(route, buf_str(&raw), 100, true, look_at_outcome, &err));
	buf_free(&raw);
	config_free(config);
}

static void
where_an_object_is_is_told_when_it_is_there(void **state)
{
	(void)state;
	look_at_one(APP
		", form: json, undo_on: none }, fields: [ { name: p, max_count: 1, store: { to: h, path: /x } } ]",
		"\"part\":1}}");
	look_at_one(APP
		", form: json, undo_on: none, reveal_path: true }, fields: [ { name: p, max_count: 1, store: { to: h, path: /x } } ]",
		"\"path\":null");
	look_at_one(APP
		", form: json, reveal_path: true }, fields: [ { name: p, max_count: 1, store: { to: root, key: a/b } } ]",
		"\"target\":\"a/b\",\"location\":\"http://x/y\",\"version\":\"v-1\",\"part\":1,\"path\":\"");
	look_at_one(APP ", form: json }, fields: [ { name: p, max_count: 1, store: { to: root, key: a/b } } ]",
		"\"part\":1}}");
}

/* -- what it takes -------------------------------------------------------------------------------------------------- */

static size_t body_at_worst;

/* What a store and the facts say is as long and as dear as all the rest. */
static void
look_at_worst(const struct parts *parts)
{
	static char dear[400];
	struct app_form_of of = form_of(parts);
	struct order *order = &parts_first(parts)->delivery->order;
	struct buf body = { 0 };

	memset(dear, 0xff, sizeof dear - 1);
	order->outcome.version = dear;
	snprintf(order->outcome.location, sizeof order->outcome.location, "%s", dear);
	order->outcome.state = OUTCOME_COMMITTED;
	app_form_make(&of, &body);
	assert_false(body.failed);
	body_at_worst = body.len;
	assert_true(body.cap <= app_form_most(&of));                        /* it did not have to grow */
	assert_true(body.cap > body.len && body.cap < 2 * body.len + 4000); /* nor is far more kept free for it */
	order->outcome = (struct outcome){ 0 };
	buf_free(&body);
}

static void
run_at_worst(const char *more)
{
	struct buf text = { 0 }, raw = { 0 }, form = { 0 };
	struct error err = { 0 };
	struct config *config;

	buf_addf(&text,
		APP
		"%s }, fields: [ { name: \"p*\", kind: file, digest: [sha256, sha512, sha1, md5, crc32c, crc64nvme], "
		"types: { detected: [text/plain] }, store: { to: root, key: \"{part}-{uuid}\" } }, "
		"{ name: \"*\", kind: value, forward: true } ]",
		more);
	config = form_run_config(text.data);
	route = config->routes;
	buf_add_text(&form, "p@");
	for (int i = 0; i < 200; i++)
		buf_add_char(&form, '\xff');
	buf_add_text(&form, "=text");
	for (int i = 0; i < 20; i++) {
		buf_add_text(&form, i % 2 ? "|\xff\xff%22%22=" : "|v=");
		for (int n = 0; n < 500; n++)
			buf_add_char(&form, "\x01\xff\"\\a"[i % 5]);
	}
	form_run_text(form.data, &raw);
	if (!form_run(route, buf_str(&raw), 1000, true, look_at_worst, &err))
		fail_msg("%s", err.message);
	buf_free(&text);
	buf_free(&form);
	buf_free(&raw);
	config_free(config);
}

static void
no_more_is_taken_than_was_said(void **state)
{
	(void)state;
	run_at_worst(", form: json, reveal_path: true");
	assert_true(body_at_worst > 20000);
}

static void
no_more_is_taken_for_a_form_either(void **state)
{
	struct config *config = form_run_config(APP
		", reveal_path: true }, fields: [ { name: p, kind: file, digest: [sha256, sha512, sha1, md5, crc32c, crc64nvme], "
		"store: { to: root, key: \"{part}-{uuid}\" } }, { name: v, kind: value, forward: true } ]");
	struct buf raw = { 0 }, form = { 0 };
	struct error err = { 0 };

	(void)state;
	route = config->routes;
	buf_add_text(&form, "p@");
	for (int i = 0; i < 200; i++)
		buf_add_char(&form, '\xff');
	buf_add_text(&form, "=text");
	for (int i = 0; i < 3000; i++)
		buf_add_text(&form, i % 500 == 0 ? "|v=\xff" : "\x01");
	form_run_text(form.data, &raw);
	if (!form_run(route, buf_str(&raw), 1000, true, look_at_worst, &err))
		fail_msg("%s", err.message);
	assert_true(body_at_worst > 9000);
	buf_free(&form);
	buf_free(&raw);
	config_free(config);
}

/* -- out of memory, and the schema ----------------------------------------------------------------------------- */

static void
fail_each_allocation(const struct parts *parts)
{
	struct app_form_of of = form_of(parts);
	struct buf body = { 0 };
	size_t n = 0;

	do {
		buf_free(&body);
		mem_fail(++n, 1);
		app_form_make(&of, &body);
	} while (body.failed);
	mem_fail(0, 0);
	assert_true(n > 1);
	assert_string_equal(body.data, expected);
	buf_free(&body);
}

static void
no_allocation_that_fails_goes_unnoticed(void **state)
{
	struct config *config = form_run_config(APP
		", form: json, reveal_path: true }, fields: [ { name: p, max_count: 1, store: { to: d, key: a } }, { name: t, kind: value, forward: true } ]");
	struct buf raw = { 0 };
	struct error err = { 0 };

	(void)state;
	route = config->routes;
	expected =
		"{\"route\":\"r\",\"request_id\":\"id-1\",\"fields\":[{\"name\":\"p\",\"file\":{\"name\":\"p\",\"type\":null,"
		"\"detected_type\":null,\"size\":1,\"digests\":{},\"destination\":\"d\",\"target\":\"a\",\"location\":null,"
		"\"version\":null,\"part\":1,\"path\":null}},{\"name\":\"t\",\"value\":\"2\"}]}";
	form_run_text("p@p=1|t=2", &raw);
	assert_true(form_run(route, buf_str(&raw), 100, true, fail_each_allocation, &err));
	buf_free(&raw);
	config_free(config);
}

static void
the_schema_names_each_key(void **state)
{
	static const char *const keys[] = { "name", "type", "detected_type", "size", "digests", "destination",
		"target", "location", "version", "part", "path" };
	struct buf text = { 0 };
	json_t *schema, *file;

	(void)state;
	app_form_schema(&text);
	schema = json_loadb(text.data, text.len, 0, NULL);
	assert_non_null(schema);
	file = json_object_get(json_object_get(json_object_get(schema, "$defs"), "file"), "properties");
	assert_int_equal(json_object_size(file), sizeof keys / sizeof keys[0]);
	for (EACH(i, keys))
		assert_non_null(json_object_get(file, keys[i]));
	json_decref(schema);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_written_as_a_browser_writes_them),
		cmocka_unit_test(a_file_is_a_field_of_its_own_name),
		cmocka_unit_test(a_document_has_values_and_files_apart),
		cmocka_unit_test(where_an_object_is_is_told_when_it_is_there),
		cmocka_unit_test(no_more_is_taken_than_was_said),
		cmocka_unit_test(no_more_is_taken_for_a_form_either),
		cmocka_unit_test(no_allocation_that_fails_goes_unnoticed),
		cmocka_unit_test(the_schema_names_each_key),
	};

	return cmocka_run_group_tests(tests, form_run_set_up, form_run_tear_down);
}
