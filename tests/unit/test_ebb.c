// SPDX-License-Identifier: MIT
/* test_ebb.c - when memory goes back to the system. */
#include "daemon/ebb.h"

#include "base/container_of.h"
#include "base/mem.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB ((uint64_t)1 << 20)
#define BLOCKS 40000u
#define BLOCK 1000u /* bytes: malloc keeps such when they are free */

static void
what_is_resident_beside_what_is_used_is_due(void **state)
{
	static const struct {
		uint64_t left, resident, used;
		bool is_due;
		uint64_t left_then;
	} looks[] = {
		{ 0, 0, 0, false, 0 }, /* nobody says what is resident */
		{ 0, 4 * MIB - 1, 0, false, 0 },
		{ 0, 4 * MIB, 0, true, 0 },
		{ 0, 100 * MIB, 1 * MIB, true, 0 },
		{ 0, 100 * MIB, 51 * MIB, false, 0 }, /* load: it is used again at once */
		{ 0, 10 * MIB, 60 * MIB, false, 0 },  /* what is used need not have been touched */
		{ 8 * MIB, 11 * MIB - 1, 0, false, 7 * MIB },
		{ 8 * MIB, 11 * MIB, 0, true, 7 * MIB },      /* some of what was left may have become free */
		{ 8 * MIB, 5 * MIB, 0, false, 5 * MIB },      /* and is now */
		{ 100 * MIB, 100 * MIB, 0, false, 99 * MIB }, /* much that nobody can free: not at each look */
		{ 97 * MIB, 100 * MIB, 0, true, 96 * MIB },
	};

	(void)state;
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		uint64_t left = looks[i].left;

		assert_int_equal(ebb_is_due(&left, looks[i].resident, looks[i].used), looks[i].is_due);
		assert_int_equal(left, looks[i].left_then);
	}
}

/* -- in a process -------------------------------------------------------------------------------------- */

struct end {
	struct timer timer;
	struct loop *loop;
};

static void
on_end(struct timer *timer)
{
	loop_stop(container_of(timer, struct end, timer)->loop);
}

static void
run_for(struct loop *loop, uint64_t ms)
{
	struct end end = { .timer.fire = on_end, .loop = loop };

	assert_true(loop_set_timer(loop, &end.timer, clock_after(clock_now_ms(), ms)));
	loop_run(loop);
}

static uint64_t
resident_now(void)
{
	char text[128] = "", *at = text;
	int fd = open("/proc/self/statm", O_RDONLY);

	assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
	close(fd);
	strtoull(at, &at, 10);
	return strtoull(at, &at, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool
is_malloc_counted(void)
{
	size_t before = mem_used();
	void *block = mem_alloc(MIB);
	bool is = mem_used() >= before + MIB;

	mem_free(block);
	return is;
}

/* The first and the last one stay, so that free() alone gives nothing back. */
static void
allocate_and_free(void *blocks[BLOCKS])
{
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = mem_alloc(BLOCK);
		assert_non_null(blocks[i]);
		memset(blocks[i], 'x', BLOCK);
	}
	for (size_t i = 1; i < BLOCKS - 1; i++)
		mem_free(blocks[i]);
}

static struct loop *loop;
static struct pool *pool;

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	loop = loop_new(&err);
	pool = pool_new(8 * MIB, &err);
	return loop != NULL && pool != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	pool_free(pool);
	loop_free(loop);
	return 0;
}

static void
a_burst_between_two_looks_goes_back(void **state)
{
	static void *blocks[BLOCKS];
	struct error err = { 0 };
	struct ebb ebb = { 0 };
	uint64_t before = resident_now(), after;

	(void)state;
	if (!is_malloc_counted()) /* a sanitizer has a heap of its own */
		skip();
	assert_true(ebb_start(&ebb, loop, pool, &err));
	allocate_and_free(blocks);
	assert_true(resident_now() > before + 30 * MIB);
	run_for(loop, 1500);
	after = resident_now();
	assert_true(after < before + 4 * MIB);
	ebb_stop(&ebb);
	mem_free(blocks[0]);
	mem_free(blocks[BLOCKS - 1]);
}

static void
without_the_kernels_word_nothing_is_done(void **state)
{
	struct error err = { 0 };
	struct ebb ebb = { 0 };

	(void)state;
	ebb_stop(&ebb); /* not started */
	assert_true(ebb_start(&ebb, loop, pool, &err));
	close(ebb.statm);
	ebb.statm = -1;
	run_for(loop, 1200);
	assert_int_equal(ebb.left, 0);
	ebb_stop(&ebb);
}

static void
what_could_not_start_closes_nothing(void **state)
{
	struct error err = { 0 };
	struct ebb ebb = { 0 };
	int was_open = fcntl(STDIN_FILENO, F_GETFD);

	(void)state;
	mem_fail(1, SIZE_MAX);
	assert_false(ebb_start(&ebb, loop, pool, &err));
	mem_fail(0, 0);
	ebb_stop(&ebb);
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), was_open);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_resident_beside_what_is_used_is_due),
		cmocka_unit_test_setup_teardown(a_burst_between_two_looks_goes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_the_kernels_word_nothing_is_done, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_could_not_start_closes_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
