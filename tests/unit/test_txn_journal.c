// SPDX-License-Identifier: MIT
/* test_txn_journal.c - a form of several places is told to the journal of commits before the first is visible, and nothing is
 * visible of what could not be told. */
#include "base/mem.h"
#include "base/whole_file.h"
#include "lib/folder.h"
#include "lib/txn_world.h"
#include "sink/discard/settings.h"
#include "state/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct state *
open_state(int folder)
{
	struct error err = { 0 };
	struct state *state;
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	state = state_open(path, &err);
	assert_string_equal(err.message, "");
	return state;
}

static void
end_state(struct world *world)
{
	struct state *state = world->state;

	world_tear_down(world);
	state_free(state);
}

/* What a later start finds. */
static size_t
left(int folder)
{
	struct state *state = open_state(folder);
	size_t n = state_unsettled(state);

	state_free(state);
	return n;
}

static void
nothing_is_visible_before_the_journal_tells_of_all(void **unused)
{
	int folder = folder_make();
	struct world world;

	(void)unused;
	world_set_up_with(&world, PLAN_ALL, open_state(folder));
	world_kept(&world, &world.to_store);
	world_kept(&world, &world.to_store);
	world_kept(&world, &world.to_folder);
	for (int i = 0; i < 10; i++) {
		assert_false(txn_step(world.txn, TXN_END));
		loop_deliver_rest(world.loop);
	}
	assert_string_equal(world.log, "0S"); /* the file is written, under no name */
	world_turn_state(&world);
	loop_deliver_rest(world.loop);
	for (int i = 0; i < 10; i++) {
		assert_false(txn_step(world.txn, TXN_END)); /* not before the journal knows that all are there */
		loop_deliver_rest(world.loop);
	}
	assert_string_equal(world.log, "0S 0C 1S 1C 2S 2C");
	assert_true(world_play(&world, TXN_END));
	assert_true(txn_is_whole(world.txn));
	assert_null(txn_failure(world.txn));
	end_state(&world);
	assert_int_equal(left(folder), 0);
	folder_remove(folder);
}

static void
expect_whole_without_the_journal(struct world *world)
{
	txn_step(world->txn, TXN_END);
	for (int turns = 0; turns < 10; turns++) {
		loop_deliver_rest(world->loop);
		txn_step(world->txn, TXN_END);
	}
	assert_true(txn_is_whole(world->txn)); /* though the journal had no turn */
}

static void
what_is_in_one_place_has_no_need_of_the_journal(void **unused)
{
	int folder = folder_make();

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct world world;

		world_set_up_with(&world, PLAN_ALL, open_state(folder));
		world_kept(&world, i == 0 ? &world.to_store : &world.to_folder);
		if (i == 1)
			world_kept(&world, &world.to_folder);
		expect_whole_without_the_journal(&world);
		end_state(&world);
	}
	folder_remove(folder);
}

static void
a_journal_that_cannot_tell_lets_nothing_be_visible(void **unused)
{
	int folder = folder_make();
	struct world world;

	(void)unused;
	world_set_up_with(&world, PLAN_ALL, open_state(folder));
	world_kept(&world, &world.to_undoable);
	world_kept(&world, &world.to_undoable);
	folder_limit_files(20);
	assert_true(world_play(&world, TXN_END));
	folder_limit_files(RLIM_INFINITY);
	assert_string_equal(world.log, "");
	assert_int_equal(txn_failure(world.txn)->kind, ERR_UPSTREAM_FULL);
	end_state(&world);
	assert_int_equal(left(folder), 0);
	folder_remove(folder);
}

