// SPDX-License-Identifier: MIT
/* test_config_files.c - the route files of tests/config: bad ones are refused or warned of, good ones are not, and each
 * allocation that fails on the way is told, with no configuration and nothing lost. What exactly is said of each,
 * tests/config/config.py compares. */
#include "base/mem.h"
#include "config/load.h"

#include "lib/check.h"

#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_FAULTS 150 /* of one file; evenly chosen where it makes more allocations */

static bool
load(char *path, struct findings *findings)
{
	struct config *config = config_load(&path, 1, findings);
	bool is_good = config != NULL;

	assert_true(is_good || findings->errors > 0);
	config_free(config);
	return is_good;
}

static size_t
allocations_of(char *path, bool *is_good, bool *warns)
{
	struct findings findings = { 0 };
	size_t n;

	mem_fail(0, 0);
	*is_good = load(path, &findings);
	n = mem_fail(0, 0);
	*warns = findings.warnings > 0;
	findings_free(&findings);
	return n;
}

/* What a warning says may be lost; nothing else. */
static void
fail_allocations(char *path)
{
	bool is_good, warns;
	size_t n = allocations_of(path, &is_good, &warns), step = n / MOST_FAULTS + 1;

	for (size_t nth = 1; nth <= n; nth += step) {
		struct findings findings = { 0 };
		bool is_taken;

		mem_fail(nth, 1);
		is_taken = load(path, &findings);
		mem_fail(0, 0);
		if (is_taken && !warns)
			fail_msg("%s: taken, though allocation %zu of %zu failed", path, nth, n);
		findings_free(&findings);
	}
}

static void
each_file(const char *pattern, void (*then)(char *path))
{
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 8);
	for (size_t i = 0; i < found.gl_pathc; i++)
		then(found.gl_pathv[i]);
	globfree(&found);
}

static void
assert_good(char *path)
{
	bool is_good, warns;

	allocations_of(path, &is_good, &warns);
	if (!is_good)
		fail_msg("%s", path);
}

static void
assert_told(char *path)
{
	struct findings findings = { 0 };

	load(path, &findings);
	if (findings.errors + findings.warnings == 0 || findings.text.len == 0)
		fail_msg("%s: nothing is said of it", path);
	findings_free(&findings);
}

static void
good_files_are_good(void **state)
{
	(void)state;
	each_file("tests/config/good/*.yaml", assert_good);
}

static void
of_bad_files_something_is_said(void **state)
{
	(void)state;
	each_file("tests/config/bad/*.yaml", assert_told);
}

static void
no_allocation_that_fails_goes_unnoticed(void **state)
{
	(void)state;
	each_file("tests/config/good/*.yaml", fail_allocations);
	each_file("tests/config/bad/*.yaml", fail_allocations);
}

/* -- files that are made here ---------------------------------------------------------------------------- */

#define ROUTE "routes: [ { id: r, fields: [ { name: f, drop: true } ] } ]\n"

static void
expect_refused(const struct buf *text, const char *words)
{
	struct findings findings = { 0 };
	struct config *config = config_load_text("t.yaml", buf_str(text), &findings);

	assert_null(config);
	if (strstr(buf_str(&findings.text).data, words) == NULL)
		fail_msg("not \"%s\": %.500s", words, buf_str(&findings.text).data);
	findings_free(&findings);
}

/* `n` entries between two texts. */
static void
expect_many_refused(const char *before, const char *entry, size_t n, const char *after, const char *words)
{
	struct buf text = { 0 };

	buf_add_text(&text, before);
	for (size_t i = 0; i < n; i++)
		buf_addf(&text, "%s%zu%s", i > 0 ? ", " : "", i, entry);
	buf_add_text(&text, after);
	expect_refused(&text, words);
	buf_free(&text);
}

