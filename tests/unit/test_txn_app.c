// SPDX-License-Identifier: MIT
/* test_txn_app.c - what the journal of commits tells of a form with an application, at each moment at which the process could be
 * killed, and what the application is owed afterwards. */
#include "base/mem.h"
#include "base/whole_file.h"
#include "lib/folder.h"
#include "lib/txn_world.h"
#include "state/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder;
static struct world world;
static struct delivery *first_of_all;
static const struct txn_app *app_now;

static const struct txn_app held = { "app", "route", "/failed", "/resolve", true, false };
static const struct txn_app committed = { "app", "route", "/failed?x=1", NULL, false, false };

static struct state *
open_state(const char *name)
{
	struct error err = { 0 };
	struct state *state;
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", folder, name);
	state = state_open(path, &err);
	assert_string_equal(err.message, "");
	return state;
}

/* A form of `n` objects: none, a file, or a file and something in a store. */
static void
begin(const struct txn_app *app, size_t n)
{
	struct txn_setup setup;
	struct error err = { 0 };

	folder = folder_make();
	world_set_up_with(&world, PLAN_ALL, open_state("state"));
	setup = *txn_setup_of(world.txn);
	setup.request_id = "id-1";
	txn_free(world.txn);
	world.txn = txn_new(&setup, &err);
	first_of_all = n > 0 ? world_kept(&world, &world.to_folder) : NULL;
	if (n > 1)
		world_kept(&world, &world.to_undoable);
	app_now = app;
	txn_set_app(world.txn, app);
}

static void
end(void)
{
	struct state *state = world.state;

	world_tear_down(&world);
	state_free(state);
	folder_remove(folder);
}

/* -- what a process finds that starts now ----------------------------------------------------------------- */

static void
copy(int from, int to, const char *name)
{
	int in = openat(from, name, O_RDONLY), out = openat(to, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct buf text = { 0 };

	assert_true(whole_file_read(in, &text));
	assert_int_equal(write(out, text.data, text.len), text.len);
	buf_free(&text);
	close(in);
	close(out);
}

static void
copy_all(int from, int to)
{
	DIR *dir = fdopendir(from);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_type == DT_REG)
			copy(from, to, entry->d_name);
	closedir(dir);
	close(to);
}

struct found {
	size_t unsettled, owed;
	bool is_question;
	enum state_fate fate; /* of what is owed */
};

/* Of a copy: this process goes on. */
static struct found
kill_now(void)
{
	static unsigned n;
	struct found found = { 0 };
	struct state_owed *owed;
	struct state *state;
	char name[32];

	snprintf(name, sizeof name, "copy-%u", n++);
	assert_int_equal(mkdirat(folder, name, 0700), 0);
	copy_all(openat(folder, "state", O_RDONLY | O_DIRECTORY), openat(folder, name, O_RDONLY | O_DIRECTORY));
	state = open_state(name);
	found.unsettled = state_unsettled(state);
	found.owed = state_owed(state);
	owed = state_take_owed(state);
	assert_int_equal(owed != NULL, found.owed > 0);
	if (owed != NULL) {
		found.is_question = owed->is_question;
		found.fate = state_fate(state, owed->id);
		assert_string_equal(owed->app.failed, app_now->failed);
		assert_int_equal(owed->app.resolve != NULL, app_now->resolve != NULL);
		assert_string_equal(owed->app.request_id, "id-1");
		assert_string_equal(owed->app.destination, "app");
		assert_string_equal(owed->app.route, "route");
	}
	state_free(state);
	return found;
}

static void
expect_killed(size_t unsettled, size_t owed, bool is_question)
{
	struct found found = kill_now();

	assert_int_equal(found.unsettled, unsettled);
	assert_int_equal(found.owed, owed);
	assert_int_equal(found.is_question, is_question);
	if (owed > 0)
		assert_int_equal(found.fate, is_question ? STATE_OPEN : STATE_CUT);
}

static bool
play_asked(void)
{
	bool ok = txn_asked(world.txn);

	for (int turns = 0; turns < 10; turns++) {
		world_turn_state(&world);
		loop_deliver_rest(world.loop);
		ok = txn_asked(world.txn);
	}
	return ok;
}

/* -- held ------------------------------------------------------------------------------------------------ */