static void
a_journal_that_cannot_be_told_of_the_end_takes_all_back(void **unused)
{
	int folder = folder_make();
	struct world world;

	(void)unused;
	world_set_up_with(&world, PLAN_ALL, open_state(folder));
	world_kept(&world, &world.to_undoable);
	world_kept(&world, &world.to_other_folder);
	assert_false(txn_step(world.txn, TXN_END));
	world_turn_state(&world);
	folder_limit_files(20);
	assert_true(world_play(&world, TXN_END));
	folder_limit_files(RLIM_INFINITY);
	assert_string_equal(world.log, "0S 0C 1S 1C 0U 1U");
	assert_int_equal(txn_failure(world.txn)->kind, ERR_UPSTREAM_FULL);
	end_state(&world);
	folder_remove(folder);
}

/* What is thrown away is in no place. */
static void
what_does_not_last_needs_no_journal(void **unused)
{
	struct destination nowhere = { .kind = &discard_kind, .name = (char *)(uintptr_t) "nowhere" };
	struct rule to_nowhere = { .to = &nowhere };
	int folder = folder_make();
	struct world world;

	(void)unused;
	world_set_up_with(&world, PLAN_ALL, open_state(folder));
	world_kept(&world, &to_nowhere);
	world_kept(&world, &world.to_store);
	world_kept(&world, &to_nowhere);
	expect_whole_without_the_journal(&world);
	end_state(&world);
	folder_remove(folder);
}

static void
a_journal_that_finds_no_memory_lets_nothing_be_visible(void **unused)
{
	bool is_over = false;

	(void)unused;
	for (size_t nth = 1; !is_over; nth++) {
		int folder = folder_make();
		struct world world;

		world_set_up_with(&world, PLAN_ALL, open_state(folder));
		world_kept(&world, &world.to_undoable);
		world_kept(&world, &world.to_undoable);
		mem_fail(nth, 1);
		txn_step(world.txn, TXN_END);
		is_over = mem_fail(0, 0) < nth;
		assert_true(world_play(&world, TXN_END));
		assert_int_equal(txn_is_whole(world.txn), is_over);
		if (!is_over) {
			assert_int_equal(txn_failure(world.txn)->kind, ERR_NOMEM);
			assert_null(strchr(world.log, 'C'));
		}
		end_state(&world);
		folder_remove(folder);
	}
}

/* Calls for each record of the files; returns how many there are. */
static size_t
each_record(int folder, void (*call)(void *arg, struct record *record), void *arg)
{
	int at = openat(folder, "state", O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(at);
	struct record record;
	size_t n = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		int fd = openat(at, entry->d_name, O_RDONLY);
		struct buf text = { 0 };
		struct str rest;

		if (entry->d_type == DT_REG && whole_file_read(fd, &text) && text.len > strlen(RECORD_FORMAT)) {
			rest = (struct str){ text.data + strlen(RECORD_FORMAT), text.len - strlen(RECORD_FORMAT) };
			for (; record_next(&rest, &record) == RECORD_FOUND; n++)
				call(arg, &record);
		}
		buf_free(&text);
		close(fd);
	}
	closedir(dir);
	return n;
}

struct way_back {
	const char *destination;
	char back; /* 0: it tells of none */
};

static void
find_way_back(void *arg, struct record *record)
{
	struct way_back *way = arg;
	struct record_object object;

	while (record->kind == RECORD_INTENT && record_next_object(&record->objects, &object))
		if (strcmp(object.destination, way->destination) == 0)
			way->back = object.back;
}

/* How the journal says that the object of this destination is taken back; 0: it tells of none. */
static char
told_way_back(int folder, const char *destination)
{
	struct way_back way = { .destination = destination };

	assert_int_equal(each_record(folder, find_way_back, &way), 1);
	return way.back;
}

