// SPDX-License-Identifier: MIT
/* The order of a commit: a small simulation carries out what plan_next() says and lets any item fail. */
#include "txn/plan.h"

#include "lib/check.h"

#define MAX 32
#define MANY 200000 /* with a look at all of them for each step, minutes */

struct world {
	struct plan plan;
	struct plan_item *items;
	int fails; /* this one fails when it is completed; -1: none */
	size_t completions, at_most_at_once;
};

static struct world
world_for(enum plan_policy policy, size_t n)
{
	struct world world = { .fails = -1, .items = test_calloc(n + 1, sizeof *world.items) };

	plan_init(&world.plan, policy);
	return world;
}

static struct world
world_of(enum plan_policy policy)
{
	return world_for(policy, MAX);
}

static void
forget(struct world *world)
{
	plan_fini(&world->plan);
	test_free(world->items);
}

/* From COLLECTING by the way that leads there. */
static void
lead(struct plan *plan, struct plan_item *item, enum plan_state to)
{
	static const enum plan_state way[] = { ITEM_STREAMING, ITEM_SENDING, ITEM_PREPARED, ITEM_COMMITTING,
		ITEM_COMMITTED };

	if (to == ITEM_KEPT)
		plan_move(plan, item, ITEM_KEPT);
	for (size_t i = 0; item->state != to; i++)
		plan_move(plan, item, way[i]);
}

static struct plan_item *
add(struct world *world, enum plan_state state, enum plan_rank rank, bool can_undo)
{
	struct plan_item *item = &world->items[world->plan.n];

	*item = (struct plan_item){ .rank = rank, .can_undo = can_undo };
	assert_true(plan_add(&world->plan, item));
	lead(&world->plan, item, state);
	return item;
}

static void
act(struct world *world, struct plan_step step)
{
	static const enum plan_state then[] = {
		[PLAN_PREPARE] = ITEM_SENDING,
		[PLAN_SEND] = ITEM_COMMITTING,
		[PLAN_COMPLETE] = ITEM_COMMITTING,
		[PLAN_CANCEL] = ITEM_CANCELLING,
		[PLAN_UNDO] = ITEM_UNDOING,
	};
	enum plan_state now = step.item->state;

	if (step.verb == PLAN_PREPARE || step.verb == PLAN_SEND)
		assert_int_equal(now, ITEM_KEPT);
	if (step.verb == PLAN_COMPLETE)
		assert_true(now == ITEM_PREPARED || (world->plan.policy == PLAN_EACH && now == ITEM_SENDING));
	if (step.verb == PLAN_CANCEL && (now == ITEM_COLLECTING || now == ITEM_KEPT))
		plan_move(&world->plan, step.item, ITEM_GONE); /* nothing had been started */
	else
		plan_move(&world->plan, step.item, then[step.verb]);
}

static void
count_at_once(struct world *world)
{
	size_t committing = 0;

	for (size_t i = 0; i < world->plan.n; i++)
		committing += world->items[i].state == ITEM_COMMITTING && world->items[i].rank != RANK_RENAME;
	if (committing > world->at_most_at_once)
		world->at_most_at_once = committing;
}

static void
end_commit(struct world *world, struct plan_item *item)
{
	world->completions++;
	if ((int)item->index == world->fails)
		plan_fail(&world->plan, item);
	else
		plan_move(&world->plan, item, ITEM_COMMITTED);
}

/* One thing that is under way comes to its end. False: nothing is under way. */
static bool
time_passes(struct world *world)
{
	count_at_once(world);
	for (size_t i = 0; i < world->plan.n; i++) {
		struct plan_item *item = &world->items[i];

		if (item->state == ITEM_SENDING)
			plan_move(&world->plan, item, ITEM_PREPARED);
		else if (item->state == ITEM_COMMITTING)
			end_commit(world, item);
		else if (item->state == ITEM_CANCELLING || item->state == ITEM_UNDOING)
			plan_move(&world->plan, item, ITEM_GONE);
		else
			continue;
		return true;
	}
	return false;
}

static void
copy_state(struct plan *plan, struct plan_item *item, const struct plan_item *from)
{
	if (from->state == ITEM_CANCELLING)
		lead(plan, item, ITEM_STREAMING);
	else if (from->state == ITEM_UNDOING)
		lead(plan, item, ITEM_COMMITTED);
	if (from->state == ITEM_CANCELLING || from->state == ITEM_UNDOING ||
		(from->state == ITEM_GONE && !from->has_failed))
		plan_move(plan, item, from->state);
	else if (from->state == ITEM_GONE)
		plan_fail(plan, item);
	else
		lead(plan, item, from->state);
}

