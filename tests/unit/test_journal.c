// SPDX-License-Identifier: MIT
/* A commit of several files that was cut short is taken back, wherever it was cut; nothing else is touched. */
#include "lib/check.h"
#include "lib/folder.h"
#include "sink/directory/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder;
static const char *id; /* of the commit that a journal belongs to */

static void
put(const char *name, const char *content)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
}

static const char *
content(const char *name)
{
	return folder_content(folder, name);
}

static void
add(struct journal *journal, const char *temporary, const char *target)
{
	int fd = openat(folder, temporary, O_RDONLY);

	assert_true(fd >= 0 && journal_add(journal, fd, temporary, target));
	close(fd);
}

/* Three files, the second below a folder and in the place of an old one; renamed as far as `steps` says. */
static void
begin(struct journal *journal, int steps)
{
	put("t1", "one");
	put("t2", "two");
	put("t3", "three");
	put("a/second", "old");
	assert_true(journal_begin(journal, folder, id));
	add(journal, "t1", "first");
	add(journal, "t2", "a/second");
	add(journal, "t3", "third name");
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

static enum journal_fate
roll_back(const struct journal *journal)
{
	return journal_roll_back(folder, journal->name, NULL, false);
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
		assert_int_equal(roll_back(&journal), JOURNAL_GONE);
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
	assert_int_equal(roll_back(&journal), JOURNAL_GONE);
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
	assert_int_equal(roll_back(&journal), JOURNAL_LIVES);
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
	assert_int_equal(roll_back(&journal), JOURNAL_GONE);
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
	assert_int_equal(roll_back(&journal), JOURNAL_GONE);
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
	assert_int_equal(roll_back(&journal), JOURNAL_GONE);
	assert_string_equal(content("b/second"), "two");
	assert_string_equal(content("first"), "");
}

static ino_t
inode(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(folder, name, &st, 0), 0);
	return st.st_ino;
}

/* File systems give the number of a file that is gone to the next one. */
static void
a_file_that_got_the_number_later_stays(void **state)
{
	struct journal journal;
	ino_t number;
	int i;

	(void)state;
	begin(&journal, 1);
	die(&journal);
	number = inode("first");
	for (i = 0; i < 1000 && (i == 0 || inode("first") != number); i++) {
		assert_int_equal(unlinkat(folder, "first", 0), 0);
		put("first", "two");
	}
	if (inode("first") != number)
		skip();
	assert_int_equal(roll_back(&journal), JOURNAL_GONE);
	assert_string_equal(content("first"), "two");
}

/* One file cannot be taken back. Those that could are not looked at again, even if the same file gets the name once more. */
static void
what_is_settled_is_crossed_out(void **state)
{
	struct journal journal;

	(void)state;
	begin(&journal, 3);
	die(&journal);
	assert_int_equal(linkat(folder, "first", folder, "kept", 0), 0);
	put("third name", "changed");
	assert_int_equal(roll_back(&journal), JOURNAL_STAYS);
	assert_string_equal(content("first"), "");
	assert_string_equal(content("a/second"), "old");
	assert_string_equal(content("third name"), "changed");
	assert_int_equal(linkat(folder, "kept", folder, "first", 0), 0);
	assert_int_equal(roll_back(&journal), JOURNAL_STAYS);
	assert_string_equal(content("first"), "one");
	assert_int_equal(unlinkat(folder, "third name", 0), 0);
	assert_int_equal(roll_back(&journal), JOURNAL_GONE);
	assert_string_equal(content("first"), "one");
	assert_string_equal(content(journal.name), "");
}

/* It may put ours back when it fails. */
static void
what_another_form_has_replaced_is_waited_for(void **state)
{
	struct journal journal;

	(void)state;
	begin(&journal, 3);
	die(&journal);
	put(".penstock-other", "of another form");
	assert_int_equal(renameat2(folder, ".penstock-other", folder, "first", RENAME_EXCHANGE), 0);
	assert_int_equal(roll_back(&journal), JOURNAL_STAYS);
	assert_string_equal(content("first"), "of another form");
	assert_int_equal(unlinkat(folder, ".penstock-other", 0), 0);
	assert_int_equal(roll_back(&journal), JOURNAL_GONE);
	assert_string_equal(content("first"), "of another form");
}

