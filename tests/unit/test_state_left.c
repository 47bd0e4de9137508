// SPDX-License-Identifier: MIT
/* test_state_left.c - what is mentioned of uploads is in the file at once, and what is left of them is settled by this process or by the
 * next. The state's loop is run by the test. */
#include "lib/check.h"
#include "lib/folder.h"
#include "loop/loop.h"
#include "state/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int folder;
static struct state *state;
static struct loop *answers; /* of those who make entries */

static void
start(void)
{
	struct error err = { 0 };
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	state = state_open(path, &err);
	assert_string_equal(err.message, "");
}

static int
set_up(void **unused)
{
	struct error err = { 0 };

	(void)unused;
	folder = folder_make();
	answers = loop_new(&err);
	start();
	return state != NULL && answers != NULL ? 0 : -1;
}

static int
tear_down(void **unused)
{
	(void)unused;
	state_free(state);
	loop_free(answers);
	return folder_remove(folder);
}

static void
start_again(void)
{
	state_free(state);
	start();
}

static void
on_turned(struct timer *timer)
{
	(void)timer;
	loop_stop(state_loop(state));
}

static void
turn(void)
{
	struct timer timer = { .fire = on_turned };

	assert_true(loop_set_timer(state_loop(state), &timer, 0));
	loop_run(state_loop(state));
}

