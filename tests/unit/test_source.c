// SPDX-License-Identifier: MIT
/* test_source.c - the source of each route, and what the one that takes a whole body for one file makes of a head and a body. */
#include "lib/check.h"
#include "lib/form_head.h"
#include "lib/head_lines.h"
#include "lib/routes.h"

#include "base/mem.h"
#include "source/format.h"
#include "source/source.h"

#include <inttypes.h>

static const char routes[] = "version: 1\nroutes:\n"
			     "  - { id: forms, fields: [ { name: \"*\", drop: true } ] }\n"
			     "  - { id: put, match: { method: PUT }, body: { raw: photo }, "
			     "fields: [ { name: photo, drop: true } ] }\n";
static struct config *config;

/* -- who takes the events ----------------------------------------------------------------------------- */

struct record {
	struct buf log;
	char stop_at; /* 'b' 'd' 'e': the event that says stop */
};

static bool
on_begin(void *arg, const struct part_head *head)
{
	struct record *record = arg;

	buf_addf(&record->log, "[%u|%.*s|%.*s|%.*s|%" PRIu64 "|%" PRIu64 "%s]", head->number, STR_ARG(head->field),
		STR_ARG(head->filename), STR_ARG(head->type), head->offset, head->data_offset,
		head->may_be_unfilled ? "|?" : "");
	return record->stop_at != 'b';
}

static bool
on_data(void *arg, const char *data, size_t len)
{
	struct record *record = arg;

	assert_true(len > 0);
	buf_add(&record->log, data, len);
	return record->stop_at != 'd';
}

static bool
on_end(void *arg, uint64_t size)
{
	struct record *record = arg;

	buf_addf(&record->log, "(%" PRIu64 ")", size);
	return record->stop_at != 'e';
}

static const struct source_events events = { .on_begin = on_begin, .on_data = on_data, .on_end = on_end };

/* -- heads -------------------------------------------------------------------------------------------- */

static struct head
head_of(const char *target, const char *headers)
{
	return (struct head){
		.method = STR("PUT"),
		.target = str_of(target),
		.version = STR("HTTP/1.1"),
		.header = head_lines_nth,
		.arg = headers,
	};
}

static bool
feed_all(struct source_reader *reader, struct str body, size_t first, size_t step, struct error *err)
{
	for (size_t at = 0; at < body.len;) {
		size_t n = at == 0 && first > 0 ? first : step;

		n = n < body.len - at ? n : body.len - at;
		if (!source_feed(reader, body.data + at, n, err))
			return false;
		at += n;
	}
	return true;
}

/* The events of the body, or why the head or it is refused. */
static void
read_body(
	const char *target, const char *headers, struct str body, size_t first, size_t step, struct record *record)
{
	struct head head = head_of(target, headers);
	struct source_setup setup = { .route = &config->routes[1],
		.parts = config->routes[1].limits.parts,
		.head = &head,
		.events = &events,
		.arg = record };
	struct source_reader reader = { 0 };
	struct error err = { 0 };
	bool ok = source_begin(&reader, &setup, &err) && feed_all(&reader, body, first, step, &err) &&
		source_finish(&reader, &err);

	if (!ok && error_is_set(&err))
		buf_addf(&record->log, "%s: %s", error_kind_name(err.kind), err.message);
	else if (!ok)
		buf_add_text(&record->log, "stopped");
	source_end(&reader);
}

static void
expect_body(const char *target, const char *headers, const char *body, char stop_at, const char *want)
{
	size_t len = strlen(body);

	for (size_t first = 0; first <= len; first++) {
		struct record record = { .stop_at = stop_at };

		read_body(target, headers, str_of(body), first, first == 0 ? 1 : len, &record);
		if (stop_at != 'd' && strcmp(record.log.data, want) != 0)
			fail_msg("%s\n%sgot  %s\nwant %s", target, headers, record.log.data, want);
		assert_true(stop_at != 'd' || strstr(record.log.data, want) != NULL);
		buf_free(&record.log);
	}
}

#define CD "Content-Disposition: "
#define NOT(why) "bad-request: " why