/* The next step is the one that somebody would take who sees the items for the first time. */
static struct plan_step
next(struct world *world, enum txn_goal goal)
{
	struct plan_step step = plan_next(&world->plan, goal), fresh;
	struct world first_look = world_for(world->plan.policy, world->plan.n);

	for (size_t i = 0; i < world->plan.n; i++) {
		struct plan_item *item = &first_look.items[i];

		*item = world->items[i];
		item->has_failed = false;
		assert_true(plan_add(&first_look.plan, item));
		item->state = ITEM_COLLECTING;
		copy_state(&first_look.plan, item, &world->items[i]);
	}
	fresh = plan_next(&first_look.plan, goal);
	assert_int_equal(step.verb, fresh.verb);
	if (step.verb != PLAN_NOTHING)
		assert_int_equal(step.item->index, fresh.item->index);
	assert_int_equal(plan_is_over(&world->plan, goal), plan_is_over(&first_look.plan, goal));
	forget(&first_look);
	return step;
}

static void
play(struct world *world, enum txn_goal goal)
{
	for (int rounds = 0; rounds < 1000; rounds++) {
		struct plan_step step;

		while ((step = next(world, goal)).verb != PLAN_NOTHING)
			act(world, step);
		if (plan_is_over(&world->plan, goal))
			return;
		assert_true(time_passes(world));
	}
	fail_msg("it does not end");
}

static struct world
mixed(enum plan_policy policy, size_t n, bool can_undo)
{
	static const enum plan_state states[] = { ITEM_KEPT, ITEM_SENDING, ITEM_PREPARED };
	static const enum plan_rank ranks[] = { RANK_RENAME, RANK_STORE, RANK_STORE, RANK_RENAME, RANK_STORE };
	struct world world = world_of(policy);

	for (size_t i = 0; i < n; i++)
		add(&world, states[i % 3], ranks[i % 5], can_undo || ranks[i % 5] == RANK_RENAME);
	return world;
}

static size_t
visible(const struct world *world)
{
	size_t n = 0;

	for (size_t i = 0; i < world->plan.n; i++)
		n += world->items[i].state == ITEM_COMMITTED;
	return n;
}

static void
all_become_visible(void **state)
{
	(void)state;
	for (int policy = PLAN_ALL; policy <= PLAN_EACH; policy++)
		for (size_t n = 0; n <= MAX; n++) {
			struct world world = mixed((enum plan_policy)policy, n, false);

			play(&world, TXN_END);
			assert_true(plan_is_whole(&world.plan));
			assert_int_equal(visible(&world), n);
			forget(&world);
		}
}

static void
a_failure_takes_back_what_can_be_taken_back(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 15; n++)
		for (int fails = 0; fails < (int)n; fails++) {
			struct world world = mixed(PLAN_ALL, n, true);

			world.fails = fails;
			play(&world, TXN_END);
			assert_int_equal(visible(&world), 0);
			assert_false(plan_is_whole(&world.plan));
			forget(&world);
		}
}

static void
a_store_that_is_down_receives_one_and_no_more(void **state)
{
	struct world world = world_of(PLAN_ALL);

	(void)state;
	world.fails = 0;
	for (size_t i = 0; i < 20; i++)
		add(&world, ITEM_KEPT, RANK_STORE, false);
	play(&world, TXN_END);
	assert_int_equal(world.completions, 1);
	assert_int_equal(visible(&world), 0);
	forget(&world);
}

static void
at_most_a_window_of_kept_objects_is_sent_at_once(void **state)
{
	(void)state;
	for (int policy = PLAN_ALL; policy <= PLAN_EACH; policy++) {
		struct world world = world_of((enum plan_policy)policy);

		for (size_t i = 0; i < 20; i++)
			add(&world, ITEM_KEPT, RANK_STORE, false);
		play(&world, TXN_END);
		assert_int_equal(world.at_most_at_once, PLAN_WINDOW);
		assert_int_equal(visible(&world), 20);
		forget(&world);
	}
}

/* The item of `first` fails when it completes; nothing of a later rank has been told anything by then. */
static void
fails_before(enum plan_rank first, enum plan_rank later)
{
	struct world world = world_of(PLAN_ALL);

	world.fails = 1;
	add(&world, ITEM_PREPARED, later, true);
	add(&world, first == RANK_RENAME ? ITEM_KEPT : ITEM_PREPARED, first, true);
	play(&world, TXN_END);
	assert_int_equal(world.completions, 1);
	forget(&world);
}

