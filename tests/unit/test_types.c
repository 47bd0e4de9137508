// SPDX-License-Identifier: MIT
/* test_types.c - a rule takes the parts that it says it takes, by what the client says of them. */
#include "base/file_name.h"
#include "config/media_type.h"
#include "stage/stages.h"

#include "lib/check.h"

#include <stdio.h>
#include <string.h>

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
	struct stages *stages = stages_new();
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_is_refused_whose_declared_type_the_rule_does_not_take),
		cmocka_unit_test(a_declared_type_may_be_as_long_as_a_media_type_can_be),
		cmocka_unit_test(a_part_is_refused_whose_file_name_ends_otherwise),
		cmocka_unit_test(a_nul_ends_no_file_name),
		cmocka_unit_test(all_that_a_rule_has_must_fit),
		cmocka_unit_test(a_media_type_is_read_without_its_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
