// SPDX-License-Identifier: MIT
/* What a state file tells is found again as far as it was written, and by whoever comes when its process is dead. */
#include "lib/check.h"
#include "lib/folder.h"
#include "state/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- records ------------------------------------------------------------------------------------------ */

#define ID_A "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define ID_B "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"

static const struct record_object store = { "store", "http://127.0.0.1:80/p", "/a-1", RECORD_BACK_ASK, NULL };
static const struct record_object uploaded = { "bucket", "http://127.0.0.1:80/b", "/u-1", RECORD_BACK_TELL,
	"x%2By" };
static const struct record_object file = { "files", "/srv/out", "a/1", RECORD_BACK_FOLDER, NULL };

static void
add_intent(struct buf *out, const char *id)
{
	struct buf payload = { 0 };

	record_begin(&payload, id, NULL);
	record_add(&payload, &store);
	record_add(&payload, &file);
	record_add(&payload, &uploaded);
	record_write(out, buf_str(&payload));
	buf_free(&payload);
}

/* Whole, and yet none of ours: of a later version, or no record at all. */
static void
a_whole_record_of_another_kind_is_passed_over(void **state)
{
	static const struct str payloads[] = { STR("X\0id\0"), STR("I"), STR("D\0not an end"), STR("\0\0"),
		STR("D\0aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa-and-more\0") };

	(void)state;
	for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
		struct buf out = { 0 };
		struct record record;
		struct str rest;

		record_write(&out, payloads[i]);
		record_write_note(&out, RECORD_DONE, "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa");
		rest = buf_str(&out);
		assert_int_equal(record_next(&rest, &record), RECORD_TORN);
		assert_int_equal(record_next(&rest, &record), RECORD_FOUND);
		assert_int_equal(record.kind, RECORD_DONE);
		buf_free(&out);
	}
}

static void
a_record_is_read_as_it_was_written(void **state)
{
	struct record_object object;
	struct buf out = { 0 };
	struct record record;
	struct str rest;

	(void)state;
	add_intent(&out, ID_A);
	record_write_note(&out, RECORD_DONE, ID_B);
	rest = buf_str(&out);
	assert_int_equal(record_next(&rest, &record), RECORD_FOUND);
	assert_int_equal(record.kind, RECORD_INTENT);
	assert_string_equal(record.id, ID_A);
	assert_true(record_next_object(&record.objects, &object));
	assert_string_equal(object.destination, "store");
	assert_string_equal(object.at, "http://127.0.0.1:80/p");
	assert_string_equal(object.target, "/a-1");
	assert_int_equal(object.back, RECORD_BACK_ASK);
	assert_null(object.upload);
	assert_true(record_next_object(&record.objects, &object));
	assert_int_equal(object.back, RECORD_BACK_FOLDER);
	assert_null(object.upload);
	assert_true(record_next_object(&record.objects, &object));
	assert_string_equal(object.target, "/u-1");
	assert_int_equal(object.back, RECORD_BACK_TELL);
	assert_string_equal(object.upload, "x%2By");
	assert_false(record_next_object(&record.objects, &object));
	assert_int_equal(record_next(&rest, &record), RECORD_FOUND);
	assert_int_equal(record.kind, RECORD_DONE);
	assert_string_equal(record.id, ID_B);
	assert_int_equal(record_next(&rest, &record), RECORD_END);
	buf_free(&out);
}

/* As a process wrote it that knew of no uploads: a file may be older than who reads it. */
static void
a_record_without_uploads_is_read(void **state)
{
	static const char written[] = "I\0" ID_A "\0store\0http://127.0.0.1:80/p\0/a-1\0a\0files\0/srv/out\0a/1\0f";
	struct record_object object;
	struct record record;
	struct buf out = { 0 };
	struct str rest;

	(void)state;
	record_write(&out, (struct str){ written, sizeof written });
	rest = buf_str(&out);
	assert_int_equal(record_next(&rest, &record), RECORD_FOUND);
	assert_true(record_next_object(&record.objects, &object));
	assert_string_equal(object.target, "/a-1");
	assert_int_equal(object.back, RECORD_BACK_ASK);
	assert_null(object.upload);
	assert_true(record_next_object(&record.objects, &object));
	assert_int_equal(object.back, RECORD_BACK_FOLDER);
	assert_null(object.upload);
	assert_false(record_next_object(&record.objects, &object));
	buf_free(&out);
}

