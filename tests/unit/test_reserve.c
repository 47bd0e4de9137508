// SPDX-License-Identifier: MIT
/* test_reserve.c - what a form has set aside: taken and given back by its orders, on one thread and on two. */
#include "channel/reserve.h"
#include "lib/check.h"

#include "base/mem.h"
#include "loop/loop.h"

#include <pthread.h>

#define TOTAL 64u
#define SIZE 10u

static struct pool *pool;
static struct reserve *reserve;

/* One consumer with its channel; nobody hears the other side. */
struct taker {
	struct loop *loop;
	struct channel *channel;
	struct reserve_user user;
	unsigned told;
};

static void
on_order(void *arg, unsigned orders)
{
	((struct taker *)arg)->told |= orders;
}

static void
on_news(void *arg, unsigned news)
{
	(void)arg;
	(void)news;
}

static void
taker_init(struct taker *taker)
{
	struct error err = { 0 };
	struct channel_side side;

	*taker = (struct taker){ .loop = loop_new(&err) };
	assert_non_null(taker->loop);
	side = (struct channel_side){ .box = loop_mailbox(taker->loop), .on_mail = on_order, .arg = taker };
	taker->channel = channel_new(
		pool, &(struct channel_side){ .box = side.box, .on_mail = on_news }, &side, 4, &err);
	assert_non_null(taker->channel);
	taker->user.channel = taker->channel;
}

static void
taker_fini(struct taker *taker)
{
	loop_deliver_rest(taker->loop);
	channel_free(taker->channel);
	loop_free(taker->loop);
}

static bool
is_told(struct taker *taker)
{
	bool told;

	loop_deliver_rest(taker->loop);
	told = taker->told == CHANNEL_DATA;
	taker->told = 0;
	return told;
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	pool = pool_new(TOTAL * CHUNK_SIZE, &err);
	if (pool == NULL || !pool_reserve_ahead(pool, SIZE))
		return 1;
	reserve = reserve_new(pool, SIZE);
	return reserve == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	reserve_release(reserve);
	pool_free(pool); /* insists that all is back */
	return 0;
}

static void
all_of_it_is_back_with_the_last_reference(void **state)
{
	(void)state;
	assert_int_equal(reserve_size(reserve), SIZE);
	assert_int_equal(pool_available(pool), TOTAL - SIZE);
	assert_ptr_equal(reserve_acquire(reserve), reserve);
	reserve_release(reserve);
	assert_int_equal(pool_available(pool), TOTAL - SIZE);
	assert_null(reserve_acquire(NULL));
	reserve_release(NULL);
}

static void
chunks_come_out_of_it_and_go_back_into_it(void **state)
{
	struct chunk *aside = NULL, *drawn;
	struct taker taker;

	(void)state;
	taker_init(&taker);
	assert_true(reserve_take(reserve, &taker.user, SIZE));
	drawn = pool_draw(pool, POOL_KEEP);
	pool_draw_aside(pool, SIZE - 1, &aside);
	assert_int_equal(pool_available(pool), TOTAL - SIZE);
	assert_false(reserve_take(reserve, &taker.user, 1));
	reserve_give(reserve, drawn);
	assert_true(is_told(&taker));
	assert_true(reserve_take(reserve, &taker.user, 1));
	reserve_put(reserve, 1);
	assert_false(is_told(&taker)); /* he did not wait */
	reserve_take_back(reserve, &aside);
	assert_null(aside);
	assert_int_equal(pool_available(pool), TOTAL - SIZE); /* nobody else got any */
	assert_true(reserve_take(reserve, &taker.user, SIZE));
	reserve_put(reserve, SIZE);
	taker_fini(&taker);
}

static void
a_full_chunk_may_be_held_in_its_place(void **state)
{
	struct chunk *full, *spare;
	struct taker taker;

	(void)state;
	taker_init(&taker);
	assert_true(pool_reserve(pool, 1, POOL_STREAM));
	full = pool_draw(pool, POOL_STREAM);
	assert_true(reserve_take(reserve, &taker.user, 1));
	spare = pool_draw(pool, POOL_KEEP);
	pool_swap_uses(full, spare);
	pool_give(pool, spare);
	assert_int_equal(pool_available(pool), TOTAL - SIZE);
	reserve_give(reserve, full);
	taker_fini(&taker);
}

static void
all_who_wait_are_told_and_whoever_forgot_is_not(void **state)
{
	struct taker takers[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		taker_init(&takers[i]);
	assert_true(reserve_take(reserve, &takers[0].user, SIZE));
	for (int i = 1; i < 4; i++)
		assert_false(reserve_take(reserve, &takers[i].user, (size_t)i));
	assert_false(reserve_take(reserve, &takers[2].user, 3)); /* asks twice, waits once */
	reserve_forget(reserve, &takers[3].user);
	reserve_forget(reserve, &takers[0].user); /* did not wait */
	reserve_put(reserve, 1);
	assert_true(is_told(&takers[1]));
	assert_true(is_told(&takers[2]));
	assert_false(is_told(&takers[3]) || is_told(&takers[0]));
	assert_false(reserve_take(reserve, &takers[2].user, 2));
	reserve_put(reserve, SIZE - 1);
	assert_true(is_told(&takers[2]));
	assert_false(is_told(&takers[1]));
	for (int i = 0; i < 4; i++)
		taker_fini(&takers[i]);
}

/* -- two threads ------------------------------------------------------------------------------------ */

#define ROUNDS 2000

/* Both want more than half. */
static void *
take_and_put(void *arg)
{
	struct taker taker;

	(void)arg;
	taker_init(&taker);
	mailbox_own(loop_mailbox(taker.loop));
	for (int i = 0; i < ROUNDS; i++) {
		while (!reserve_take(reserve, &taker.user, SIZE / 2 + 1))
			while (!is_told(&taker))
				sched_yield();
		reserve_put(reserve, SIZE / 2 + 1);
	}
	reserve_forget(reserve, &taker.user);
	mailbox_own(NULL);
	taker_fini(&taker);
	return NULL;
}

static void
whoever_waits_hears_of_the_other_thread(void **state)
{
	pthread_t threads[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_put, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void
it_may_not_be_made(void **state)
{
	(void)state;
	mem_fail(1, 1);
	assert_null(reserve_new(pool, 1));
	mem_fail(0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_of_it_is_back_with_the_last_reference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(chunks_come_out_of_it_and_go_back_into_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_chunk_may_be_held_in_its_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_who_wait_are_told_and_whoever_forgot_is_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whoever_waits_hears_of_the_other_thread, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_may_not_be_made, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