/* All files together, up to what fits. */
static size_t
read_files(char *to, size_t room)
{
	int fd = openat(folder, "state", O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	size_t len = 0;

	while ((entry = readdir(dir)) != NULL) {
		int file = entry->d_name[0] != '.' ? openat(dirfd(dir), entry->d_name, O_RDONLY) : -1;
		ssize_t n = file >= 0 ? read(file, to + len, room - len) : 0;

		len += n > 0 ? (size_t)n : 0;
		if (file >= 0)
			close(file);
	}
	closedir(dir);
	return len;
}

static bool
is_in_file(const char *text)
{
	static char all[65536];
	size_t len = read_files(all, sizeof all);

	return memmem(all, len, text, strlen(text)) != NULL;
}

static struct state_entry *
mention(const char *destination, const char *upload)
{
	struct state_entry *entry = state_entry_new(state, NULL, NULL, NULL);

	assert_non_null(entry);
	state_entry_add(entry,
		&(struct record_object){ .destination = destination,
			.at = "http://127.0.0.1:80/b",
			.target = "/key",
			.back = RECORD_BACK_UPLOAD,
			.upload = upload });
	assert_true(state_entry_mention(entry));
	return entry;
}

static void
leave(const char *destination, const char *upload)
{
	state_entry_release(mention(destination, upload));
	turn();
}

static void
forget(struct state_entry *entry)
{
	state_entry_forget(entry);
	state_entry_release(entry);
	turn();
}

static void
on_answer(void *unused, const struct error *err)
{
	(void)unused;
	assert_null(err);
}

/* -- mentions ------------------------------------------------------------------------------------------------ */

static void
what_is_mentioned_is_in_the_file_until_it_is_forgotten(void **unused)
{
	struct state_entry *one = mention("s", "first"), *other = mention("s", "second");

	(void)unused;
	turn();
	assert_true(is_in_file("first") && is_in_file("second"));
	assert_null(state_take_dead(state)); /* nobody has left it */
	forget(one);
	state_entry_release(other);
	start_again();
	assert_int_equal(state_unsettled(state), 1);
	assert_string_equal(state_take_dead(state)->is.upload, "second");
}

static void
what_is_forgotten_before_it_is_written_never_is(void **unused)
{
	(void)unused;
	forget(mention("s", "first"));
	assert_false(is_in_file("first"));
	assert_int_equal(state_unsettled(state), 0);
}

static void
what_cannot_be_written_at_once_is_written_when_it_can(void **unused)
{
	struct buf why = { 0 };
	struct state_entry *entry;

	(void)unused;
	folder_limit_files(20);
	entry = mention("s", "first");
	turn();
	assert_false(state_is_good(state, &why) || is_in_file("first"));
	folder_limit_files(RLIM_INFINITY);
	while (!state_is_good(state, &why)) {
		usleep(10000);
		turn();
	}
	assert_true(is_in_file("first"));
	forget(entry);
	buf_free(&why);
}

/* -- what is left ----------------------------------------------------------------------------------------- */

static void
what_is_left_is_settled_by_the_process_that_left_it(void **unused)
{
	struct dead_object *object;

	(void)unused;
	leave("s", "first");
	assert_int_equal(state_unsettled(state), 1);
	object = state_take_dead(state);
	assert_string_equal(object->is.upload, "first");
	assert_string_equal(object->is.destination, "s");
	assert_null(state_take_dead(state)); /* it is given once */
	state_settle(state, object);
	turn();
	assert_int_equal(state_unsettled(state), 0);
	start_again();
	assert_int_equal(state_unsettled(state), 0);
}

static void
or_by_the_next_one(void **unused)
{
	(void)unused;
	leave("s", "first");
	state_take_dead(state); /* it was not settled before the end */
	start_again();
	assert_string_equal(state_take_dead(state)->is.upload, "first");
}

static void
fill(const char *destination)
{
	char upload[16];

	for (unsigned i = 0; i < STATE_LEFT_MAX; i++) {
		snprintf(upload, sizeof upload, "upload-%u", i);
		leave(destination, upload);
	}
}

/* As a store that refused for a year, and then comes back. */
static void
of_a_destination_so_many_are_kept_at_a_time_and_no_more(void **unused)
{
	struct dead_object *object;

	(void)unused;
	fill("s");
	leave("s", "one more");
	assert_int_equal(state_unsettled(state), STATE_LEFT_MAX);
	leave("another", "of another");
	assert_int_equal(state_unsettled(state), STATE_LEFT_MAX + 1);
	for (unsigned i = 0; i < STATE_LEFT_MAX + 1; i++) {
		object = state_take_dead(state);
		assert_string_not_equal(object->is.upload, "one more");
		if (strcmp(object->is.destination, "s") == 0)
			state_settle(state, object);
	}
	assert_int_equal(state_unsettled(state), 1);
	fill("s");
	assert_int_equal(state_unsettled(state), STATE_LEFT_MAX + 1);
	start_again();
	assert_int_equal(state_unsettled(state), STATE_LEFT_MAX + 1);
}

/* -- forms that were given up --------------------------------------------------------------------------- */

static const struct record_object ours = { "store", "http://127.0.0.1:80/p", "/a-1", RECORD_BACK_ASK, "first" };
static const struct record_object others = { "store", "http://127.0.0.1:80/p", "/b", RECORD_BACK_TELL, NULL };
static const struct record_object in_folder = { "files", "/one", "x", RECORD_BACK_FOLDER, NULL };
static const struct record_app app = { "app", "route", "id", "/failed", NULL, RECORD_COMMITTED };

/* `told`: whom; NULL: nobody. */
static struct state_entry *
new_form(const struct record_app *told, const struct record_object *const *objects)
{
	struct state_entry *entry = state_entry_new(state, loop_mailbox(answers), on_answer, NULL);

	assert_non_null(entry);
	if (told != NULL)
		state_entry_set_app(entry, told);
	for (size_t i = 0; objects[i] != NULL; i++)
		state_entry_add(entry, objects[i]);
	assert_true(state_entry_mention(entry));
	return entry;
}

/* Its application was asked about it. */
static struct state_entry *
new_asked_form(void)
{
	const struct record_object *objects[] = { &ours, NULL };
	struct state_entry *entry = new_form(&app, objects);

	state_entry_note(entry, RECORD_ASKED);
	turn();
	loop_deliver_rest(answers);
	return entry;
}

static void
give_up(struct state_entry *entry)
{
	state_entry_release(entry);
	turn();
}

static void
settle_next(void)
{
	struct dead_object *object = state_take_dead(state);

	assert_non_null(object);
	assert_int_equal(object->is.back, RECORD_BACK_ASK);
	state_settle(state, object);
	turn();
}

static void
a_form_that_is_given_up_is_settled_by_the_process_that_left_it(void **unused)
{
	const struct record_object *objects[] = { &ours, &in_folder, &ours, NULL };

	(void)unused;
	give_up(new_form(NULL, objects));
	assert_int_equal(state_unsettled(state), 2);
	settle_next();
	assert_int_equal(state_unsettled(state), 1);
	settle_next();
	assert_null(state_take_dead(state));
	start_again();
	assert_int_equal(state_unsettled(state), 0);
}

static void
and_by_the_next_one_whatever_was_not_settled(void **unused)
{
	const struct record_object *objects[] = { &ours, &ours, NULL };

	(void)unused;
	give_up(new_form(NULL, objects));
	settle_next();
	state_take_dead(state);
	start_again();
	assert_int_equal(state_unsettled(state), 2); /* of one entry all is asked again */
}

static void
what_nobody_may_touch_is_left_to_whoever_looks(void **unused)
{
	const struct record_object *none[] = { &others, &in_folder, NULL }, *some[] = { &others, &ours, NULL };

	(void)unused;
	give_up(new_form(NULL, none));
	assert_null(state_take_dead(state));
	give_up(new_form(NULL, some));
	settle_next();
	assert_null(state_take_dead(state));
	assert_int_equal(state_unsettled(state), 0);
	start_again();
	assert_int_equal(state_unsettled(state), 4);
}

/* Else the next start would take the folder's journal for that of a form that stands. */
static void
what_a_folder_still_asks_for_stays_in_the_file(void **unused)
{
	const struct record_object *objects[] = { &ours, &in_folder, NULL };
	struct state_entry *entry = new_form(NULL, objects);
	char id[UUID_SIZE];

	(void)unused;
	snprintf(id, sizeof id, "%s", state_entry_id(entry));
	state_entry_leave(entry);
	turn();
	settle_next();
	assert_null(state_take_dead(state));
	start_again();
	assert_int_equal(state_fate(state, id), STATE_CUT);
}

static void
so_many_objects_of_a_destination_are_settled_at_a_time(void **unused)
{
	const struct record_object *objects[] = { &ours, &ours, NULL };
	size_t n = 0;

	(void)unused;
	for (unsigned i = 0; i < STATE_LEFT_MAX / 2 + 1; i++)
		give_up(new_form(NULL, objects));
	assert_int_equal(state_unsettled(state), STATE_LEFT_MAX);
	leave("store", "an upload is counted by itself");
	while (state_take_dead(state) != NULL)
		n++;
	assert_int_equal(n, STATE_LEFT_MAX + 1);
	start_again();
	assert_int_equal(state_unsettled(state), STATE_LEFT_MAX + 2 + 1);
}

/* -- ... and of which an application is told -------------------------------------------------------------- */

static void
tell_app(void)
{
	struct state_owed *owed = state_take_owed(state);

	assert_non_null(owed);
	state_owed_told(state, owed);
	turn();
}

static void
a_form_is_taken_back_while_its_application_is_still_to_be_told(void **unused)
{
	const struct record_object *objects[] = { &ours, NULL };

	(void)unused;
	for (int app_first = 0; app_first < 2; app_first++) {
		struct state_entry *entry = new_form(&app, objects);

		state_entry_owe(entry, true);
		give_up(entry);
		assert_int_equal(state_unsettled(state), 1);
		if (app_first)
			tell_app();
		settle_next();
		assert_int_equal(state_owed(state), !app_first);
		if (!app_first)
			tell_app();
		start_again();
		assert_int_equal(state_unsettled(state), 0);
		assert_int_equal(state_owed(state), 0);
	}
}

static void
what_is_gone_is_not_looked_for_again_though_its_application_does_not_know(void **unused)
{
	struct state_entry *entry = new_asked_form();

	(void)unused;
	state_entry_owe(entry, true);
	give_up(entry);
	settle_next();
	start_again();
	assert_int_equal(state_unsettled(state), 0);
	assert_int_equal(state_owed(state), 1);
}

/* Its objects are its application's to say, and the next start asks it. */
static void
a_form_that_may_stand_is_not_touched(void **unused)
{
	(void)unused;
	give_up(new_asked_form());
	assert_null(state_take_dead(state));
}

/* As long as the verdict may not be on the disk. */
static void
nothing_is_taken_back_while_the_journal_cannot_be_written(void **unused)
{
	const struct record_object *objects[] = { &ours, NULL };
	struct state_entry *entry = new_form(&app, objects);
	struct buf why = { 0 };

	(void)unused;
	turn();
	folder_limit_files(20);
	state_entry_owe(entry, true);
	give_up(entry);
	assert_false(state_is_good(state, &why));
	assert_null(state_take_dead(state));
	folder_limit_files(RLIM_INFINITY);
	while (!state_is_good(state, &why)) {
		usleep(10000);
		turn();
	}
	settle_next();
	buf_free(&why);
}

/* So nobody asks for it twice. */
static void
what_a_commit_names_as_well_is_the_commits(void **unused)
{
	struct record_object store = { "s", "http://127.0.0.1:80/b", "/key", RECORD_BACK_ASK, "first" };
	struct state_entry *commit = state_entry_new(state, NULL, NULL, NULL), *first = mention("s", "first"),
			   *elsewhere = mention("another", "first"), *second = mention("s", "second");
	struct dead_object *object;

	(void)unused;
	state_entry_add(commit, &store);
	assert_true(state_entry_mention(commit));
	turn();
	state_entry_release(commit);
	state_entry_release(first);
	state_entry_release(elsewhere);
	state_entry_release(second);
	start_again();
	assert_int_equal(state_unsettled(state), 3);
	while ((object = state_take_dead(state)) != NULL)
		assert_true(object->is.back == RECORD_BACK_ASK || strcmp(object->is.destination, "s") != 0 ||
			strcmp(object->is.upload, "second") == 0);
}

/* Told, and done. */
static struct state_entry *
end_commit(struct loop *loop)
{
	struct state_entry *entry = state_entry_new(state, loop_mailbox(loop), on_answer, NULL);

	state_entry_add(entry, &in_folder);
	assert_true(state_entry_tell(entry));
	turn();
	loop_deliver_rest(loop);
	state_entry_done(entry);
	turn();
	loop_deliver_rest(loop);
	return entry;
}

/* The next start finds the folder's journal, and must not take it for that of a commit that was cut short. */
static void
a_commit_that_is_over_is_told_of_where_a_folder_still_asks(void **unused)
{
	struct error err = { 0 };
	struct loop *loop = loop_new(&err);

	(void)unused;
	for (int is_asked_for = 0; is_asked_for < 2; is_asked_for++) {
		struct state_entry *entry = end_commit(loop), *folders = state_entry_acquire(entry);
		char id[UUID_SIZE];

		snprintf(id, sizeof id, "%s", state_entry_id(entry));
		state_entry_release(entry);
		is_asked_for ? state_entry_leave(folders) : state_entry_release(folders);
		turn();
		start_again();
		assert_int_equal(state_fate(state, id), is_asked_for ? STATE_DONE : STATE_UNKNOWN);
		assert_int_equal(state_unsettled(state), is_asked_for);
		state_settle_place(state, "/one");
		assert_int_equal(state_unsettled(state), 0);
	}
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_mentioned_is_in_the_file_until_it_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_forgotten_before_it_is_written_never_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_written_at_once_is_written_when_it_can, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_left_is_settled_by_the_process_that_left_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(or_by_the_next_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			of_a_destination_so_many_are_kept_at_a_time_and_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_form_that_is_given_up_is_settled_by_the_process_that_left_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(and_by_the_next_one_whatever_was_not_settled, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_may_touch_is_left_to_whoever_looks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_folder_still_asks_for_stays_in_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			so_many_objects_of_a_destination_are_settled_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_form_is_taken_back_while_its_application_is_still_to_be_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_gone_is_not_looked_for_again_though_its_application_does_not_know, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_form_that_may_stand_is_not_touched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			nothing_is_taken_back_while_the_journal_cannot_be_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_commit_names_as_well_is_the_commits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_commit_that_is_over_is_told_of_where_a_folder_still_asks, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