/* How many whole records there are, and whether something else. */
static size_t
count(struct str text, bool *torn)
{
	enum record_found found;
	struct record record;
	size_t n = 0;

	*torn = false;
	while ((found = record_next(&text, &record)) != RECORD_END) {
		n += found == RECORD_FOUND;
		*torn = *torn || found == RECORD_TORN;
	}
	return n;
}

static void
what_was_cut_at_any_byte_counts_as_far_as_it_is_whole(void **state)
{
	struct buf out = { 0 };
	size_t first;

	(void)state;
	add_intent(&out, ID_A);
	first = out.len;
	add_intent(&out, ID_B);
	for (size_t len = 0; len <= out.len; len++) {
		char *copy = malloc(len > 0 ? len : 1); /* so that a sanitizer sees each byte behind it */
		bool torn;

		assert_non_null(copy);
		memcpy(copy, out.data, len);
		assert_int_equal(
			count((struct str){ copy, len }, &torn), (size_t)(len >= first) + (len == out.len));
		assert_int_equal(torn, len > 0 && len != first && len != out.len);
		free(copy);
	}
	buf_free(&out);
}

static void
a_byte_that_is_wrong_spoils_its_record_alone(void **state)
{
	struct buf out = { 0 };
	size_t first;

	(void)state;
	add_intent(&out, ID_A);
	first = out.len;
	add_intent(&out, ID_B);
	for (size_t i = 0; i < first; i++) {
		bool torn;

		out.data[i] ^= 4;
		assert_int_equal(count(buf_str(&out), &torn), 1);
		assert_true(torn);
		out.data[i] ^= 4;
	}
	buf_free(&out);
}

/* -- the folder --------------------------------------------------------------------------------------- */

struct world {
	int folder;
	char path[64];
	struct loop *loop;
	unsigned n_answers, n_wanted, n_errors;
	enum error_kind kind;
};

static struct world world;

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	world = (struct world){ .folder = folder_make(), .loop = loop_new(&err) };
	snprintf(world.path, sizeof world.path, "/proc/self/fd/%d/state", world.folder);
	return world.folder >= 0 && world.loop != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_free(world.loop);
	return folder_remove(world.folder);
}

static struct state *
start(void)
{
	struct error err = { 0 };
	struct state *state = state_open(world.path, &err);

	assert_string_equal(err.message, "");
	assert_non_null(state);
	assert_true(state_start(state, &err));
	return state;
}

static void
end(struct state *state)
{
	state_stop(state);
	state_free(state);
}

static void
on_answer(void *arg, const struct error *err)
{
	(void)arg;
	world.n_errors += err != NULL;
	if (err != NULL)
		world.kind = err->kind;
	if (++world.n_answers == world.n_wanted)
		loop_stop(world.loop);
}

static void
wait_for_answers(unsigned n)
{
	world.n_wanted = world.n_answers + n;
	loop_run(world.loop);
}

static struct state_entry *
tell(struct state *state, const struct record_object *object)
{
	struct state_entry *entry = state_entry_new(state, loop_mailbox(world.loop), on_answer, NULL);

	assert_non_null(entry);
	state_entry_add(entry, object);
	state_entry_add(entry, &store);
	assert_true(state_entry_tell(entry));
	return entry;
}

static struct state_entry *
told(struct state *state, const struct record_object *object)
{
	struct state_entry *entry = tell(state, object);

	wait_for_answers(1);
	return entry;
}

