// SPDX-License-Identifier: MIT
/* A commit of several files that was cut short is taken back, wherever it was cut; nothing else is touched. */
#include "lib/check.h"
#include "lib/folder.h"
#include "upload/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder;

static void
put(const char *name, const char *content)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
}

static ino_t
inode(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(folder, name, &st, 0), 0);
	return st.st_ino;
}

static const char *
content(const char *name)
{
	return folder_content(folder, name);
}

/* Three files, the second below a folder and in the place of an old one; renamed as far as `steps` says. */
static void
begin(struct journal *journal, int steps)
{
	put("t1", "one");
	put("t2", "two");
	put("t3", "three");
	put("a/second", "old");
	journal_begin(journal, folder);
	journal_add(journal, inode("t1"), "t1", "first");
	journal_add(journal, inode("t2"), "t2", "a/second");
	journal_add(journal, inode("t3"), "t3", "third name");
	assert_true(journal_write(journal));
	if (steps > 0)
		assert_int_equal(renameat(folder, "t1", folder, "first"), 0);
	if (steps > 1)
		assert_int_equal(renameat2(folder, "t2", folder, "a/second", RENAME_EXCHANGE), 0);
	if (steps > 2)
		assert_int_equal(linkat(folder, "t3", folder, "third name", 0), 0);
}

/* As if its process had died. */
static void
die(struct journal *journal)
{
	close(journal->fd);
	buf_free(&journal->text);
}

static int
set_up(void **state)
{
	(void)state;
	folder = folder_make();
	return folder >= 0 && mkdirat(folder, "a", 0700) == 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return folder_remove(folder);
}

static void
a_commit_that_was_cut_is_taken_back(void **state)
{
	(void)state;
	for (int steps = 0; steps <= 3; steps++) {
		struct journal journal;

		begin(&journal, steps);
		die(&journal);
		assert_true(journal_roll_back(folder, journal.name));
		assert_string_equal(content("first"), "");
		assert_string_equal(content("a/second"), "old");
		assert_string_equal(content("third name"), "");
		assert_string_equal(content(journal.name), "");
		unlinkat(folder, "t1", 0);
	}
}

static void
a_commit_that_has_ended_stays(void **state)
{
	struct journal journal;

	(void)state;
	begin(&journal, 3);
	assert_true(journal_end(&journal));
	assert_true(journal_roll_back(folder, journal.name));
	assert_string_equal(content("first"), "one");
	assert_string_equal(content("a/second"), "two");
	assert_string_equal(content("third name"), "three");
}

static void
that_of_a_living_writer_is_left_alone(void **state)
{
	struct journal journal;

	(void)state;
	begin(&journal, 3);
	assert_true(journal_roll_back(folder, journal.name));
	assert_string_equal(content("first"), "one");
	assert_true(journal_end(&journal));
}

static void
what_others_have_put_there_since_stays(void **state)
{
	struct journal journal;

	(void)state;
	begin(&journal, 3);
	die(&journal);
	put("new", "of somebody else");
	assert_int_equal(renameat(folder, "new", folder, "first"), 0);
	assert_true(journal_roll_back(folder, journal.name));
	assert_string_equal(content("first"), "of somebody else");
	assert_string_equal(content("third name"), "");
}

static void
half_a_journal_tells_nothing(void **state)
{
	struct journal journal;
	struct stat st;

	(void)state;
	begin(&journal, 1);
	assert_int_equal(fstat(journal.fd, &st), 0);
	assert_int_equal(ftruncate(journal.fd, st.st_size - 1), 0);
	die(&journal);
	assert_true(journal_roll_back(folder, journal.name));
	assert_string_equal(content("first"), "one");
	assert_string_equal(content(journal.name), "");
}

static void
a_link_in_the_way_is_not_followed(void **state)
{
	struct journal journal;

	(void)state;
	begin(&journal, 3);
	die(&journal);
	assert_int_equal(renameat(folder, "a", folder, "b"), 0);
	assert_int_equal(symlinkat("b", folder, "a"), 0);
	assert_true(journal_roll_back(folder, journal.name));
	assert_string_equal(content("b/second"), "two");
	assert_string_equal(content("first"), "");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_commit_that_was_cut_is_taken_back),
		CASE(a_commit_that_has_ended_stays),
		CASE(that_of_a_living_writer_is_left_alone),
		CASE(what_others_have_put_there_since_stays),
		CASE(half_a_journal_tells_nothing),
		CASE(a_link_in_the_way_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