static void
a_held_form_is_told_of_when_its_application_is_asked(void **unused)
{
	(void)unused;
	for (size_t n = 0; n <= 2; n++) {
		begin(&held, n);
		assert_true(world_play(&world, TXN_PREPARE));
		expect_killed(0, 0, false);
		assert_false(txn_asked(world.txn));
		expect_killed(0, 0, false);
		assert_true(play_asked());
		assert_true(play_asked()); /* it stays so */
		assert_null(strchr(world.log, 'C'));
		expect_killed(n, 1, false);
		assert_true(world_play(&world, TXN_COMMIT));
		expect_killed(n, 1, false);
		assert_true(world_play(&world, TXN_END));
		assert_true(txn_is_whole(world.txn));
		expect_killed(n > 0, 0, false); /* the folder's journal is not ended yet */
		assert_int_equal(state_owed(world.state), 0);
		end();
	}
}

static void
a_held_form_to_which_the_application_says_no_is_forgotten(void **unused)
{
	(void)unused;
	begin(&held, 2);
	assert_true(world_play(&world, TXN_PREPARE));
	assert_true(play_asked());
	assert_true(world_play(&world, TXN_GIVE_UP));
	world_turn_state(&world);
	assert_null(strchr(world.log, 'C'));
	expect_killed(1, 0, false); /* the folder may have a journal */
	assert_int_equal(state_owed(world.state), 0);
	end();
}

/* Of each object in turn. Whatever the request says, the application had said yes. */
static void
a_commit_that_fails_after_the_yes_is_owed(void **unused)
{
	(void)unused;
	for (size_t fails_at = 0; fails_at < 2; fails_at++)
		for (int goal = TXN_COMMIT; goal <= TXN_END; goal++) {
			begin(&held, 2);
			world.fails_at = fails_at;
			assert_true(world_play(&world, TXN_PREPARE));
			assert_true(play_asked());
			assert_true(world_play(&world, (enum txn_goal)goal));
			assert_non_null(txn_failure(world.txn));
			assert_true(world_play(&world, TXN_GIVE_UP));
			world_turn_state(&world);
			assert_int_equal(state_owed(world.state), 1);
			expect_killed(1, 1, false);
			state_owed_told(world.state, state_take_owed(world.state));
			assert_int_equal(state_owed(world.state), 0);
			world_turn_state(&world);
			expect_killed(1, 0, false);
			end();
		}
}

/* -- committed ------------------------------------------------------------------------------------------- */

static void
a_committed_form_is_open_from_the_question_to_the_end(void **unused)
{
	(void)unused;
	for (size_t n = 0; n <= 2; n++) {
		begin(&committed, n);
		assert_true(world_play(&world, TXN_COMMIT));
		assert_true(txn_is_whole(world.txn));
		expect_killed(n, 0, false); /* taken back, and nobody knows */
		assert_false(txn_asked(world.txn));
		expect_killed(n, 0, false);
		assert_true(play_asked());
		expect_killed(n, 1, true);
		assert_true(world_play(&world, TXN_END));
		expect_killed(n > 0, 0, false);
		assert_null(strchr(world.log, 'U'));
		end();
	}
}

/* That the form does not stand is on the disk before the first object is gone. */
static void
a_committed_form_is_judged_before_anything_is_taken_back(void **unused)
{
	(void)unused;
	for (int owes = 0; owes < 2; owes++) {
		begin(&committed, 2);
		assert_true(world_play(&world, TXN_COMMIT));
		assert_true(play_asked());
		if (owes)
			txn_owe_failed(world.txn);
		for (int i = 0; i < 5; i++) {
			assert_false(txn_step(world.txn, TXN_GIVE_UP));
			loop_deliver_rest(world.loop);
		}
		assert_null(strchr(world.log, 'U'));
		expect_killed(2, 1, true);
		world_turn_state(&world);
		loop_deliver_rest(world.loop);
		assert_null(strchr(world.log, 'U'));
		expect_killed(2, (size_t)owes, false);
		assert_true(world_play(&world, TXN_GIVE_UP));
		assert_string_equal(world.log, "0S 0C 1S 1C 1U 0U");
		world_turn_state(&world);
		assert_int_equal(state_owed(world.state), owes);
		expect_killed(1, (size_t)owes, false);
		end();
	}
}