/* Files in the folder; *size is that of the last. */
static size_t
count_files(off_t *size)
{
	DIR *dir = opendir(world.path);
	const struct dirent *entry;
	size_t n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (size != NULL && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0)
			*size = st.st_size;
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

static void
what_was_not_done_is_found_by_the_next_start(void **unused)
{
	struct state *state = start();
	struct state_entry *cut = told(state, &file), *done = told(state, &store);
	char cut_id[UUID_SIZE], done_id[UUID_SIZE];
	struct dead_object *object;

	(void)unused;
	memcpy(cut_id, state_entry_id(cut), sizeof cut_id);
	memcpy(done_id, state_entry_id(done), sizeof done_id);
	state_entry_done(done);
	wait_for_answers(1);
	assert_int_equal(state_fate(state, cut_id), STATE_UNKNOWN); /* its process lives */
	state_entry_release(cut);
	state_entry_release(done);
	end(state);
	assert_int_equal(count_files(NULL), 1);

	state = start();
	assert_int_equal(state_fate(state, cut_id), STATE_CUT);
	assert_int_equal(state_fate(state, done_id), STATE_DONE);
	assert_int_equal(state_unsettled(state), 2);
	object = state_take_dead(state);
	assert_non_null(object);
	assert_string_equal(object->is.target, store.target);
	assert_null(state_take_dead(state));
	state_settle(state, object);
	assert_int_equal(state_unsettled(state), 1);
	state_settle_place(state, "/srv/else");
	assert_int_equal(state_unsettled(state), 1);
	state_settle_place(state, file.at);
	assert_int_equal(state_unsettled(state), 0);
	assert_int_equal(count_files(NULL), 1); /* its own */
	end(state);
	assert_int_equal(count_files(NULL), 0);
}

static void
what_a_start_has_not_settled_is_found_by_the_one_after(void **unused)
{
	struct state *state = start();

	(void)unused;
	state_entry_release(told(state, &file));
	end(state);
	for (int i = 0; i < 3; i++) {
		state = start();
		assert_int_equal(state_unsettled(state), 2);
		end(state);
	}
}

static void
of_a_commit_that_was_done_only_folders_are_settled(void **unused)
{
	struct state *state = start();
	struct state_entry *done = told(state, &file), *left = told(state, &store);

	(void)unused;
	state_entry_done(done);
	wait_for_answers(1);
	/* both are held: a process that is killed leaves the file as it is now */
	state_entry_release(left);
	state_entry_release(done);
	end(state);
	state = start();
	assert_int_equal(state_unsettled(state), 3); /* `left` has two */
	end(state);
}

static void
a_living_process_keeps_its_file(void **unused)
{
	struct state *one = start(), *two = start();
	struct state_entry *entry = told(one, &file);
	char id[UUID_SIZE];

	(void)unused;
	memcpy(id, state_entry_id(entry), sizeof id);
	assert_int_equal(count_files(NULL), 2);
	assert_int_equal(state_fate(two, id), STATE_UNKNOWN);
	state_entry_release(entry);
	end(one);
	assert_int_equal(state_fate(two, id), STATE_CUT); /* who is asked looks again */
	assert_int_equal(state_unsettled(two), 2);
	end(two);
}

static void
forms_that_wait_are_written_together(void **unused)
{
	struct state_entry *entries[200];
	struct state *state = start();

	(void)unused;
	for (size_t i = 0; i < 200; i++)
		entries[i] = tell(state, &file);
	wait_for_answers(200);
	for (size_t i = 0; i < 200; i++)
		if (i % 2 == 0)
			state_entry_done(entries[i]);
		else
			state_entry_forget(entries[i]);
	wait_for_answers(100);
	assert_int_equal(world.n_errors, 0);
	for (size_t i = 0; i < 200; i++)
		state_entry_release(entries[i]);
	end(state);
	assert_int_equal(count_files(NULL), 0);
}

static void
a_file_that_tells_little_is_written_anew(void **unused)
{
	static char name[4096];
	struct record_object big = { "files", "/srv/out", name, RECORD_BACK_FOLDER, NULL };
	struct state *state = start();
	struct state_entry *held = told(state, &store), *entries[100];
	off_t size = 0, most = 0;
	char id[UUID_SIZE];
	size_t n = 0;

	(void)unused;
	memset(name, 'x', sizeof name - 1);
	memcpy(id, state_entry_id(held), sizeof id);
	for (int round = 0; round < 8; round++) {
		for (size_t i = 0; i < 100; i++)
			entries[i] = tell(state, &big);
		wait_for_answers(100);
		for (int i = 0; i < 10000 && (n = count_files(&size)) != 1; i++)
			usleep(1000); /* just now there are the old one and the new one */
		assert_int_equal(n, 1);
		most = size > most ? size : most;
		for (size_t i = 0; i < 100; i++)
			state_entry_done(entries[i]);
		wait_for_answers(100);
		for (size_t i = 0; i < 100; i++)
			state_entry_release(entries[i]);
	}
	assert_int_equal(world.n_errors, 0);
	assert_true(most > (1 << 20) && most < (5 << 19)); /* else it would hold 3.2 MB */
	state_entry_release(held);
	end(state);
	state = start();
	assert_int_equal(state_fate(state, id), STATE_CUT);
	end(state);
}

/* -- what goes wrong ---------------------------------------------------------------------------------- */

static void
what_cannot_be_written_is_said_and_tried_again(void **unused)
{
	struct state *state = start();
	struct state_entry *before = told(state, &store), *failed, *after;
	struct buf why = { 0 };
	off_t size = 0;
	char id[UUID_SIZE], failed_id[UUID_SIZE];

	(void)unused;
	memcpy(id, state_entry_id(before), sizeof id);
	count_files(&size);
	folder_limit_files((rlim_t)size + 20); /* part of the record can be written */
	failed = told(state, &file);
	memcpy(failed_id, state_entry_id(failed), sizeof failed_id);
	assert_int_equal(world.n_errors, 1);
	assert_int_equal(world.kind, ERR_UPSTREAM_FULL);
	assert_false(state_is_good(state, &why));
	state_entry_done(before);
	wait_for_answers(1);
	assert_int_equal(world.n_errors, 2); /* it is not done, and may be tried again */
	folder_limit_files(RLIM_INFINITY);
	for (int i = 0; i < 1000 && !state_is_good(state, &why); i++)
		usleep(10000);
	assert_true(state_is_good(state, &why));
	after = told(state, &file);
	assert_int_equal(world.n_errors, 2);
	state_entry_release(before);
	state_entry_release(failed);
	state_entry_release(after);
	end(state);
	state = start();
	assert_int_equal(state_fate(state, id), STATE_CUT);
	assert_int_equal(state_fate(state, failed_id), STATE_UNKNOWN);
	assert_int_equal(state_unsettled(state), 4);
	end(state);
	buf_free(&why);
}

static void
a_folder_that_cannot_be_is_no_start(void **unused)
{
	struct error err = { 0 };
	int fd = openat(world.folder, "state", O_WRONLY | O_CREAT, 0600);

	(void)unused;
	assert_true(fd >= 0);
	close(fd);
	assert_null(state_open(world.path, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.message, "cannot be opened"));
}

static void
put(const char *name, const char *text)
{
	int dir = open(world.path, O_RDONLY | O_DIRECTORY), fd = openat(dir, name, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	close(dir);
}

static void
what_is_not_ours_is_let_be(void **unused)
{
	struct state *state = start();

	(void)unused;
	end(state);
	put("penstock-x.journal", "penstock-state 99\n"); /* of another version: told, and let be */
	put("penstock-y.journal", "penst");               /* a process died while it made it */
	put("penstock-z.journal.new", RECORD_FORMAT);     /* a rewriting was cut short */
	put("note.txt", "x");
	state = start();
	assert_int_equal(count_files(NULL), 3);
	assert_int_equal(state_unsettled(state), 0);
	end(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_record_of_another_kind_is_passed_over),
		cmocka_unit_test(a_record_is_read_as_it_was_written),
		cmocka_unit_test(a_record_without_uploads_is_read),
		cmocka_unit_test(what_was_cut_at_any_byte_counts_as_far_as_it_is_whole),
		cmocka_unit_test(a_byte_that_is_wrong_spoils_its_record_alone),
		cmocka_unit_test_setup_teardown(what_was_not_done_is_found_by_the_next_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_a_start_has_not_settled_is_found_by_the_one_after, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			of_a_commit_that_was_done_only_folders_are_settled, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_living_process_keeps_its_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forms_that_wait_are_written_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_tells_little_is_written_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said_and_tried_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_is_no_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_ours_is_let_be, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
