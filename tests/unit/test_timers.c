// SPDX-License-Identifier: MIT
/* test_timers.c - the heap of deadlines stays a heap, whatever is set, moved and cleared. */
#include "loop/timers.h"

#include "lib/check.h"

static uint64_t last_fired_ms;
static unsigned n_fired;

static void
fire_in_order(struct timer *timer)
{
	assert_true(timer->at_ms >= last_fired_ms);
	last_fired_ms = timer->at_ms;
	n_fired++;
}

static unsigned
next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

static void
any_mix_of_set_move_and_clear_keeps_the_heap(void **state)
{
	static struct timer all[500];
	struct timers timers = { 0 };
	unsigned seed = 7, n_set = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct timer *timer = &all[next_random(&seed) % 500];

		timer->fire = fire_in_order;
		if (next_random(&seed) % 3 == 0)
			timers_clear(&timers, timer);
		else
			assert_true(timers_set(&timers, timer, next_random(&seed) % 1000));
	}
	for (int i = 0; i < 500; i++)
		n_set += all[i].slot != 0;
	last_fired_ms = n_fired = 0;
	timers_fire(&timers, 1000);
	assert_int_equal(n_fired, n_set);
	timers_fini(&timers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_mix_of_set_move_and_clear_keeps_the_heap) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