static void
what_cannot_be_taken_back_stays_after_the_application_knows(void **unused)
{
	(void)unused;
	for (int is_cut = 0; is_cut < 2; is_cut++) {
		begin(&committed, 2);
		world.fails_to_undo = &first_of_all->order;
		assert_true(world_play(&world, TXN_COMMIT));
		assert_true(play_asked());
		txn_owe_failed(world.txn);
		if (is_cut)
			txn_cut(world.txn);
		assert_true(world_play(&world, TXN_GIVE_UP));
		world_turn_state(&world);
		expect_killed(2, 1, false);
		state_owed_told(world.state, state_take_owed(world.state));
		world_turn_state(&world);
		expect_killed(2, 0, false);
		end();
	}
}

/* -- what goes wrong ------------------------------------------------------------------------------------- */

/* The n-th write to the journal fails, and all that come after it. */
static void
a_journal_that_cannot_be_written_lets_no_question_leave(void **unused)
{
	(void)unused;
	for (int is_held = 0; is_held < 2; is_held++) {
		begin(is_held ? &held : &committed, 2);
		assert_true(world_play(&world, is_held ? TXN_PREPARE : TXN_COMMIT));
		folder_limit_files(20);
		assert_true(play_asked());
		assert_int_equal(txn_failure(world.txn)->kind, ERR_UPSTREAM_FULL);
		assert_true(world_play(&world, TXN_GIVE_UP));
		folder_limit_files(RLIM_INFINITY);
		assert_string_equal(world.log, is_held ? "0S 0X" : "0S 0C 1S 1C 1U 0U");
		assert_int_equal(state_owed(world.state), 0);
		end();
	}
}

static void
an_end_that_cannot_be_written_takes_back_and_is_owed(void **unused)
{
	(void)unused;
	for (int is_held = 0; is_held < 2; is_held++) {
		begin(is_held ? &held : &committed, 2);
		assert_true(world_play(&world, is_held ? TXN_PREPARE : TXN_COMMIT));
		assert_true(play_asked());
		folder_limit_files(20);
		assert_true(world_play(&world, TXN_END));
		folder_limit_files(RLIM_INFINITY);
		assert_int_equal(txn_failure(world.txn)->kind, ERR_UPSTREAM_FULL);
		assert_string_equal(world.log, "0S 0C 1S 1C 1U 0U");
		assert_int_equal(state_owed(world.state), 1);
		end();
	}
}

static void
a_verdict_that_cannot_be_written_holds_nothing_up(void **unused)
{
	(void)unused;
	begin(&committed, 2);
	assert_true(world_play(&world, TXN_COMMIT));
	assert_true(play_asked());
	txn_owe_failed(world.txn);
	folder_limit_files(20);
	assert_true(world_play(&world, TXN_GIVE_UP));
	folder_limit_files(RLIM_INFINITY);
	assert_string_equal(world.log, "0S 0C 1S 1C 1U 0U");
	assert_int_equal(state_owed(world.state), 1);
	end();
}

static void
without_memory_no_question_leaves(void **unused)
{
	bool is_over = false;

	(void)unused;
	for (size_t nth = 1; !is_over; nth++) {
		begin(&held, 1);
		assert_true(world_play(&world, TXN_PREPARE));
		mem_fail(nth, 1);
		txn_asked(world.txn);
		is_over = mem_fail(0, 0) < nth;
		assert_true(play_asked());
		if (txn_failure(world.txn) != NULL)
			assert_int_equal(txn_failure(world.txn)->kind, ERR_NOMEM);
		else
			expect_killed(1, 1, false);
		assert_true(world_play(&world, TXN_GIVE_UP));
		end();
	}
}

static void
it_is_too_late_to_give_up_once_the_journal_knows_the_end(void **unused)
{
	(void)unused;
	begin(&committed, 2);
	assert_true(world_play(&world, TXN_COMMIT));
	assert_true(play_asked());
	assert_false(txn_step(world.txn, TXN_END));
	assert_false(txn_step(world.txn, TXN_GIVE_UP)); /* the end is being written */
	assert_true(world_play(&world, TXN_GIVE_UP));
	assert_null(strchr(world.log, 'U'));
	assert_true(txn_is_whole(world.txn));
	end();
}

