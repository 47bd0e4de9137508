// SPDX-License-Identifier: MIT
/* test_reply_part.c - what an answer tells of a part is what part/ knows of it. */
#include "part/parts.h"
#include "reply/reply.h"

#include "lib/check.h"

/* A name that differs each time is told as it is written, if that was wanted; else as it is. */
static void
what_is_told_of_a_part_is_what_is_known_of_it(void **state)
{
	static char store[] = "store", target[] = "/x/6b1c", shown[] = "/x/{uuid}";
	struct destination to = { .name = store };
	struct delivery delivery = { .order.to = &to, .target = { .data = target, .len = 7 } };
	struct part part = { .number = 3,
		.field = STR("f"),
		.size = 9,
		.action = ACTION_STORE,
		.filename = STR_NONE,
		.type = STR("a/b") };
	struct reply_part told = reply_part_of(&part);

	(void)state;
	assert_true(told.number == 3 && told.size == 9 && told.action == ACTION_STORE && told.facts == &part.facts);
	assert_true(str_is(told.field, "f") && str_is(told.type, "a/b") && told.filename.data == NULL);
	assert_true(told.destination.data == NULL && told.target.data == NULL && !told.has_outcome);
	part.delivery = &delivery;
	told = reply_part_of(&part);
	assert_true(str_is(told.destination, "store") && str_is(told.target, target));
	delivery.shown = (struct buf){ .data = shown, .len = 9 };
	told = reply_part_of(&part);
	assert_true(str_is(told.target, shown));
	part.delivery = NULL; /* a stage has refused it before it was sent */
	part.rule = &(struct rule){ .to = &to };
	told = reply_part_of(&part);
	assert_true(str_is(told.destination, "store") && told.target.data == NULL && !told.has_outcome);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_told_of_a_part_is_what_is_known_of_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
