// SPDX-License-Identifier: MIT
/* test_owed.c - of which forms an application does not know yet what became of them: as this process tells, as the next one finds it
 * wherever the file breaks off, and what is written of it when the application has answered. */
#include "lib/check.h"
#include "lib/folder.h"
#include "state/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"

static const struct record_app app = { "app", "route", "x%20y", "/failed?a=1", "/resolve", RECORD_COMMITTED };
static const struct record_app held = { "app", "route", "x", "/failed", NULL, RECORD_HELD };
static const struct record_object store = { "store", "http://127.0.0.1:80/p", "/a-1", RECORD_BACK_ASK, NULL };
static const struct record_object file = { "files", "/srv/out", "a/1", RECORD_BACK_FOLDER, NULL };

/* -- records ------------------------------------------------------------------------------------------ */

static void
an_intent_with_an_application_is_read_as_it_was_written(void **unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++) {
		const struct record_app *said = i == 0 ? &app : &held;
		struct buf payload = { 0 }, out = { 0 };
		struct record_object object;
		struct record record;
		struct str rest;

		record_begin(&payload, ID, said);
		record_add(&payload, &store);
		record_write(&out, buf_str(&payload));
		rest = buf_str(&out);
		assert_int_equal(record_next(&rest, &record), RECORD_FOUND);
		assert_int_equal(record.kind, RECORD_INTENT);
		assert_true(record.has_app);
		assert_string_equal(record.id, ID);
		assert_string_equal(record.app.destination, said->destination);
		assert_string_equal(record.app.route, said->route);
		assert_string_equal(record.app.request_id, said->request_id);
		assert_string_equal(record.app.failed, said->failed);
		assert_int_equal(record.app.when, said->when);
		if (said->resolve != NULL)
			assert_string_equal(record.app.resolve, said->resolve);
		else
			assert_null(record.app.resolve);
		assert_true(record_next_object(&record.objects, &object));
		assert_string_equal(object.target, store.target);
		assert_false(record_next_object(&record.objects, &object));
		buf_free(&payload);
		buf_free(&out);
	}
}

static void
one_that_makes_no_sense_is_passed_over(void **unused)
{
	static const struct str payloads[] = { STR("J\0" ID "\0"), STR("J\0" ID "\0app\0route\0x\0c\0/f\0"),
		STR("J\0" ID "\0app\0route\0x\0\0/f\0\0"), STR("J\0" ID "\0app\0route\0x\0cc\0/f\0\0"),
		STR("J\0" ID "\0app\0route\0x\0z\0/f\0\0"), STR("AA\0" ID "\0"), STR("\0" ID "\0"), STR("F\0") };

	(void)unused;
	for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
		struct record record;

		assert_false(record_read(payloads[i], &record));
	}
}

/* -- the folder --------------------------------------------------------------------------------------- */

static int folder;
static char path[64];
static struct loop *loop;

static int
set_up(void **unused)
{
	struct error err = { 0 };

	(void)unused;
	folder = folder_make();
	loop = loop_new(&err);
	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	return folder >= 0 && loop != NULL ? 0 : -1;
}

static int
tear_down(void **unused)
{
	(void)unused;
	loop_free(loop);
	return folder_remove(folder);
}

static struct state *
start(void)
{
	struct error err = { 0 };
	struct state *state = state_open(path, &err);

	assert_non_null(state);
	return state;
}

static void
write_file(const char *name, struct str text)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY), fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
	close(fd);
	close(dir);
}

struct notes {
	const char *kinds; /* of records behind the intent */
	const struct record_app *app;
	size_t n_owed, n_unsettled; /* of a store's object and a folder's */
	bool is_question;
	enum state_fate fate;
};

static void
add_notes(struct buf *text, const struct notes *notes)
{
	struct buf payload = { 0 };

	record_begin(&payload, ID, notes->app);
	record_add(&payload, &store);
	record_add(&payload, &file);
	record_write(text, buf_str(&payload));
	for (const char *kind = notes->kinds; *kind != '\0'; kind++)
		record_write_note(text, (enum record_kind) * kind, ID);
	buf_free(&payload);
}

static void
expect_found(const struct notes *notes)
{
	struct state *state = start();
	struct state_owed *owed;

	assert_int_equal(state_owed(state), notes->n_owed);
	assert_int_equal(state_unsettled(state), notes->n_unsettled);
	assert_int_equal(state_fate(state, ID), notes->fate);
	owed = state_take_owed(state);
	assert_int_equal(owed != NULL, notes->n_owed > 0);
	if (owed != NULL) {
		assert_int_equal(owed->is_question, notes->is_question);
		assert_string_equal(owed->app.failed, notes->app->failed);
	}
	if (notes->fate == STATE_OPEN)
		assert_null(state_take_dead(state));
	state_free(state);
}