static void
ranks_complete_one_after_the_other(void **state)
{
	(void)state;
	fails_before(RANK_RENAME, RANK_STORE);
}

static void
nothing_completes_while_one_is_open_unless_each_is_for_itself(void **state)
{
	struct world all = world_of(PLAN_ALL), each = world_of(PLAN_EACH);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world *world = i == 0 ? &all : &each;

		add(world, ITEM_PREPARED, RANK_STORE, false);
		add(world, ITEM_STREAMING, RANK_STORE, false);
	}
	assert_int_equal(plan_next(&all.plan, TXN_END).verb, PLAN_NOTHING);
	assert_int_equal(plan_next(&each.plan, TXN_END).verb, PLAN_COMPLETE);
	forget(&all);
	forget(&each);
}

static void
giving_up_makes_nothing_visible_and_each_keeps_what_is(void **state)
{
	struct world world = mixed(PLAN_ALL, 12, true);

	(void)state;
	play(&world, TXN_GIVE_UP);
	assert_int_equal(visible(&world), 0);
	assert_int_equal(world.completions, 0);
	forget(&world);
	world = mixed(PLAN_EACH, 3, true);
	add(&world, ITEM_COMMITTED, RANK_STORE, true);
	play(&world, TXN_GIVE_UP);
	assert_int_equal(visible(&world), 1);
	forget(&world);
}

static size_t
waiting(const struct world *world)
{
	size_t n = 0;

	for (size_t i = 0; i < world->plan.n; i++) {
		const struct plan_item *item = &world->items[i];

		n += item->state == ITEM_PREPARED || (item->state == ITEM_KEPT && item->rank == RANK_STORE);
	}
	return n;
}

static void
a_form_may_stop_before_anything_is_visible_and_when_everything_is(void **state)
{
	(void)state;
	for (size_t n = 0; n <= MAX; n++)
		for (int gives_up_at = TXN_PREPARE; gives_up_at <= TXN_GIVE_UP; gives_up_at++) {
			struct world world = mixed(PLAN_ALL, n, true);

			for (int goal = TXN_PREPARE; goal <= TXN_END; goal++) {
				play(&world, (enum txn_goal)goal);
				assert_int_equal(waiting(&world), goal == TXN_PREPARE ? n : 0);
				assert_int_equal(visible(&world), goal == TXN_PREPARE ? 0 : n);
				if (goal == gives_up_at)
					break;
			}
			assert_int_equal(plan_is_whole(&world.plan), n == 0 || gives_up_at != TXN_PREPARE);
			play(&world, TXN_GIVE_UP);
			assert_int_equal(visible(&world), 0);
			forget(&world);
		}
}

/* Wherever it fails, and however far it was to go: nothing stays, and nothing is left to give up. */
static void
a_failure_gives_up_whatever_the_goal_is(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 15; n++)
		for (size_t fails = 0; fails < n; fails++) {
			struct world world = mixed(PLAN_ALL, n, true);

			world.fails = (int)fails;
			play(&world, TXN_PREPARE);
			assert_int_equal(world.completions, 0);
			play(&world, TXN_COMMIT);
			assert_int_equal(visible(&world), 0);
			assert_true(plan_has_failed(&world.plan));
			assert_true(plan_is_over(&world.plan, TXN_GIVE_UP));
			forget(&world);
			world = mixed(PLAN_ALL, n, true);
			play(&world, TXN_PREPARE);
			if (world.items[fails].state == ITEM_PREPARED) {
				plan_fail(
					&world.plan, &world.items[fails]); /* its store has closed the connection */
				play(&world, TXN_PREPARE);
				assert_int_equal(visible(&world) + world.completions, 0);
				assert_true(plan_is_over(&world.plan, TXN_GIVE_UP));
			}
			forget(&world);
		}
}

static void
each_for_itself_knows_no_goal(void **state)
{
	struct world world = mixed(PLAN_EACH, 6, true);

	(void)state;
	play(&world, TXN_PREPARE);
	assert_int_equal(visible(&world), 6);
	forget(&world);
}

