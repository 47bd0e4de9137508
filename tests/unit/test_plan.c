// SPDX-License-Identifier: MIT
/* The order of a commit: a small simulation carries out what commit_next() says and lets any item fail. */
#include "txn/plan.h"

#include "lib/check.h"

#define MAX 32

struct world {
	struct commit commit;
	struct commit_item items[MAX];
	size_t n;
	int fails; /* this one fails when it is completed; -1: none */
	size_t completions, at_most_at_once;
};

static void
act(struct world *world, struct commit_step step)
{
	struct commit_item now = world->items[step.index], *item = &now;

	switch (step.verb) {
	case COMMIT_NOTHING:
		break;
	case COMMIT_PREPARE:
		assert_int_equal(item->state, ITEM_KEPT);
		item->state = ITEM_SENDING;
		break;
	case COMMIT_SEND:
		assert_int_equal(item->state, ITEM_KEPT);
		item->state = ITEM_COMMITTING;
		break;
	case COMMIT_COMPLETE:
		assert_int_equal(item->state, ITEM_PREPARED);
		item->state = ITEM_COMMITTING;
		break;
	case COMMIT_CANCEL:
		assert_true(item->state == ITEM_OPEN || item->state == ITEM_KEPT || item->state == ITEM_SENDING ||
			item->state == ITEM_PREPARED);
		item->state = ITEM_CANCELLING;
		break;
	case COMMIT_UNDO:
		assert_int_equal(item->state, ITEM_COMMITTED);
		item->state = ITEM_UNDOING;
		break;
	}
	commit_set(&world->commit, step.index, now);
}

/* One thing that is under way comes to its end. False: nothing is under way. */
static bool
time_passes(struct world *world)
{
	size_t committing = 0;

	for (size_t i = 0; i < world->n; i++)
		committing += world->items[i].state == ITEM_COMMITTING && !world->items[i].is_file;
	if (committing > world->at_most_at_once)
		world->at_most_at_once = committing;
	for (size_t i = 0; i < world->n; i++) {
		struct commit_item item = world->items[i];

		if (item.state == ITEM_SENDING) {
			item.state = ITEM_PREPARED;
		} else if (item.state == ITEM_COMMITTING) {
			item.has_failed = (int)i == world->fails;
			item.state = item.has_failed ? ITEM_GONE : ITEM_COMMITTED;
			world->completions++;
		} else if (item.state == ITEM_CANCELLING || item.state == ITEM_UNDOING) {
			item.state = ITEM_GONE;
		} else {
			continue;
		}
		commit_set(&world->commit, i, item);
		return true;
	}
	return false;
}

/* The next step is the one that somebody would take who sees the items for the first time. */
static struct commit_step
next(struct world *world, bool give_up, bool may_undo)
{
	struct commit_step step = commit_next(&world->commit, give_up, may_undo), fresh;
	struct commit first_look;

	commit_init(&first_look, world->items, world->n);
	fresh = commit_next(&first_look, give_up, may_undo);
	assert_int_equal(step.verb, fresh.verb);
	assert_int_equal(step.index, fresh.index);
	assert_int_equal(
		commit_is_over(&world->commit, give_up, may_undo), commit_is_over(&first_look, give_up, may_undo));
	return step;
}

static void
play(struct world *world, bool give_up, bool may_undo)
{
	commit_init(&world->commit, world->items, world->n);
	for (int rounds = 0; rounds < 1000; rounds++) {
		struct commit_step step;

		while ((step = next(world, give_up, may_undo)).verb != COMMIT_NOTHING)
			act(world, step);
		if (commit_is_over(&world->commit, give_up, may_undo))
			return;
		assert_true(time_passes(world));
	}
	fail_msg("it does not end");
}

static struct world
mixed(size_t n, bool can_undo)
{
	struct world world = { .n = n, .fails = -1 };

	for (size_t i = 0; i < n; i++) {
		static const enum commit_state states[] = { ITEM_KEPT, ITEM_SENDING, ITEM_PREPARED };

		world.items[i] = (struct commit_item){
			.state = states[i % 3],
			.is_file = i % 2 == 0,
			.can_undo = can_undo || i % 2 == 0,
		};
	}
	return world;
}

