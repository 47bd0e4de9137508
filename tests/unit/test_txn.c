// SPDX-License-Identifier: MIT
/* test_txn.c - what the sinks of a form are told, in which order, and what becomes of it when they say no. */
#include "lib/txn_world.h"

static void
a_form_is_completed_files_first_then_one_store_then_the_others(void **state)
{
	struct world world;

	(void)state;
	world_set_up(&world, PLAN_ALL);
	world_kept(&world, &world.to_store);
	world_kept(&world, &world.to_undoable);
	world_kept(&world, &world.to_folder);
	world_streamed(&world, &world.to_store);
	assert_true(world_play(&world, TXN_END));
	assert_true(txn_is_whole(world.txn));
	assert_null(txn_failure(world.txn));
	/* The stream began as it was read; the file was written and renamed; then the held one, that with undo, the other. */
	assert_string_equal(world.log, "0S 1S 1C 0C 2S 2C 3S 3C");
	world_tear_down(&world);
}

static void
a_failure_takes_back_what_can_be_and_says_why(void **state)
{
	(void)state;
	for (size_t fails_at = 0; fails_at < 3; fails_at++) {
		struct world world;

		world_set_up(&world, PLAN_ALL);
		world_kept(&world, &world.to_folder);
		world_kept(&world, &world.to_undoable);
		world_kept(&world, &world.to_undoable);
		world.fails_at = fails_at;
		assert_true(world_play(&world, TXN_END));
		assert_false(txn_is_whole(world.txn));
		assert_string_equal(txn_failure(world.txn)->message, "it said no");
		for (struct delivery *d = txn_first(world.txn); d != NULL; d = d->next)
			assert_int_equal(d->item.state, ITEM_GONE);
		world_tear_down(&world);
	}
}

static void
expect_all(struct world *world, enum plan_state state)
{
	for (struct delivery *d = txn_first(world->txn); d != NULL; d = d->next)
		assert_int_equal(d->item.state, state);
}

static void
begin_mixed(struct world *world)
{
	world_set_up(world, PLAN_ALL);
	world_kept(world, &world->to_folder);
	world_streamed(world, &world->to_undoable);
	world_kept(world, &world->to_undoable);
}

static void
nothing_is_visible_of_a_form_that_is_prepared(void **state)
{
	(void)state;
	for (int gives_up = 0; gives_up < 2; gives_up++) {
		struct world world;

		begin_mixed(&world);
		assert_true(world_play(&world, TXN_PREPARE));
		assert_string_equal(world.log, "0S 1S");
		assert_false(txn_is_whole(world.txn));
		assert_null(txn_failure(world.txn));
		assert_true(world_play(&world, gives_up ? TXN_GIVE_UP : TXN_END));
		assert_int_equal(txn_is_whole(world.txn), !gives_up);
		assert_string_equal(world.log, gives_up ? "0S 1S 1X 0X" : "0S 1S 1C 0C 2S 2C");
		expect_all(&world, gives_up ? ITEM_GONE : ITEM_COMMITTED);
		world_tear_down(&world);
	}
}

static void
a_form_that_is_visible_can_be_taken_back_until_its_end(void **state)
{
	(void)state;
	for (int gives_up = 0; gives_up < 2; gives_up++) {
		struct world world;

		begin_mixed(&world);
		assert_true(world_play(&world, TXN_COMMIT));
		assert_true(txn_is_whole(world.txn));
		assert_true(world_play(&world, gives_up ? TXN_GIVE_UP : TXN_END));
		assert_int_equal(txn_is_whole(world.txn), !gives_up);
		assert_string_equal(world.log, gives_up ? "0S 1S 1C 0C 2S 2C 2U 0U 1U" : "0S 1S 1C 0C 2S 2C");
		expect_all(&world, gives_up ? ITEM_GONE : ITEM_COMMITTED);
		world_tear_down(&world);
	}
}

static void
a_commit_that_fails_has_taken_everything_back(void **state)
{
	(void)state;
	for (size_t fails_at = 0; fails_at < 3; fails_at++) {
		struct world world;

		begin_mixed(&world);
		world.fails_at = fails_at;
		assert_true(world_play(&world, TXN_PREPARE));
		assert_true(world_play(&world, TXN_COMMIT));
		assert_string_equal(txn_failure(world.txn)->message, "it said no");
		expect_all(&world, ITEM_GONE);
		assert_true(world_play(&world, TXN_GIVE_UP));
		world_tear_down(&world);
	}
}

static void
what_cannot_be_taken_back_is_told(void **state)
{
	struct world world;
	struct delivery *stays;

	(void)state;
	world_set_up(&world, PLAN_ALL);
	stays = world_kept(&world, &world.to_undoable);
	world_kept(&world, &world.to_undoable);
	world.fails_at = 1;
	world.fails_to_undo = &stays->order;
	assert_true(world_play(&world, TXN_END));
	assert_int_equal(stays->item.state, ITEM_COMMITTED);
	assert_true(error_is_set(&stays->order.outcome.undo_error));
	world_tear_down(&world);
}

static void
one_that_cannot_be_opened_fails_the_form(void **state)
{
	for (int policy = PLAN_ALL; policy <= PLAN_EACH; policy++) {
		struct world world;

		world_set_up(&world, (enum plan_policy)policy);
		world.refuses_to_open = &world_kept(&world, &world.to_store)->order;
		assert_true(world_play(&world, TXN_END));
		assert_string_equal(txn_failure(world.txn)->message, "no descriptor is left");
		assert_string_equal(world.log, "");
		world_tear_down(&world);
	}
	(void)state;
}