static void
what_came_last_is_taken_back_first(void **state)
{
	struct world world = world_of(PLAN_ALL);

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&world, ITEM_COMMITTED, RANK_RENAME, true);
	for (size_t left = 3; left > 0; left--) {
		struct plan_step step = next(&world, TXN_GIVE_UP);

		assert_int_equal(step.verb, PLAN_UNDO);
		assert_int_equal(step.item->index, left - 1);
		act(&world, step);
	}
	forget(&world);
}

static void
what_could_not_be_taken_back_is_not_tried_again(void **state)
{
	struct world world = world_of(PLAN_ALL);
	struct plan_item *item = add(&world, ITEM_COMMITTED, RANK_STORE, true);

	(void)state;
	act(&world, next(&world, TXN_GIVE_UP));
	assert_false(plan_is_over(&world.plan, TXN_GIVE_UP));
	plan_move(&world.plan, item, ITEM_COMMITTED);
	assert_int_equal(plan_next(&world.plan, TXN_GIVE_UP).verb, PLAN_NOTHING);
	assert_true(plan_is_over(&world.plan, TXN_GIVE_UP));
	forget(&world);
}

static void
what_may_not_be_taken_back_stays(void **state)
{
	struct world world = world_of(PLAN_ALL);
	struct plan_item *item = add(&world, ITEM_COMMITTED, RANK_STORE, true);

	(void)state;
	plan_forbid_undo(&world.plan, item);
	assert_int_equal(plan_next(&world.plan, TXN_GIVE_UP).verb, PLAN_NOTHING);
	forget(&world);
}

/* What is under way comes to its end at once. */
static void
lead_on(struct plan *plan, struct plan_item *item, enum plan_state to)
{
	plan_move(plan, item, item->state == ITEM_SENDING ? ITEM_PREPARED : to);
}

static void
steps_of_many_items_are_cheap(void **state)
{
	struct world world = world_for(PLAN_ALL, MANY);
	struct plan_step step;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		add(&world, ITEM_KEPT, i % 2 == 0 ? RANK_RENAME : RANK_STORE, true);
	for (; (step = plan_next(&world.plan, TXN_END)).verb != PLAN_NOTHING; n++) {
		act(&world, step);
		lead_on(&world.plan, step.item, ITEM_COMMITTED);
	}
	assert_int_equal(n, MANY + MANY / 2); /* files are prepared and then renamed */
	assert_true(plan_is_whole(&world.plan));
	for (n = 0; (step = plan_next(&world.plan, TXN_GIVE_UP)).verb != PLAN_NOTHING; n++) {
		act(&world, step);
		plan_move(&world.plan, step.item, ITEM_GONE);
	}
	assert_int_equal(n, MANY);
	forget(&world);
}

static void
items_that_are_added_one_by_one_are_cheap_too(void **state)
{
	struct world world = world_for(PLAN_EACH, MANY);
	struct plan_step step;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		struct plan_item *item = add(&world, ITEM_COLLECTING, RANK_STORE, false);

		assert_int_equal(plan_next(&world.plan, TXN_END).verb, PLAN_NOTHING);
		plan_move(&world.plan, item, ITEM_KEPT);
		step = plan_next(&world.plan, TXN_END);
		assert_int_equal(step.verb, PLAN_SEND);
		assert_ptr_equal(step.item, item);
		act(&world, step);
		plan_move(&world.plan, item, ITEM_COMMITTED);
	}
	assert_true(plan_is_over(&world.plan, TXN_END));
	forget(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_become_visible),
		cmocka_unit_test(a_failure_takes_back_what_can_be_taken_back),
		cmocka_unit_test(a_store_that_is_down_receives_one_and_no_more),
		cmocka_unit_test(at_most_a_window_of_kept_objects_is_sent_at_once),
		cmocka_unit_test(ranks_complete_one_after_the_other),
		cmocka_unit_test(nothing_completes_while_one_is_open_unless_each_is_for_itself),
		cmocka_unit_test(giving_up_makes_nothing_visible_and_each_keeps_what_is),
		cmocka_unit_test(a_form_may_stop_before_anything_is_visible_and_when_everything_is),
		cmocka_unit_test(a_failure_gives_up_whatever_the_goal_is),
		cmocka_unit_test(each_for_itself_knows_no_goal),
		cmocka_unit_test(what_came_last_is_taken_back_first),
		cmocka_unit_test(what_could_not_be_taken_back_is_not_tried_again),
		cmocka_unit_test(what_may_not_be_taken_back_stays),
		cmocka_unit_test(steps_of_many_items_are_cheap),
		cmocka_unit_test(items_that_are_added_one_by_one_are_cheap_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
