// SPDX-License-Identifier: MIT
/* test_config_files.c - the route files of tests/config: bad ones are refused or warned of, good ones are not, and each
 * allocation that fails on the way is told, with no configuration and nothing lost. What exactly is said of each,
 * tests/config/config.py compares. */
#include "base/mem.h"
#include "config/load.h"

#include "lib/check.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_are_good),
		cmocka_unit_test(of_bad_files_something_is_said),
		cmocka_unit_test(no_allocation_that_fails_goes_unnoticed),
	};

	unsetenv("PENSTOCK_TEST_NOT_SET");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