static const struct {
	const char *target, *headers, *want;
} names[] = {
	{ "/a/b.txt", "Content-Type: text/plain\n", "[1|photo|b.txt|text/plain|0|0]xyz(3)" },
	{ "/a/b.txt?c=/d", "", "[1|photo|b.txt||0|0]xyz(3)" },
	{ "http://h/a/b", "Content-Type:\n", "[1|photo|b||0|0]xyz(3)" },
	{ "/a/b%20c%2Fd%C3%BC", "", "[1|photo|b c/d\xc3\xbc||0|0]xyz(3)" },
	{ "/a+b", "", "[1|photo|a+b||0|0]xyz(3)" },
	{ "/a/", "", "[1|photo|||0|0]xyz(3)" }, /* it is a file still */
	{ "/", "", "[1|photo|||0|0]xyz(3)" },
	{ "/a", CD "attachment\n", "[1|photo|a||0|0]xyz(3)" },
	{ "/a", CD "\n", "[1|photo|a||0|0]xyz(3)" },
	{ "/a", CD "attachment; filename=\"\"\n", "[1|photo|a||0|0]xyz(3)" },
	{ "/a", CD "attachment; filename=b\n", "[1|photo|b||0|0]xyz(3)" },
	{ "/a", CD "inline;filename=\"b c\"\n", "[1|photo|b c||0|0]xyz(3)" },
	{ "/a", CD "inline;filename = \"b c\"\n", "bad-request: a malformed parameter in Content-Disposition" },
	{ "/a", CD "form-data; name=other; filename=b\n",
		"[1|photo|b||0|0]xyz(3)" }, /* the route names the field */
	{ "/a", CD "attachment; filename*=UTF-8''%C3%BC\n", "[1|photo|\xc3\xbc||0|0]xyz(3)" },
	{ "/a", CD "attachment; filename=b; filename*=UTF-8''b\n", "[1|photo|b||0|0]xyz(3)" },
	{ "/a", CD "attachment; filename=\"=?utf-8?B?w7w=?=\"\n", "[1|photo|\xc3\xbc||0|0]xyz(3)" },
	{ "/a", CD "attachment; filename=\"C:\\dir\\b\"\n", "[1|photo|C:\\dir\\b||0|0]xyz(3)" },
	{ "/a", CD "attachment; filename=b; filename*=UTF-8''c\n",
		NOT("filename and filename* that differ in Content-Disposition") },
	{ "/a", CD "attachment; filename=b; filename=c\n",
		NOT("a parameter that is given twice in Content-Disposition") },
	{ "/a", CD "attachment; filename*0=b\n", NOT("a parameter in pieces in Content-Disposition") },
	{ "/a", CD "attachment; filename=\"b\n", NOT("a quoted string that does not end in Content-Disposition") },
	{ "/a", CD "filename=b\n", NOT("something after a value in Content-Disposition") },
	{ "/a", CD "; filename=b\n", NOT("a Content-Disposition without a type") },
	{ "/a", CD "attachment; filename=b\n" CD "attachment; filename=b\n",
		NOT("more than one Content-Disposition") },
	{ "/a/%zz", "", NOT("the path has a % that is not an escape") },
};

static void
a_file_has_the_name_that_its_head_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		expect_body(names[i].target, names[i].headers, "xyz", 0, names[i].want);
}

static void
a_body_without_a_byte_is_a_file_without_a_byte(void **state)
{
	(void)state;
	expect_body("/a", "", "", 0, "[1|photo|a||0|0](0)");
}

static void
what_looks_like_a_form_is_bytes(void **state)
{
	(void)state;
	expect_body("/a", "", "--B\r\n\r\n\r\n--B--\r\n", 0, "[1|photo|a||0|0]--B\r\n\r\n\r\n--B--\r\n(16)");
}

static void
each_event_may_say_stop(void **state)
{
	(void)state;
	expect_body("/a", "", "xyz", 'b', "[1|photo|a||0|0]stopped");
	expect_body("/a", "", "xyz", 'd', "stopped");
	expect_body("/a", "", "xyz", 'e', "[1|photo|a||0|0]xyz(3)stopped");
	expect_body("/a", "", "", 'b', "[1|photo|a||0|0]stopped");
	expect_body("/a", "", "", 'e', "[1|photo|a||0|0](0)stopped");
}