/* In the copy every file is another one; the journal stays and tells, and the folder itself is taken back. */
static void
a_copied_folder_is_let_be(void **state)
{
	char command[128];
	struct journal journal;
	int original = folder, copy;

	(void)state;
	begin(&journal, 3);
	die(&journal);
	snprintf(command, sizeof command,
		"cd /proc/%d/fd/%d && mkdir copy && cp -a a first 'third name' t2 .p* copy", (int)getpid(), folder);
	assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
	copy = folder = openat(original, "copy", O_RDONLY | O_DIRECTORY);
	assert_int_equal(roll_back(&journal), JOURNAL_STAYS);
	assert_string_equal(content("first"), "one");
	assert_string_equal(content("a/second"), "two");
	assert_string_equal(content("third name"), "three");
	folder = original;
	close(copy);
	assert_int_equal(roll_back(&journal), JOURNAL_GONE);
	assert_string_equal(content("first"), "");
}

static void
a_journal_that_was_put_back_from_a_backup_is_not_believed(void **state)
{
	struct journal journal;
	char text[512];
	ssize_t n;
	int fd;

	(void)state;
	begin(&journal, 3);
	die(&journal);
	fd = openat(folder, journal.name, O_RDONLY);
	n = read(fd, text, sizeof text);
	close(fd);
	fd = openat(folder, "restored", O_WRONLY | O_CREAT, 0600);
	assert_true(n > 0 && write(fd, text, (size_t)n) == n);
	close(fd);
	assert_int_equal(renameat(folder, "restored", folder, journal.name), 0);
	assert_int_equal(roll_back(&journal), JOURNAL_STAYS);
	assert_string_equal(content("first"), "one");
}

/* Its entries had a number and two names, and nothing else to know a file by. */
static void
the_journal_of_an_older_version_is_not_believed(void **state)
{
	static const char text[] = "1\0t1\0first\0end";
	struct journal journal = { .name = JOURNAL_PREFIX "old" };
	int fd = openat(folder, journal.name, O_WRONLY | O_CREAT, 0600);

	(void)state;
	put("first", "one");
	assert_true(write(fd, text, sizeof text) == sizeof text);
	close(fd);
	assert_int_equal(roll_back(&journal), JOURNAL_STAYS);
	assert_string_equal(content("first"), "one");
}

static void
one_that_cannot_be_opened_is_told_of(void **state)
{
	struct journal journal = { .name = JOURNAL_PREFIX "folder" };

	(void)state;
	assert_int_equal(mkdirat(folder, journal.name, 0700), 0);
	assert_int_equal(roll_back(&journal), JOURNAL_STAYS);
}

/* -- a commit that spans more --------------------------------------------------------------------------- */

static void
on_answer(void *arg, const struct error *err)
{
	assert_null(err);
	loop_stop(arg);
}

/* Tells of a commit, and dies. */
static void
tell(const char *path, bool done, char out[UUID_SIZE])
{
	struct error err = { 0 };
	struct loop *loop = loop_new(&err);
	struct state *state = state_open(path, &err);
	struct state_entry *entry = state_entry_new(state, loop_mailbox(loop), on_answer, loop), *left;

	left = state_entry_new(state, loop_mailbox(loop), on_answer, loop); /* it lets the file stay */
	assert_true(state_start(state, &err));
	memcpy(out, state_entry_id(entry), UUID_SIZE);
	state_entry_add(entry, &(struct record_object){ "d", "/at", "first", RECORD_BACK_FOLDER, NULL });
	assert_true(state_entry_tell(entry));
	loop_run(loop);
	assert_true(state_entry_tell(left));
	loop_run(loop);
	if (done) {
		state_entry_done(entry);
		loop_run(loop);
	}
	state_entry_release(entry);
	state_entry_release(left);
	state_stop(state);
	state_free(state);
	loop_free(loop);
}

