// SPDX-License-Identifier: MIT
/* test_reserve.c - places that are promised: each is taken once, and two that want the same slot both keep theirs. */
#include "decide/reserve.h"

#include "lib/check.h"

static struct reserve reserve;

static int
empty(void **state)
{
	(void)state;
	reserve = (struct reserve){ 0 };
	return 0;
}

static void
a_place_is_taken_once(void **state)
{
	(void)state;
	assert_false(reserve_take(&reserve, 7));
	assert_true(reserve_put(&reserve, 7));
	assert_true(reserve_take(&reserve, 7));
	assert_false(reserve_take(&reserve, 7));
}

static void
one_id_holds_one_place(void **state)
{
	(void)state;
	assert_true(reserve_put(&reserve, 7));
	assert_true(reserve_put(&reserve, 7 + RESERVE_SLOTS));
	assert_false(reserve_put(&reserve, 7 + RESERVE_SLOTS));
	assert_true(reserve_take(&reserve, 7)); /* its slot is free again, and is not for the other one */
	assert_false(reserve_put(&reserve, 7 + RESERVE_SLOTS));
	assert_true(reserve_take(&reserve, 7 + RESERVE_SLOTS));
	assert_false(reserve_take(&reserve, 7 + RESERVE_SLOTS));
}

static void
those_that_want_the_same_slot_both_have_a_place(void **state)
{
	size_t last = RESERVE_SLOTS - 1; /* and go on at the first one */

	(void)state;
	for (size_t i = 0; i < RESERVE_TRIES; i++)
		assert_true(reserve_put(&reserve, last + i * RESERVE_SLOTS));
	assert_false(reserve_put(&reserve, last + RESERVE_TRIES * RESERVE_SLOTS));
	for (size_t i = RESERVE_TRIES; i-- > 0;)
		assert_true(reserve_take(&reserve, last + i * RESERVE_SLOTS));
	for (size_t i = 0; i < RESERVE_SLOTS; i++)
		assert_int_equal(counter_read(&reserve.slots[i]), 0);
}

static void
a_key_is_good_for_one_counter(void **state)
{
	struct counter a = { 0 }, b = { 0 };

	(void)state;
	assert_true(reserve_key(STR("id"), &a) != reserve_key(STR("id"), &b));
	assert_true(reserve_key(STR("id"), &a) != reserve_key(STR("di"), &a));
	assert_true(reserve_key(STR(""), &a) != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_place_is_taken_once, empty),
		cmocka_unit_test_setup(one_id_holds_one_place, empty),
		cmocka_unit_test_setup(those_that_want_the_same_slot_both_have_a_place, empty),
		cmocka_unit_test_setup(a_key_is_good_for_one_counter, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
