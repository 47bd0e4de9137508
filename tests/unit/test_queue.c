// SPDX-License-Identifier: MIT
/* test_queue.c - forms wait for memory in the order in which they came, over all threads; and what may be had beforehand. */
#include "channel/queue.h"
#include "lib/check.h"

#include "base/mem.h"
#include "config/memory.h"

#include <pthread.h>

#define TOTAL 64u /* of which 38 can be had: 48 may be kept, less an eighth and four */
#define MOST 38u

static struct pool *pool;
static struct queue *queue;

struct side { /* a thread's */
	struct mailbox *box;
	struct mail mail;
	struct queue_side queue;
	unsigned n_heard;
};

static void
on_mail(struct mail *mail, unsigned bits)
{
	(void)bits;
	((struct side *)(void *)((char *)mail - offsetof(struct side, mail)))->n_heard++;
}

static void
side_init(struct side *side)
{
	struct error err = { 0 };

	*side = (struct side){ .box = mailbox_new(&err) };
	assert_non_null(side->box);
	mail_init(&side->mail, on_mail);
	side->queue = (struct queue_side){ .box = side->box, .mail = &side->mail };
}

static void
side_fini(struct side *side)
{
	mailbox_deliver(side->box);
	mailbox_free(side->box);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	pool = pool_new(TOTAL * CHUNK_SIZE, &err);
	queue = pool != NULL ? queue_new(pool, &err) : NULL;
	return queue == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	queue_free(queue);
	pool_free(pool);
	return 0;
}

static void
check_says_what_the_pool_does(void **state)
{
	struct error err = { 0 };

	(void)state;
	for (uint64_t memory = 1 << 20; memory < 64 << 20; memory += 100000) {
		struct pool *p = pool_new(memory, &err);
		size_t most = (size_t)(memory_for_forms(memory) / CHUNK_SIZE);

		assert_non_null(p);
		assert_int_equal(most, pool_most_ahead(p));
		assert_int_equal(memory_kept(memory), (pool_total(p) - pool_streams(p)) * CHUNK_SIZE);
		assert_false(pool_reserve_ahead(p, most + 1));
		assert_true(pool_reserve_ahead(p, most));
		assert_false(pool_reserve_ahead(p, 1));
		assert_int_equal(pool_shortage(p), 0);
		pool_unreserve(p, most, POOL_KEEP);
		pool_free(p);
	}
}

static void
whoever_finds_memory_does_not_wait(void **state)
{
	struct queue_place place = { 0 };
	struct side side;

	(void)state;
	side_init(&side);
	assert_true(queue_enter(queue, &side.queue, &place, MOST));
	assert_int_equal(place.state, QUEUE_OUT);
	assert_int_equal(queue_length(queue), 0);
	queue_leave(queue, &place); /* is fine */
	pool_unreserve(pool, MOST, POOL_KEEP);
	assert_int_equal(mailbox_deliver(side.box), 0);
	side_fini(&side);
}

static void
nobody_overtakes(void **state)
{
	struct queue_place large = { 0 }, small = { 0 };
	struct side side, other;

	(void)state;
	side_init(&side);
	side_init(&other);
	assert_true(pool_reserve_ahead(pool, 20));
	assert_false(queue_enter(queue, &side.queue, &large, 30));
	assert_false(queue_enter(queue, &other.queue, &small, 1)); /* there is one, but it is not his turn */
	assert_int_equal(queue_length(queue), 2);
	assert_int_equal(queue_wants(queue), 30);
	pool_unreserve(pool, 11, POOL_KEEP);
	queue_serve(queue);
	assert_null(queue_fetch(queue, &side.queue));
	pool_unreserve(pool, 2, POOL_KEEP);
	queue_serve(queue);
	assert_int_equal(mailbox_deliver(side.box), 1);
	assert_int_equal(side.n_heard, 1);
	assert_ptr_equal(queue_fetch(queue, &side.queue), &large);
	assert_null(queue_fetch(queue, &side.queue));
	assert_int_equal(large.state, QUEUE_OUT);
	assert_int_equal(mailbox_deliver(other.box), 1); /* there was one more */
	assert_ptr_equal(queue_fetch(queue, &other.queue), &small);
	pool_unreserve(pool, 7 + 30 + 1, POOL_KEEP);
	side_fini(&side);
	side_fini(&other);
}

