// SPDX-License-Identifier: MIT
/* test_types.c - a rule takes the parts that it says it takes, by what the client says of them and by their first bytes. */
#include "base/file_name.h"
#include "base/mem.h"
#include "config/media_type.h"
#include "stage/detector.h"
#include "stage/stages.h"

#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXTS_ROOM 256 /* bytes */

#define EACH(i, list)                                                                                              \
	size_t i = 0;                                                                                              \
	i < sizeof(list) / sizeof(list)[0];                                                                        \
	i++

/* Up to four, after one another in `texts`, each with a blank behind it. */
static struct texts
texts_of(const char *text, char *copy, char *items[4])
{
	struct texts texts = { .items = items };

	snprintf(copy, TEXTS_ROOM, "%s", text);
	for (char *at = copy, *end; (end = strchr(at, ' ')) != NULL; at = end + 1) {
		*end = '\0';
		items[texts.n++] = at;
	}
	return texts;
}

/* NULL: it is taken. */
static const char *
refusal_of(const char *declared, const char *extensions, const char *type, const char *filename, struct error *err)
{
	char copies[2][TEXTS_ROOM], *items[2][4];
	char name[] = "photo*";
	struct rule rule = { .name = name, .max_size = LIMIT_NONE };
	struct route route = { .limits = { .values = LIMIT_NONE } };
	struct facts facts = { 0 };
	struct stage_part part = { .route = &route,
		.rule = &rule,
		.at = 7,
		.data_at = 90,
		.type = str_of(type),
		.filename = str_of(filename),
		.facts = &facts };
	struct stages *stages = stages_new(NULL);
	bool ok;

	rule.types.declared = texts_of(declared, copies[0], items[0]);
	rule.extensions = texts_of(extensions, copies[1], items[1]);
	ok = stages_begin(stages, &part, err) && stages_look(stages, "abc", 3, err) && stages_end(stages, err);
	assert_int_equal(ok, err->kind == ERR_NONE);
	if (!ok) {
		assert_int_equal(err->kind, ERR_MEDIA_TYPE);
		assert_true(err->offset == 7);
	}
	assert_int_equal(facts.n, 0);
	stages_free(stages);
	return ok ? NULL : err->message;
}

static void
a_part_is_refused_whose_declared_type_the_rule_does_not_take(void **state)
{
	static const struct {
		const char *declared, *type, *filename, *refusal;
	} rows[] = {
		{ "", "anything", "a", NULL },
		{ "image/png ", "image/png", "a", NULL },
		{ "image/png ", "IMAGE/Png; charset=x", "a", NULL },
		{ "image/png ", "image/png ;x", "a", NULL },
		{ "image/png ", "image/pngx", "a",
			"it is declared as image/pngx; the rule \"photo*\" takes image/png" },
		{ "image/png image/gif ", "text/html", NULL,
			"it is declared as text/html; the rule \"photo*\" takes image/png, image/gif" },
		{ "image/* ", "image/svg+xml", "a", NULL },
		{ "image/* ", "xmage/png", "a", "it is declared as xmage/png; the rule \"photo*\" takes image/*" },
		/* a glob does not reach beyond the one media type */
		{ "image/* ", "image/png, text/html", "a",
			"its Content-Type is not one media type; the rule \"photo*\" takes image/*" },
		{ "image/* ", "image/png text/html", "a",
			"its Content-Type is not one media type; the rule \"photo*\" takes image/*" },
		{ "*/* ", "", "a", "its Content-Type is not one media type; the rule \"photo*\" takes */*" },
		{ "*/* ", "image/", "a", "its Content-Type is not one media type; the rule \"photo*\" takes */*" },
		{ "*/* ", "image/png;\x01", "a",
			"its Content-Type is not one media type; the rule \"photo*\" takes */*" },
		/* none */
		{ "text/plain ", NULL, NULL, NULL },
		{ "application/octet-stream ", NULL, "a", NULL },
		{ "text/plain ", NULL, "a",
			"it has no Content-Type, which means application/octet-stream; the rule \"photo*\" takes text/plain" },
		{ "image/* ", NULL, NULL,
			"it has no Content-Type, which means text/plain; the rule \"photo*\" takes image/*" },
		/* long ones are cut, also the list */
		{ "a/b application/vnd.openxmlformats-officedocument.wordprocessingml.document image/gif ", "c/d",
			"a", "it is declared as c/d; the rule \"photo*\" takes a/b, ..." },
	};

	(void)state;
	for (EACH(i, rows)) {
		struct error err = { 0 };
		const char *refusal = refusal_of(rows[i].declared, "", rows[i].type, rows[i].filename, &err);

		if ((refusal == NULL) != (rows[i].refusal == NULL) ||
			(refusal != NULL && strcmp(refusal, rows[i].refusal) != 0))
			fail_msg("row %zu: %s", i, refusal != NULL ? refusal : "taken");
		assert_string_equal(err.limit, refusal != NULL ? "types.declared" : "");
	}
}