/* What the file of a process that has died tells, by what it had written. */
static void
what_a_form_has_come_to_is_found_again(void **unused)
{
	static const struct notes rows[] = {
		{ "", &app, 0, 2, false, STATE_CUT },
		{ "", &held, 0, 2, false, STATE_CUT },
		{ "A", &app, 1, 2, true, STATE_OPEN },
		{ "A", &held, 1, 2, false, STATE_CUT },
		{ "AF", &app, 1, 2, false, STATE_CUT },
		{ "AT", &app, 0, 2, false, STATE_CUT },
		{ "AFG", &app, 1, 1, false, STATE_CUT },
		{ "AFT", &app, 0, 2, false, STATE_CUT },
		{ "AFGD", &app, 0, 1, false, STATE_DONE },
		{ "AD", &app, 0, 1, false, STATE_DONE },
		{ "AD", &held, 0, 1, false, STATE_DONE },
		{ "D", &held, 0, 1, false, STATE_DONE },
		{ "ADT", &app, 0, 2, false, STATE_CUT }, /* the second decision counts */
		{ "ATD", &app, 0, 1, false, STATE_DONE },
		{ "A", NULL, 0, 2, false, STATE_CUT },
	};

	(void)unused;
	state_free(start());
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int version = 1; version <= 2; version++) {
			struct buf text = { 0 };

			buf_add_text(&text, version == 1 ? RECORD_FORMAT_1 : RECORD_FORMAT);
			add_notes(&text, &rows[i]);
			write_file("penstock-dead.journal", buf_str(&text));
			expect_found(&rows[i]);
			buf_free(&text);
		}
}

/* A note that is cut short anywhere says nothing. */
static void
a_file_that_breaks_off_tells_what_is_whole(void **unused)
{
	static const struct notes whole = { "AF", &app, 1, 2, false, STATE_CUT };
	static const struct notes asked = { "A", &app, 1, 2, true, STATE_OPEN };
	static const struct notes told = { "", &app, 0, 2, false, STATE_CUT };
	size_t ends[3];
	struct buf text = { 0 };

	(void)unused;
	state_free(start());
	for (size_t i = 0; i < 3; i++) {
		buf_clear(&text);
		buf_add_text(&text, RECORD_FORMAT);
		add_notes(&text, i == 0 ? &told : i == 1 ? &asked : &whole);
		ends[i] = text.len;
	}
	for (size_t len = ends[0]; len <= ends[2]; len++) {
		write_file("penstock-dead.journal", (struct str){ text.data, len });
		expect_found(len < ends[1] ? &told : len < ends[2] ? &asked : &whole);
	}
	buf_free(&text);
}

static void
put_dead(const char *kinds, const struct record_app *whose)
{
	struct buf text = { 0 };

	buf_add_text(&text, RECORD_FORMAT);
	add_notes(&text, &(struct notes){ .kinds = kinds, .app = whose });
	write_file("penstock-dead.journal", buf_str(&text));
	buf_free(&text);
}

static size_t
count_files(void)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void
settle_all(struct state *state)
{
	struct dead_object *object;

	while ((object = state_take_dead(state)) != NULL)
		state_settle(state, object);
	state_settle_place(state, file.at);
}

/* Also the start after the next one goes by what the application has said. */
static void
what_the_application_answers_is_kept(void **unused)
{
	(void)unused;
	for (int stands = 0; stands < 2; stands++) {
		struct state *state = start();

		put_dead("A", &app);
		state_free(state);
		state = start();
		assert_true(state_owed_answered(state, state_take_owed(state), stands));
		assert_int_equal(state_owed(state), 0);
		assert_int_equal(state_fate(state, ID), stands ? STATE_DONE : STATE_CUT);
		assert_int_equal(state_unsettled(state), stands ? 1 : 2);
		state_free(state);
		expect_found(
			&(struct notes){ "", &app, 0, stands ? 1 : 2, false, stands ? STATE_DONE : STATE_CUT });
		state = start();
		settle_all(state);
		assert_int_equal(count_files(), 1);
		state_free(state);
	}
}