static size_t
visible(const struct world *world)
{
	size_t n = 0;

	for (size_t i = 0; i < world->n; i++)
		n += world->items[i].state == ITEM_COMMITTED;
	return n;
}

static void
all_become_visible(void **state)
{
	(void)state;
	for (size_t n = 0; n <= MAX; n++) {
		struct world world = mixed(n, false);

		play(&world, false, true);
		assert_true(commit_is_whole(&world.commit));
		assert_int_equal(visible(&world), n);
		assert_true(world.at_most_at_once <= COMMIT_WINDOW);
	}
}

static void
a_failure_takes_back_what_can_be_taken_back(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 12; n++)
		for (int fails = 0; fails < (int)n; fails++) {
			struct world world = mixed(n, true);

			world.fails = fails;
			play(&world, false, true);
			assert_int_equal(visible(&world), 0);
			assert_false(commit_is_whole(&world.commit));
		}
}

static void
a_store_that_is_down_receives_one_and_no_more(void **state)
{
	struct world world = { .n = 20, .fails = 0 };

	(void)state;
	for (size_t i = 0; i < world.n; i++)
		world.items[i] = (struct commit_item){ .state = ITEM_KEPT };
	play(&world, false, true);
	assert_int_equal(world.completions, 1);
	assert_int_equal(visible(&world), 0);
}

static void
files_are_renamed_before_http_is_completed(void **state)
{
	struct world world = { .n = 2, .fails = 0 };

	(void)state;
	world.items[0] = (struct commit_item){ .state = ITEM_KEPT, .is_file = true, .can_undo = true };
	world.items[1] = (struct commit_item){ .state = ITEM_PREPARED };
	play(&world, false, true);
	assert_int_equal(world.completions, 1); /* the rename failed, so nothing was sent */
}

static void
giving_up_makes_nothing_visible_and_each_keeps_what_is(void **state)
{
	struct world world = mixed(12, true);

	(void)state;
	play(&world, true, true);
	assert_int_equal(visible(&world), 0);
	assert_int_equal(world.completions, 0);
	world = mixed(3, true);
	world.items[0].state = ITEM_COMMITTED;
	play(&world, true, false);
	assert_int_equal(visible(&world), 1);
}

static void
what_came_last_is_taken_back_first(void **state)
{
	struct commit_item items[3] = { 0 };
	struct commit commit;

	(void)state;
	for (int i = 0; i < 3; i++)
		items[i] = (struct commit_item){ .state = ITEM_COMMITTED, .is_file = true, .can_undo = true };
	commit_init(&commit, items, 3);
	for (size_t left = 3; left > 0; left--) {
		struct commit_step step = commit_next(&commit, true, true);

		assert_int_equal(step.verb, COMMIT_UNDO);
		assert_int_equal(step.index, left - 1);
		commit_set(&commit, step.index, (struct commit_item){ .state = ITEM_UNDOING, .is_file = true });
	}
}

#define MANY 200000 /* with a look at all of them for each step, minutes */

static void
steps_of_many_items_are_cheap(void **state)
{
	struct commit_item *items = test_calloc(MANY, sizeof *items);
	struct commit commit;
	struct commit_step step;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		items[i] = (struct commit_item){ .state = ITEM_KEPT, .is_file = i % 2 == 0, .can_undo = true };
	commit_init(&commit, items, MANY);
	for (; (step = commit_next(&commit, false, true)).verb != COMMIT_NOTHING; n++)
		commit_set(&commit, step.index, (struct commit_item){ .state = ITEM_COMMITTED, .can_undo = true });
	assert_int_equal(n, MANY);
	assert_true(commit_is_whole(&commit));
	for (; (step = commit_next(&commit, true, true)).verb != COMMIT_NOTHING; n--)
		commit_set(&commit, step.index, (struct commit_item){ .state = ITEM_GONE });
	assert_int_equal(n, 0);
	test_free(items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_become_visible),
		cmocka_unit_test(a_failure_takes_back_what_can_be_taken_back),
		cmocka_unit_test(a_store_that_is_down_receives_one_and_no_more),
		cmocka_unit_test(files_are_renamed_before_http_is_completed),
		cmocka_unit_test(giving_up_makes_nothing_visible_and_each_keeps_what_is),
		cmocka_unit_test(what_came_last_is_taken_back_first),
		cmocka_unit_test(steps_of_many_items_are_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