static void
each_completes_while_others_are_read(void **state)
{
	struct world world;

	(void)state;
	world_set_up(&world, PLAN_EACH);
	world_kept(&world, &world.to_store);
	txn_go_on(world.txn);
	world_streamed(&world, &world.to_folder);
	txn_go_on(world.txn);
	txn_add(world.txn, &world.to_store); /* is still being read */
	loop_deliver_rest(world.loop);
	loop_deliver_rest(world.loop);
	assert_int_equal(txn_first(world.txn)->item.state, ITEM_COMMITTED);
	assert_int_equal(txn_first(world.txn)->next->item.state, ITEM_COMMITTED);
	assert_true(world.n_news > 0);
	assert_true(world_play(&world, TXN_GIVE_UP));
	assert_int_equal(
		txn_first(world.txn)->item.state, ITEM_COMMITTED); /* and stays, though the form was given up */
	world_tear_down(&world);
}

static void
with_all_nothing_completes_while_others_are_read(void **state)
{
	struct world world;

	(void)state;
	world_set_up(&world, PLAN_ALL);
	world_kept(&world, &world.to_store);
	txn_go_on(world.txn);
	assert_string_equal(world.log, "");
	txn_add(world.txn, &world.to_store);
	assert_false(world_play(&world, TXN_END) && txn_is_whole(world.txn));
	assert_string_equal(world.log, "");
	assert_true(world_play(&world, TXN_GIVE_UP));
	assert_int_equal(world.n, 0);
	world_tear_down(&world);
}

static void
a_store_that_owes_its_answer_is_not_waited_for_after_a_cut(void **state)
{
	struct world world;
	struct delivery *delivery;

	(void)state;
	world_set_up(&world, PLAN_ALL);
	delivery = world_streamed(&world, &world.to_undoable);
	world.owes_answers = true;
	assert_false(world_play(&world, TXN_END));
	assert_int_equal(delivery->item.state, ITEM_COMMITTING);
	txn_cut(world.txn);
	assert_true(world_play(&world, TXN_GIVE_UP));
	assert_int_equal(delivery->order.outcome.state, OUTCOME_UNKNOWN);
	assert_true(delivery->item.has_failed);
	world_tear_down(&world);
}

/* Nor for one that is just taking back what it had completed. */
static void
a_cut_does_not_wait_for_what_is_taken_back(void **state)
{
	struct world world;
	struct delivery *first;

	(void)state;
	world_set_up(&world, PLAN_ALL);
	first = world_kept(&world, &world.to_undoable);
	world_kept(&world, &world.to_undoable);
	world_kept(&world, &world.to_folder);
	world.fails_at = 2; /* the file, the first object, and then no more */
	while (first->item.state != ITEM_UNDOING) {
		txn_step(world.txn, TXN_END);
		if (first->item.state != ITEM_UNDOING)
			loop_deliver_rest(world.loop);
	}
	txn_cut(world.txn); /* a file is waited for all the same */
	assert_true(world_play(&world, TXN_GIVE_UP));
	assert_true(world.fakes[1].told & CHANNEL_CANCEL);
	world_tear_down(&world);
}

static void
an_answer_that_is_passed_on_has_its_room_before_anything_is_sent(void **state)
{
	(void)state;
	for (int is_short = 0; is_short < 2; is_short++) {
		struct world world;
		struct txn_setup setup;
		struct error err = { 0 };
		size_t n;

		world_set_up(&world, PLAN_ALL);
		setup = *txn_setup_of(world.txn);
		setup.want_body = true;
		txn_free(world.txn);
		world.txn = txn_new(&setup, &err);
		world_kept(&world, &world.to_store);
		n = is_short ? pool_keepable(world.pool) - 1 : 0;
		assert_true(pool_reserve(world.pool, n, POOL_KEEP));
		assert_true(world_play(&world, TXN_END));
		assert_int_equal(txn_is_whole(world.txn), !is_short);
		if (is_short)
			assert_string_equal(txn_failure(world.txn)->message,
				"no memory left for the upstream's answer; try again later");
		pool_unreserve(world.pool, n, POOL_KEEP);
		world_tear_down(&world);
	}
}

static void
a_dry_run_starts_nothing(void **state)
{
	struct txn_setup dry = { .policy = PLAN_EACH };
	struct rule rule = { .to = &(struct destination){ .kind = &directory_kind } };
	struct error err = { 0 };
	struct txn *txn = txn_new(&dry, &err);

	(void)state;
	assert_non_null(txn);
	assert_non_null(txn_add(txn, &rule));
	txn_go_on(txn);
	assert_int_equal(txn_first(txn)->item.state, ITEM_COLLECTING);
	txn_free(txn);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_is_completed_files_first_then_one_store_then_the_others),
		cmocka_unit_test(a_failure_takes_back_what_can_be_and_says_why),
		cmocka_unit_test(nothing_is_visible_of_a_form_that_is_prepared),
		cmocka_unit_test(a_form_that_is_visible_can_be_taken_back_until_its_end),
		cmocka_unit_test(a_commit_that_fails_has_taken_everything_back),
		cmocka_unit_test(what_cannot_be_taken_back_is_told),
		cmocka_unit_test(one_that_cannot_be_opened_fails_the_form),
		cmocka_unit_test(each_completes_while_others_are_read),
		cmocka_unit_test(with_all_nothing_completes_while_others_are_read),
		cmocka_unit_test(a_store_that_owes_its_answer_is_not_waited_for_after_a_cut),
		cmocka_unit_test(a_cut_does_not_wait_for_what_is_taken_back),
		cmocka_unit_test(an_answer_that_is_passed_on_has_its_room_before_anything_is_sent),
		cmocka_unit_test(a_dry_run_starts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