static void
a_commit_that_spans_more_goes_as_the_state_says(void **unused)
{
	char path[64], told[UUID_SIZE];
	struct error err = { 0 };

	(void)unused;
	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	for (int done = 0; done < 2; done++) {
		struct journal journal;
		struct state *state;

		tell(path, done, told);
		id = told;
		begin(&journal, 3);
		id = NULL;
		die(&journal);
		assert_int_equal(roll_back(&journal), JOURNAL_STAYS); /* nobody knows */
		assert_string_equal(content("first"), "one");
		state = state_open(path, &err);
		assert_non_null(state);
		assert_int_equal(journal_roll_back(folder, journal.name, state, false), JOURNAL_GONE);
		assert_string_equal(content("first"), done ? "one" : "");
		assert_string_equal(content("a/second"), done ? "two" : "old");
		assert_string_equal(content(journal.name), "");
		state_free(state);
		unlinkat(folder, "first", 0);
		unlinkat(folder, "third name", 0);
		unlinkat(folder, "t1", 0);
	}
}

/* An application was asked about what is visible, and then the process died. */
static void
tell_asked(const char *path, char out[UUID_SIZE])
{
	static const struct record_app app = { "app", "route", "x", "/failed", "/resolve", RECORD_COMMITTED };
	struct error err = { 0 };
	struct loop *loop = loop_new(&err);
	struct state *state = state_open(path, &err);
	struct state_entry *entry = state_entry_new(state, loop_mailbox(loop), on_answer, loop);

	assert_true(state_start(state, &err));
	memcpy(out, state_entry_id(entry), UUID_SIZE);
	state_entry_set_app(entry, &app);
	state_entry_add(entry, &(struct record_object){ "d", "/at", "first", RECORD_BACK_FOLDER, NULL });
	assert_true(state_entry_tell(entry));
	loop_run(loop);
	state_entry_note(entry, RECORD_ASKED);
	loop_run(loop);
	state_entry_release(entry);
	state_stop(state);
	state_free(state);
	loop_free(loop);
}

static void
a_commit_of_which_only_an_application_knows_waits_for_it(void **unused)
{
	char path[64], told[UUID_SIZE];
	struct error err = { 0 };

	(void)unused;
	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	for (int stands = 0; stands < 2; stands++) {
		struct state_owed *owed;
		struct journal journal;
		struct state *state;

		tell_asked(path, told);
		id = told;
		begin(&journal, 3);
		id = NULL;
		die(&journal);
		state = state_open(path, &err);
		assert_non_null(state);
		assert_int_equal(journal_roll_back(folder, journal.name, state, true), JOURNAL_WAITS);
		assert_string_equal(content("first"), "one");
		owed = state_take_owed(state);
		assert_true(owed != NULL && owed->is_question && state_owed_answered(state, owed, stands));
		assert_int_equal(journal_roll_back(folder, journal.name, state, false), JOURNAL_GONE);
		assert_string_equal(content("first"), stands ? "one" : "");
		assert_string_equal(content("a/second"), stands ? "two" : "old");
		state_settle_place(state, "/at");
		assert_int_equal(state_unsettled(state), 0);
		state_free(state);
		unlinkat(folder, "first", 0);
		unlinkat(folder, "third name", 0);
		unlinkat(folder, "t1", 0);
	}
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
		CASE(a_file_that_got_the_number_later_stays),
		CASE(what_is_settled_is_crossed_out),
		CASE(what_another_form_has_replaced_is_waited_for),
		CASE(a_copied_folder_is_let_be),
		CASE(a_journal_that_was_put_back_from_a_backup_is_not_believed),
		CASE(the_journal_of_an_older_version_is_not_believed),
		CASE(one_that_cannot_be_opened_is_told_of),
		cmocka_unit_test_setup_teardown(a_commit_that_spans_more_goes_as_the_state_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_commit_of_which_only_an_application_knows_waits_for_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
