// SPDX-License-Identifier: MIT
/* By what a file is known again: each number of its id counts, and a file system without birth times leaves doubt. */
#include "sink/directory/file_id.h"

#include "lib/check.h"

#include <string.h>

enum { INODE, HAS_BIRTH, BIRTH_S, BIRTH_NS, SIZE, CHANGED_S, CHANGED_NS };

static const struct file_id with_birth = { .n = { 7, 1, 100, 5, 10, 101, 6 } };
static const struct file_id without_birth = { .n = { 7, 0, 0, 0, 10, 101, 6 } };

static enum file_likeness
compare_but(const struct file_id *then, size_t at)
{
	struct file_id now = *then;

	now.n[at]++;
	return file_id_compare(then, &now);
}

static void
each_number_counts(void **state)
{
	(void)state;
	assert_int_equal(file_id_compare(&with_birth, &with_birth), FILE_SAME);
	assert_int_equal(compare_but(&with_birth, INODE), FILE_OTHER);
	assert_int_equal(compare_but(&with_birth, BIRTH_S), FILE_OTHER);
	assert_int_equal(compare_but(&with_birth, BIRTH_NS), FILE_OTHER);
	assert_int_equal(compare_but(&with_birth, SIZE), FILE_CHANGED);
	assert_int_equal(compare_but(&with_birth, CHANGED_S), FILE_CHANGED);
	assert_int_equal(compare_but(&with_birth, CHANGED_NS), FILE_CHANGED);
}

/* What has the number now may be another file: nobody takes it for the same, and nobody says that it is not. */
static void
without_birth_times_doubt_is_left(void **state)
{
	(void)state;
	assert_int_equal(file_id_compare(&without_birth, &without_birth), FILE_SAME);
	assert_int_equal(file_id_compare(&with_birth, &without_birth), FILE_SAME);
	assert_int_equal(compare_but(&without_birth, INODE), FILE_OTHER);
	assert_int_equal(compare_but(&without_birth, SIZE), FILE_CHANGED);
	assert_int_equal(compare_but(&without_birth, CHANGED_NS), FILE_CHANGED);
}

static void
a_text_is_read_as_it_was_written_or_not_at_all(void **state)
{
	static const char *const bad[] = { "", "7", "7 1 100 5 10 101", "7 1 100 5 10 101 6 ", "7 1 100 5 10 101 x",
		"7  1 100 5 10 101 6", "-7 1 100 5 10 101 6", "1\t2 3 4 5 6 7" };
	struct buf text = { 0 };
	struct file_id read;

	(void)state;
	file_id_add(&text, &with_birth);
	assert_string_equal(text.data, "7 1 100 5 10 101 6");
	assert_true(file_id_read(text.data, &read));
	assert_memory_equal(&read, &with_birth, sizeof read);
	buf_free(&text);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(file_id_read(bad[i], &read));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_counts),
		cmocka_unit_test(without_birth_times_doubt_is_left),
		cmocka_unit_test(a_text_is_read_as_it_was_written_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