static void
a_declared_type_may_be_as_long_as_a_media_type_can_be(void **state)
{
	char type[257];
	struct error err = { 0 };

	(void)state;
	memset(type, 'x', sizeof type);
	memcpy(type, "a/", 2);
	type[255] = '\0';
	assert_null(refusal_of("*/* ", "", type, "a", &err));
	type[255] = 'x';
	type[256] = '\0';
	assert_non_null(refusal_of("*/* ", "", type, "a", &err));
	assert_true(strlen(err.message) < 140);
}

static void
a_part_is_refused_whose_file_name_ends_otherwise(void **state)
{
	static const struct {
		const char *extensions, *filename, *refusal;
	} rows[] = {
		{ "", NULL, NULL },
		{ "jpg ", "a.jpg", NULL },
		{ "jpg png ", "a.PNG", NULL },
		{ "jpg ", "a.exe.jpg", NULL },
		{ "jpg ", ".jpg", NULL },
		{ "jpg ", "C:\\dir\\a.jpg", NULL },
		{ "jpg ", "evil.exe", "its file name ends in .exe; the rule \"photo*\" takes jpg" },
		{ "jpg png ", "a.jpg.exe", "its file name ends in .exe; the rule \"photo*\" takes jpg, png" },
		{ "jpg ", "a.jpg/b", "its file name has no extension; the rule \"photo*\" takes jpg" },
		{ "jpg ", "a.jpg ", "its file name has no extension; the rule \"photo*\" takes jpg" },
		{ "jpg ", "a.jpg.", "its file name has no extension; the rule \"photo*\" takes jpg" },
		{ "jpg ",
			"a.exe:.jp\xc2\xad"
			"g",
			"its file name has no extension; the rule \"photo*\" takes jpg" },
		{ "jpg ", "jpg", "its file name has no extension; the rule \"photo*\" takes jpg" },
		{ "jpg ", "", "its file name has no extension; the rule \"photo*\" takes jpg" },
		{ "jpg ", NULL, "it has no file name; the rule \"photo*\" takes jpg" },
	};

	(void)state;
	for (EACH(i, rows)) {
		struct error err = { 0 };
		const char *refusal = refusal_of("", rows[i].extensions, "text/html", rows[i].filename, &err);

		if ((refusal == NULL) != (rows[i].refusal == NULL) ||
			(refusal != NULL && strcmp(refusal, rows[i].refusal) != 0))
			fail_msg("row %zu: %s", i, refusal != NULL ? refusal : "taken");
		assert_string_equal(err.limit, refusal != NULL ? "extensions" : "");
	}
}

static void
a_nul_ends_no_file_name(void **state)
{
	(void)state;
	assert_true(file_name_extension(STR("evil.exe\0.jpg")).len == 3);
	assert_null(file_name_extension(STR("evil.jpg\0")).data);
	assert_null(file_name_extension(STR("evil.\0jpg")).data);
}

static void
all_that_a_rule_has_must_fit(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(refusal_of("image/* ", "jpg ", "image/jpeg", "a.jpg", &err));
	assert_non_null(refusal_of("image/* ", "jpg ", "image/jpeg", "a.exe", &err));
	assert_string_equal(err.limit, "extensions");
	err = (struct error){ 0 };
	assert_non_null(refusal_of("image/* ", "jpg ", "text/html", "a.jpg", &err));
	assert_string_equal(err.limit, "types.declared");
}

static void
a_media_type_is_read_without_its_parameters(void **state)
{
	static const struct {
		const char *text, *essence;
	} rows[] = {
		{ "a/b", "a/b" },
		{ "a/b;c", "a/b" },
		{ "a/b \t; c=\"/\"", "a/b" },
		{ "a/b ", "a/b" },
		{ "a", NULL },
		{ "/b", NULL },
		{ "a/", NULL },
		{ "a/;c", NULL },
		{ "a/b/c", NULL },
		{ " a/b", NULL },
		{ "a /b", NULL },
		{ "a/b,c/d", NULL },
		{ "a/b c", NULL },
		{ "a/b;\r\nc", NULL },
		{ "a/b;\xc3\xa9", NULL },
		{ "", NULL },
	};

	(void)state;
	for (EACH(i, rows)) {
		struct str essence = media_type_essence(str_of(rows[i].text));

		if (rows[i].essence != NULL ? !str_is(essence, rows[i].essence) : essence.data != NULL)
			fail_msg("%s: %.*s", rows[i].text, STR_ARG(essence));
	}
	assert_null(media_type_essence(STR_NONE).data);
}