static void
one_that_was_told_is_not_owed_by_the_next(void **unused)
{
	struct state *state;

	(void)unused;
	state_free(start());
	put_dead("AF", &app);
	state = start();
	settle_all(state); /* in any order */
	assert_int_equal(state_unsettled(state), 0);
	assert_int_equal(count_files(), 2);
	state_owed_told(state, state_take_owed(state));
	assert_int_equal(state_owed(state), 0);
	assert_int_equal(count_files(), 1);
	state_free(state);
	put_dead("A", &held);
	state = start();
	state_owed_told(state, state_take_owed(state));
	state_free(state);
	expect_found(&(struct notes){ "", &held, 0, 2, false, STATE_CUT });
}

/* A decision that is not on the disk is none: half of a form could stay when the next start hears another one. */
static void
an_answer_that_cannot_be_written_changes_nothing(void **unused)
{
	struct state *state;
	struct state_owed *owed;

	(void)unused;
	state_free(start());
	put_dead("A", &app);
	state = start();
	owed = state_take_owed(state);
	folder_limit_files(200);
	assert_false(state_owed_answered(state, owed, false));
	assert_int_equal(state_owed(state), 1);
	assert_int_equal(state_fate(state, ID), STATE_OPEN);
	assert_null(state_take_dead(state));
	folder_limit_files(RLIM_INFINITY);
	assert_true(state_owed_answered(state, owed, true));
	state_free(state);
	expect_found(&(struct notes){ "", &app, 0, 1, false, STATE_DONE });
}

/* -- this process ------------------------------------------------------------------------------------- */

static unsigned n_calls;

static void
on_owed(void *arg)
{
	n_calls++;
	loop_stop(state_loop(arg));
}

static void
on_answer(void *arg, const struct error *err)
{
	(void)arg;
	assert_null(err);
}

static struct state *turning;
static struct mail turn_mail;

static void
on_turn(struct mail *mail, unsigned bits)
{
	(void)mail;
	(void)bits;
	loop_stop(state_loop(turning));
}

static void
turn(struct state *state)
{
	turning = state;
	mail_init(&turn_mail, on_turn);
	mailbox_post(loop_mailbox(state_loop(state)), &turn_mail, 1);
	loop_run(state_loop(state));
	loop_deliver_rest(loop);
}

static struct state_entry *
owe(struct state *state, bool leaves)
{
	struct state_entry *entry = state_entry_new(state, loop_mailbox(loop), on_answer, NULL);

	assert_non_null(entry);
	state_entry_set_app(entry, &app);
	state_entry_add(entry, &store);
	state_entry_add(entry, &file);
	assert_true(state_entry_tell_asked(entry));
	turn(state);
	state_entry_owe(entry, leaves);
	return entry;
}

static void
what_this_process_owes_is_taken_at_once_and_left_to_the_next(void **unused)
{
	(void)unused;
	for (int leaves = 0; leaves < 2; leaves++)
		for (int told = 0; told < 3; told++) {
			struct state *state = start();
			struct state_entry *entry;
			struct state_owed *owed;

			n_calls = 0;
			state_on_owed(state, on_owed, state);
			entry = owe(state, leaves);
			if (told < 2)
				state_entry_release(entry);
			turn(state);
			assert_int_equal(n_calls, 1);
			assert_int_equal(state_owed(state), 1);
			owed = state_take_owed(state);
			assert_non_null(owed);
			assert_false(owed->is_question);
			assert_string_equal(owed->app.request_id, app.request_id);
			assert_null(state_take_owed(state));
			if (told > 0)
				state_owed_told(state, owed);
			if (told == 2)
				state_entry_release(entry); /* the last to let it go is the maker */
			turn(state);
			assert_int_equal(state_owed(state), told == 0);
			state_free(state);
			state = start();
			assert_int_equal(state_owed(state), told == 0);
			assert_int_equal(state_unsettled(state), leaves ? 2 : told == 0 ? 1 : 0);
			if (told == 0)
				state_owed_told(state, state_take_owed(state));
			settle_all(state);
			state_free(state);
			assert_int_equal(count_files(), 0);
		}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_intent_with_an_application_is_read_as_it_was_written),
		cmocka_unit_test(one_that_makes_no_sense_is_passed_over),
		CASE(what_a_form_has_come_to_is_found_again),
		CASE(a_file_that_breaks_off_tells_what_is_whole),
		CASE(what_the_application_answers_is_kept),
		CASE(one_that_was_told_is_not_owed_by_the_next),
		CASE(an_answer_that_cannot_be_written_changes_nothing),
		CASE(what_this_process_owes_is_taken_at_once_and_left_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