static void
what_nothing_takes_back_has_ended_before_it_is_asked_about(void **unused)
{
	static const struct txn_app kept = { "app", "route", "/failed", NULL, false, true };

	(void)unused;
	for (size_t n = 0; n <= 2; n++) {
		begin(&kept, n);
		assert_true(world_play(&world, TXN_COMMIT));
		expect_killed(n, 0, false);
		assert_int_equal(txn_asked(world.txn), n == 0);
		assert_true(play_asked());
		expect_killed(n > 0, 0, false);
		txn_owe_failed(world.txn);
		assert_true(world_play(&world, n == 1 ? TXN_GIVE_UP : TXN_END));
		assert_null(strchr(world.log, 'U'));
		assert_int_equal(state_owed(world.state), 0);
		end();
	}
	begin(&kept, 1);
	assert_true(world_play(&world, TXN_COMMIT));
	folder_limit_files(20);
	assert_true(play_asked());
	folder_limit_files(RLIM_INFINITY);
	assert_non_null(txn_failure(world.txn));
	assert_true(world_play(&world, TXN_GIVE_UP));
	assert_string_equal(world.log, "0S 0C 0U");
	end();
}

static void
without_a_journal_or_each_for_itself_nothing_is_waited_for(void **unused)
{
	(void)unused;
	for (int policy = PLAN_ALL; policy <= PLAN_EACH; policy++) {
		world_set_up_with(&world, (enum plan_policy)policy, NULL);
		world_kept(&world, &world.to_undoable);
		txn_set_app(world.txn, &committed);
		assert_true(world_play(&world, TXN_COMMIT));
		assert_true(txn_asked(world.txn));
		txn_owe_failed(world.txn);
		assert_true(world_play(&world, TXN_GIVE_UP));
		world_tear_down(&world);
	}
}

static void
on_answer(void *arg, const struct error *err)
{
	(void)arg;
	assert_null(err);
}

static void
owe_many(void)
{
	static const struct record_app app = { "app", "route", "x", "/failed", NULL, RECORD_HELD };
	static struct state_entry *entries[STATE_OWING_MAX];

	for (size_t i = 0; i < STATE_OWING_MAX; i++) {
		entries[i] = state_entry_new(world.state, loop_mailbox(world.loop), on_answer, NULL);
		assert_non_null(entries[i]);
		state_entry_set_app(entries[i], &app);
		assert_true(state_entry_tell_asked(entries[i]));
	}
	world_turn_state(&world);
	loop_deliver_rest(world.loop);
	for (size_t i = 0; i < STATE_OWING_MAX; i++) {
		state_entry_owe(entries[i], false);
		state_entry_release(entries[i]);
	}
	world_turn_state(&world);
}

static void
while_too_many_do_not_know_no_more_come(void **unused)
{
	(void)unused;
	for (int told = 0; told < 2; told++) {
		begin(&committed, 1);
		owe_many();
		assert_int_equal(state_owed(world.state), STATE_OWING_MAX);
		if (told)
			state_owed_told(world.state, state_take_owed(world.state));
		assert_true(world_play(&world, TXN_COMMIT));
		assert_int_equal(txn_failure(world.txn) == NULL, told);
		if (!told) {
			assert_int_equal(txn_failure(world.txn)->kind, ERR_BUSY);
			assert_string_equal(txn_failure(world.txn)->message,
				"4096 forms that do not stand, the most that are kept, are still to be told to "
				"applications, the last one to destination \"app\": it has to answer `failed` "
				"with 2xx; try again later");
		}
		assert_true(world_play(&world, TXN_GIVE_UP));
		end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_held_form_is_told_of_when_its_application_is_asked),
		cmocka_unit_test(a_held_form_to_which_the_application_says_no_is_forgotten),
		cmocka_unit_test(a_commit_that_fails_after_the_yes_is_owed),
		cmocka_unit_test(a_committed_form_is_open_from_the_question_to_the_end),
		cmocka_unit_test(a_committed_form_is_judged_before_anything_is_taken_back),
		cmocka_unit_test(what_cannot_be_taken_back_stays_after_the_application_knows),
		cmocka_unit_test(a_journal_that_cannot_be_written_lets_no_question_leave),
		cmocka_unit_test(an_end_that_cannot_be_written_takes_back_and_is_owed),
		cmocka_unit_test(a_verdict_that_cannot_be_written_holds_nothing_up),
		cmocka_unit_test(without_memory_no_question_leaves),
		cmocka_unit_test(it_is_too_late_to_give_up_once_the_journal_knows_the_end),
		cmocka_unit_test(what_nothing_takes_back_has_ended_before_it_is_asked_about),
		cmocka_unit_test(without_a_journal_or_each_for_itself_nothing_is_waited_for),
		cmocka_unit_test(while_too_many_do_not_know_no_more_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