/* -- first bytes ------------------------------------------------------------------------------------------ */

#define SAMPLE(type, bytes)                                                                                        \
	{                                                                                                          \
		type,                                                                                              \
		{                                                                                                  \
			bytes, sizeof bytes - 1                                                                    \
		}                                                                                                  \
	}

static const struct {
	const char *type;
	struct str bytes;
} samples[] = {
	SAMPLE("image/png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"),
	SAMPLE("image/jpeg", "\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
	SAMPLE("image/gif", "GIF89a\x01\0\x01\0\x80\0\0"),
	SAMPLE("image/webp", "RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0"),
	SAMPLE("image/svg+xml", "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"),
	SAMPLE("application/pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
	SAMPLE("video/mp4",
		"\0\0\0\x18"
		"ftypmp42\0\0\0\0mp42isom"),
	SAMPLE("text/html", "<!DOCTYPE html><html><script>alert(1)</script></html>"),
	SAMPLE("text/plain", "no more than a few words\n"),
	SAMPLE("application/gzip", "\x1f\x8b\x08\0\0\0\0\0\0\x03"),
	SAMPLE("application/x-executable",
		"\x7f"
		"ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0"),
	SAMPLE("application/x-empty", ""),
};

static bool
judge_with(const struct stage_tools *tools, const char *taken, struct str bytes, struct facts *facts,
	struct error *err)
{
	char copy[TEXTS_ROOM], *items[4], name[] = "photo";
	struct rule rule = { .name = name, .max_size = LIMIT_NONE };
	struct route route = { .limits = { .values = LIMIT_NONE } };
	struct stage_part part = { .route = &route,
		.rule = &rule,
		.at = 7,
		.data_at = 90,
		.type = STR("image/png; x=y"),
		.filename = STR("a.jpg"),
		.facts = facts };
	struct stages *stages = stages_new(tools);
	bool ok;

	rule.types.detected = texts_of(taken, copy, items);
	rule.types.wants_detected = true;
	ok = stages != NULL && stages_begin(stages, &part, err);
	if (stages != NULL)
		assert_true(stages_hold(&rule));
	ok = ok && stages_look(stages, bytes.data, bytes.len, err) && stages_judge(stages, bytes, err) &&
		stages_end(stages, err);
	stages_free(stages);
	return ok;
}

static void
open_tools(struct stage_tools *tools)
{
	struct error err = { 0 };

	tools->detector = detector_new(&err);
	if (tools->detector == NULL)
		fail_msg("%s", err.message);
}

static void
each_type_is_taken_where_it_is_named_and_nowhere_else(void **state)
{
	struct stage_tools tools;

	(void)state;
	open_tools(&tools);
	for (EACH(i, samples))
		for (EACH(k, samples)) {
			char taken[TEXTS_ROOM];
			struct facts facts = { 0 };
			struct error err = { 0 };
			bool ok;

			snprintf(taken, sizeof taken, "font/woff %s ", samples[k].type);
			ok = judge_with(&tools, taken, samples[i].bytes, &facts, &err);
			if (ok != (i == k))
				fail_msg("%s where %s is taken: %s", samples[i].type, samples[k].type, err.message);
			assert_string_equal(facts_find(&facts, "detected_type"), samples[i].type);
			facts_free(&facts);
		}
	stage_tools_close(&tools);
}

static void
a_refusal_says_what_was_declared_and_what_was_found(void **state)
{
	struct stage_tools tools;
	struct facts facts = { 0 };
	struct error err = { 0 };

	(void)state;
	open_tools(&tools);
	assert_false(
		judge_with(&tools, "image/png image/jpeg ", STR("<!DOCTYPE html><html></html>"), &facts, &err));
	assert_int_equal(err.kind, ERR_MEDIA_TYPE);
	assert_string_equal(err.message,
		"it is text/html, declared as image/png; the rule \"photo\" takes image/png, image/jpeg");
	assert_string_equal(err.limit, "types.detected");
	assert_true(err.offset == 90);
	facts_free(&facts);
	stage_tools_close(&tools);
}

/* It looks at the beginning alone: what else a file is, if it is two, nobody says. */
static void
of_a_file_that_is_two_the_beginning_counts(void **state)
{
	static const char both[] =
		"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0<html><script>alert(1)</script>"
		"PK\x03\x04";
	struct stage_tools tools;
	struct facts facts = { 0 };
	struct error err = { 0 };

	(void)state;
	open_tools(&tools);
	assert_true(judge_with(&tools, "image/png ", (struct str){ both, sizeof both - 1 }, &facts, &err));
	facts_free(&facts);
	stage_tools_close(&tools);
}

/* In CPU time of this thread: the least of a few. */
static double
cost_of(struct detector *detector, struct str bytes)
{
	double least = 1e9;

	for (int i = 0; i < 5; i++) {
		struct timespec began, ended;
		struct error err = { 0 };
		double took;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
		assert_non_null(detector_type(detector, bytes, &err));
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
		took = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
		least = took < least ? took : least;
	}
	return least;
}

/* Sixteen times the bytes, of the kind that costs most. As libmagic comes it takes 120 times as long, and so eight times. */
static void
the_cost_does_not_grow_with_the_square_of_the_length(void **state)
{
	static char lines[STAGE_FIRST_MAX];
	struct stage_tools tools;

	(void)state;
	open_tools(&tools);
	memset(lines, '\n', sizeof lines);
	assert_true(cost_of(tools.detector, (struct str){ lines, sizeof lines }) <
		40 * cost_of(tools.detector, (struct str){ lines, sizeof lines / 16 }));
	stage_tools_close(&tools);
}

static void
out_of_memory_leaves_nothing(void **state)
{
	bool ok = false;

	(void)state;
	for (size_t nth = 1; !ok; nth++) {
		struct stage_tools tools = { 0 };
		struct facts facts = { 0 };
		struct error err = { 0 };

		mem_fail(nth, 1);
		tools.detector = detector_new(&err);
		ok = tools.detector != NULL && judge_with(&tools, "image/gif ", samples[2].bytes, &facts, &err);
		mem_fail(0, 0);
		assert_true(ok || err.kind == ERR_NOMEM || err.kind == ERR_NONE);
		facts_free(&facts);
		stage_tools_close(&tools);
	}
}

static void
without_its_database_nothing_is_taken(void **state)
{
	struct rule rule = { .types.wants_detected = true };
	struct route route = { .rules = &rule, .n_rules = 1 };
	struct config config = { .routes = &route, .n_routes = 1 };
	struct stage_tools tools = { 0 };
	struct facts facts = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_false(judge_with(&tools, "image/gif ", samples[2].bytes, &facts, &err));
	assert_int_equal(err.kind, ERR_INTERNAL);
	err = (struct error){ 0 };
	setenv("MAGIC", "/nowhere/to/be/found", 1);
	assert_false(stage_tools_check(&config, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.message, "/nowhere/to/be/found"));
	err = (struct error){ 0 };
	assert_false(stage_tools_open(&tools, &config, &err));
	rule.types.wants_detected = false; /* nobody pays for what no rule wants */
	err = (struct error){ 0 };
	assert_true(stage_tools_open(&tools, &config, &err));
	assert_null(tools.detector);
	unsetenv("MAGIC");
}

static void
the_library_tells_its_version(void **state)
{
	(void)state;
	assert_true(detector_library_version() >= 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_is_refused_whose_declared_type_the_rule_does_not_take),
		cmocka_unit_test(a_declared_type_may_be_as_long_as_a_media_type_can_be),
		cmocka_unit_test(a_part_is_refused_whose_file_name_ends_otherwise),
		cmocka_unit_test(a_nul_ends_no_file_name),
		cmocka_unit_test(all_that_a_rule_has_must_fit),
		cmocka_unit_test(the_library_tells_its_version),
		cmocka_unit_test(a_media_type_is_read_without_its_parameters),
		cmocka_unit_test(each_type_is_taken_where_it_is_named_and_nowhere_else),
		cmocka_unit_test(a_refusal_says_what_was_declared_and_what_was_found),
		cmocka_unit_test(of_a_file_that_is_two_the_beginning_counts),
		cmocka_unit_test(the_cost_does_not_grow_with_the_square_of_the_length),
		cmocka_unit_test(out_of_memory_leaves_nothing),
		cmocka_unit_test(without_its_database_nothing_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