static void
its_name_is_memory_that_counts(void **state)
{
	struct head head = head_of("/a/0123456789", "");
	struct record record = { 0 };
	struct source_setup setup = { .route = &config->routes[1],
		.parts = config->routes[1].limits.parts,
		.head = &head,
		.events = &events,
		.arg = &record };
	struct source_reader reader = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(source_begin(&reader, &setup, &err));
	assert_true(source_memory(&reader) >= 10);
	source_end(&reader); /* in the middle: nothing is left, nothing was told */
	assert_null(record.log.data);
}

/* Every n-th allocation fails once: an error that says so, and nothing is left. */
static void
without_memory_a_body_is_refused(void **state)
{
	struct head head = head_of("/a", CD "attachment; filename=\"b\"; filename*=UTF-8''b\n");
	struct record record = { 0 };
	struct source_setup setup = { .route = &config->routes[1],
		.parts = config->routes[1].limits.parts,
		.head = &head,
		.events = &events,
		.arg = &record };
	bool ok = false;

	(void)state;
	for (size_t n = 1; !ok; n++) {
		struct source_reader reader = { 0 };
		struct error err = { 0 };

		mem_fail(n, 1);
		ok = source_begin(&reader, &setup, &err);
		mem_fail(0, 0);
		assert_true(ok || err.kind == ERR_NOMEM);
		source_end(&reader);
		assert_true(n < 1000);
	}
}

/* -- the table ---------------------------------------------------------------------------------------- */

static void
each_route_has_one_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < config->n_routes; i++) {
		size_t n = 0;

		for (const struct source_format *const *f = source_formats; *f != NULL; f++)
			n += (*f)->is_of(&config->routes[i]);
		assert_int_equal(n, 1);
	}
	assert_true(source_format_of(&config->routes[0])->has_delimiters);
	assert_false(source_format_of(&config->routes[1])->has_delimiters);
}

static void
each_format_says_which_types_come_in(void **state)
{
	static const struct {
		const char *type;
		bool as_form, as_file;
	} rows[] = {
		{ "multipart/form-data; boundary=B", true, false },
		{ "Multipart/Form-Data; boundary=B", true, false },
		{ "multipart/form-data", false, false },
		{ "multipart/mixed; boundary=B", false, true },
		{ "application/x-www-form-urlencoded", false, true },
		{ "application/octet-stream", false, true },
		{ "no type at all", false, true },
		{ "", false, true },
		{ NULL, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct str type = rows[i].type != NULL ? str_of(rows[i].type) : STR_NONE;

		for (size_t r = 0; r < 2; r++) {
			struct error err = { 0 };
			bool ok = source_format_of(&config->routes[r])->accepts(type, &err);

			assert_int_equal(ok, r == 0 ? rows[i].as_form : rows[i].as_file);
			assert_true(ok || err.kind == ERR_MEDIA_TYPE);
		}
	}
}

static void
a_form_is_read_by_the_source_of_forms(void **state)
{
	static const char body[] =
		"--B\r\nContent-Disposition: form-data; name=a; filename=\"\"\r\n\r\n\r\n--B--\r\n";
	struct record record = { 0 };
	struct source_setup setup = { .route = &config->routes[0],
		.parts = config->routes[0].limits.parts,
		.head = &form_head,
		.events = &events,
		.arg = &record };
	struct source_reader reader = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(source_begin(&reader, &setup, &err));
	assert_true(feed_all(&reader, STR(body), 0, 7, &err) && source_finish(&reader, &err));
	assert_true(reader.offset == sizeof body - 1 && source_memory(&reader) > 0);
	assert_string_equal(record.log.data, "[1|a|||0|60|?](0)");
	source_end(&reader);
	buf_free(&record.log);
}

static int
start(void **state)
{
	struct error err = { 0 };

	(void)state;
	config = routes_of(routes);
	return sources_start(&err) ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	sources_stop();
	config_free(config);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_the_name_that_its_head_says),
		cmocka_unit_test(a_body_without_a_byte_is_a_file_without_a_byte),
		cmocka_unit_test(what_looks_like_a_form_is_bytes),
		cmocka_unit_test(each_event_may_say_stop),
		cmocka_unit_test(its_name_is_memory_that_counts),
		cmocka_unit_test(without_memory_a_body_is_refused),
		cmocka_unit_test(each_route_has_one_format),
		cmocka_unit_test(each_format_says_which_types_come_in),
		cmocka_unit_test(a_form_is_read_by_the_source_of_forms),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