/* What a later start may delete by its name: only what nobody else can have made. */
static void
the_journal_tells_which_names_are_ours(void **unused)
{
	static const struct {
		enum template_kind piece;
		bool id_is_ours;
		char back;
	} rows[] = { { TEMPLATE_UUID, false, RECORD_BACK_ASK }, { TEMPLATE_REQUEST_ID, true, RECORD_BACK_ASK },
		{ TEMPLATE_REQUEST_ID, false, RECORD_BACK_TELL }, { TEMPLATE_PART, true, RECORD_BACK_TELL } };

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct template_piece pieces[] = { { .kind = TEMPLATE_PART }, { .kind = rows[i].piece } };
		struct template target = { .pieces = pieces, .n_pieces = 2 };
		int folder = folder_make();
		static char name[] = "undoable";
		struct txn_setup setup;
		struct error err = { 0 };
		struct world world;

		world_set_up_with(&world, PLAN_ALL, open_state(folder));
		setup = *txn_setup_of(world.txn);
		setup.id_is_ours = rows[i].id_is_ours;
		txn_free(world.txn);
		world.txn = txn_new(&setup, &err);
		world.undoable.name = name;
		world.to_undoable.target = &target;
		world_kept(&world, &world.to_undoable);
		world_kept(&world, &world.to_folder);
		txn_step(world.txn, TXN_END);
		world_turn_state(&world);
		assert_int_equal(told_way_back(folder, name), rows[i].back);
		assert_true(world_play(&world, TXN_END));
		end_state(&world);
		folder_remove(folder);
	}
}

static void
a_form_that_fails_is_forgotten_unless_something_may_be_there(void **unused)
{
	int folder = folder_make();

	(void)unused;
	for (int stays = 0; stays < 2; stays++) {
		struct delivery *first;
		struct world world;

		world_set_up_with(&world, PLAN_ALL, open_state(folder));
		first = world_kept(&world, &world.to_undoable);
		world_kept(&world, &world.to_undoable);
		world.fails_at = 1;
		world.fails_to_undo = stays ? &first->order : NULL;
		assert_true(world_play(&world, TXN_END));
		assert_string_equal(world.log, "0S 0C 1S 1C 0U");
		end_state(&world);
		assert_int_equal(left(folder), stays ? 2 : 0);
	}
	folder_remove(folder);
}

static void
pass_over(void *arg, struct record *record)
{
	(void)arg;
	(void)record;
}

static void
the_journal_is_told_for_a_commit_and_stays_open_until_the_end(void **unused)
{
	static const enum txn_goal goals[] = { TXN_PREPARE, TXN_COMMIT };
	int folder = folder_make();

	(void)unused;
	for (int gives_up = 0; gives_up < 2; gives_up++)
		for (size_t fails_at = 0; fails_at < 3; fails_at++) {
			bool fails = fails_at < 2;
			struct world world;

			world_set_up_with(&world, PLAN_ALL, open_state(folder));
			world_kept(&world, &world.to_undoable);
			world_kept(&world, &world.to_other_folder);
			world.fails_at = fails_at;
			for (size_t i = 0; i < 2; i++) {
				assert_true(world_play(&world, goals[i]));
				assert_int_equal(each_record(folder, pass_over, NULL), i);
			}
			assert_int_equal(txn_is_whole(world.txn), !fails);
			assert_true(world_play(&world, gives_up ? TXN_GIVE_UP : TXN_END));
			assert_int_equal(txn_is_whole(world.txn), !fails && !gives_up);
			world_turn_state(&world);
			assert_int_equal(each_record(folder, pass_over, NULL), 2);
			end_state(&world);
			assert_int_equal(left(folder), 0);
		}
	folder_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_visible_before_the_journal_tells_of_all),
		cmocka_unit_test(what_is_in_one_place_has_no_need_of_the_journal),
		cmocka_unit_test(a_journal_that_cannot_tell_lets_nothing_be_visible),
		cmocka_unit_test(a_journal_that_cannot_be_told_of_the_end_takes_all_back),
		cmocka_unit_test(what_does_not_last_needs_no_journal),
		cmocka_unit_test(a_journal_that_finds_no_memory_lets_nothing_be_visible),
		cmocka_unit_test(the_journal_tells_which_names_are_ours),
		cmocka_unit_test(a_form_that_fails_is_forgotten_unless_something_may_be_there),
		cmocka_unit_test(the_journal_is_told_for_a_commit_and_stays_open_until_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