static void
a_file_has_an_end(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_add_text(&text, "version: 1\n" ROUTE);
	while (text.len <= 1024 * 1024)
		buf_add_text(&text, "# a line that says nothing\n");
	expect_refused(&text, "the file is larger than 1MiB");
	buf_free(&text);
	expect_many_refused("version: 1\nlisten: [", "", 70000, "]\n" ROUTE, "the file has too many values");
	expect_many_refused("version: 1\nroutes: [ { id: r, fields: [", "", 1025, "] } ]\n",
		"1025 entries are too many; at most 1024");
	expect_many_refused("version: 1\ndestinations: {", ": { type: discard }", 1025, "}\n" ROUTE,
		"1025 entries are too many; at most 1024");
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
of_several_files_one_alone_says_what_holds_for_all(void **state)
{
	char folder[] = "/tmp/penstock-files-XXXXXX", a[64], b[64], *both[] = { a, b };
	struct findings findings = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(a, sizeof a, "%s/a.yaml", folder);
	snprintf(b, sizeof b, "%s/b.yaml", folder);
	write_file(a, "version: 1\nmemory: 32MiB\ndestinations: { d: { type: discard } }\n" ROUTE);
	write_file(b, "version: 1\nmemory: 32MiB\ndestinations: { d: { type: discard } }\n");
	assert_null(config_load(both, 2, &findings));
	assert_non_null(
		strstr(buf_str(&findings.text).data, "b.yaml:2:1: error: \"memory\" may stand in one file only"));
	assert_non_null(
		strstr(buf_str(&findings.text).data, "b.yaml:3:17: error: destination \"d\" stands in two files"));
	findings_free(&findings);
	assert_int_equal(unlink(a) + unlink(b) + rmdir(folder), 0);
}

static void
a_long_word_is_cut_between_characters(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_add_text(&text, "version: 1\nx");
	for (size_t i = 0; i < 50; i++)
		buf_add_text(&text, "\xc3\xa9");
	buf_add_text(&text, ": 1\n" ROUTE);
	expect_refused(&text, "unknown key \"x\xc3\xa9");
	buf_free(&text);
}

/* -- what is written of the keys ---------------------------------------------------------------------------- */

/* Each key of the smallest file that is good stands in it. What it takes and refuses, config.py asks. */
static void
the_schema_is_json(void **state)
{
	struct buf out = { 0 };
	json_error_t error;
	json_t *schema, *properties;

	(void)state;
	config_schema(&out);
	schema = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &error);
	if (schema == NULL)
		fail_msg("line %d: %s", error.line, error.text);
	assert_int_equal(out.data[out.len - 1], '\n');
	properties = json_object_get(schema, "properties");
	assert_non_null(json_object_get(properties, "version"));
	assert_non_null(json_object_get(properties, "destinations"));
	assert_non_null(json_object_get(properties, "routes"));
	json_decref(schema);
	buf_free(&out);
}

/* tests/deploy/test_pages.py lets man show it. */
static void
the_manual_page_has_no_markdown(void **state)
{
	struct buf out = { 0 };
	size_t n_rows = 0;

	(void)state;
	config_manual(&out);
	assert_memory_equal(out.data, ".TH ", 4);
	for (char *line = out.data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		n_rows += strncmp(line, ".TP", 3) == 0;
		assert_false(line[0] == '|' || strncmp(line, "```", 3) == 0 || strncmp(line, "# ", 2) == 0);
	}
	assert_null(strstr(out.data, "](")); /* man(1) knows no links ... */
	for (const char *stars = out.data; (stars = strstr(stars, "**")) != NULL; stars += 2)
		assert_memory_equal(
			stars - 3, "\\fB", 3); /* ... and these are of a path, not around what is bold */
	assert_non_null(strstr(out.data, "\nhttp, s3: as they are\n.br\ndirectory: as they are\n"));
	assert_true(n_rows > 100);
	buf_free(&out);
}

static void
the_library_tells_its_version(void **state)
{
	(void)state;
	assert_true(strspn(config_library_version(), "0123456789.") > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_are_good),
		cmocka_unit_test(of_bad_files_something_is_said),
		cmocka_unit_test(no_allocation_that_fails_goes_unnoticed),
		cmocka_unit_test(a_file_has_an_end),
		cmocka_unit_test(of_several_files_one_alone_says_what_holds_for_all),
		cmocka_unit_test(a_long_word_is_cut_between_characters),
		cmocka_unit_test(the_schema_is_json),
		cmocka_unit_test(the_manual_page_has_no_markdown),
		cmocka_unit_test(the_library_tells_its_version),
	};

	unsetenv("PENSTOCK_TEST_NOT_SET");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