static void
who_leaves_lets_the_next_one_in(void **state)
{
	struct queue_place first = { 0 }, second = { 0 }, third = { 0 };
	struct side side;

	(void)state;
	side_init(&side);
	assert_true(pool_reserve_ahead(pool, 20));
	assert_false(queue_enter(queue, &side.queue, &first, 30));
	assert_false(queue_enter(queue, &side.queue, &second, 10));
	assert_false(queue_enter(queue, &side.queue, &third, 10));
	queue_leave(queue, &first);
	assert_int_equal(queue_length(queue), 1);
	queue_leave(queue, &second); /* granted, and not fetched: the next one gets it */
	assert_int_equal(queue_length(queue), 0);
	mailbox_deliver(side.box);
	assert_ptr_equal(queue_fetch(queue, &side.queue), &third);
	assert_null(queue_fetch(queue, &side.queue));
	assert_int_equal(queue_wants(queue), 0);
	pool_unreserve(pool, 20 + 10, POOL_KEEP);
	side_fini(&side);
}

/* -- many threads ------------------------------------------------------------------------------------ */

#define THREADS 4
#define ROUNDS 200

/* Waits for its turn as a worker does, some of the time leaving before; never more is out than there is. */
static void *
come_and_go(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	struct side side;

	side_init(&side);
	mailbox_own(side.box);
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t n = 1 + (seed * 7 + i * 13) % MOST;
		struct queue_place place = { 0 };
		bool has = queue_enter(queue, &side.queue, &place, n);

		for (unsigned tries = 0; !has && (i % 5 != 0 || tries < 3); tries++) {
			queue_serve(queue);
			mailbox_deliver(side.box);
			has = queue_fetch(queue, &side.queue) == &place;
			sched_yield();
		}
		queue_leave(queue, &place);
		if (has)
			pool_unreserve(pool, n, POOL_KEEP);
	}
	mailbox_deliver(side.box);
	mailbox_own(NULL);
	side_fini(&side);
	return NULL;
}

static void
many_threads_come_and_go(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(queue_length(queue), 0);
	assert_int_equal(pool_available(pool), TOTAL);
}

/* Each takes its place once the one before it has, on another thread; they are let in in that order. */
static void
the_order_is_that_of_all_threads(void **state)
{
	struct queue_place places[3 * THREADS] = { 0 };
	struct side sides[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		side_init(&sides[i]);
	assert_true(pool_reserve_ahead(pool, MOST));
	for (size_t i = 0; i < 3 * THREADS; i++)
		assert_false(queue_enter(queue, &sides[i * 3 % THREADS].queue, &places[i], MOST));
	for (size_t i = 0; i < 3 * THREADS; i++) {
		pool_unreserve(pool, MOST, POOL_KEEP);
		queue_serve(queue);
		for (int k = 0; k < THREADS; k++)
			assert_ptr_equal(queue_fetch(queue, &sides[k].queue),
				(int)(i * 3 % THREADS) == k ? &places[i] : NULL);
	}
	pool_unreserve(pool, MOST, POOL_KEEP);
	for (int i = 0; i < THREADS; i++)
		side_fini(&sides[i]);
}

static void
it_may_not_be_made(void **state)
{
	struct error err = { 0 };

	(void)state;
	mem_fail(1, 1);
	assert_null(queue_new(pool, &err));
	mem_fail(0, 0);
	assert_int_equal(err.kind, ERR_NOMEM);
	queue_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_says_what_the_pool_does),
		cmocka_unit_test_setup_teardown(whoever_finds_memory_does_not_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_overtakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_leaves_lets_the_next_one_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_threads_come_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_order_is_that_of_all_threads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_may_not_be_made, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
