// SPDX-License-Identifier: MIT
/* test_small_blocks.c - small blocks that were given back serve the next requests, whole and as often as they are there. */
#include "base/small_blocks.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lib/check.h"
#include "sink/spare_blocks.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#define N_BLOCKS 100

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define KEEPS false
#else
#define KEEPS true
#endif

static size_t
take_all(size_t size)
{
	size_t n = 0;

	for (void *block; (block = small_blocks_take(size)) != NULL; n++)
		free(block);
	return n;
}

static void
many_serve_the_next_requests(void **state)
{
	void *blocks[N_BLOCKS];

	(void)state;
	for (size_t size = 1; size <= SMALL_BLOCK_MAX / 2; size += 997) {
		for (size_t i = 0; i < N_BLOCKS; i++)
			assert_non_null(blocks[i] = spare_blocks_take(size));
		for (size_t i = 0; i < N_BLOCKS; i++)
			spare_blocks_give(blocks[i]);
		for (size_t i = N_BLOCKS; i-- > 0;) {
			void *block = spare_blocks_take(size);

			if (KEEPS)
				assert_ptr_equal(block, blocks[i]);
			blocks[i] = block;
		}
		for (size_t i = 0; i < N_BLOCKS; i++)
			spare_blocks_give(blocks[i]);
		take_all(size);
	}
}

/* Also where a block came from malloc, whose sizes are its own. */
static void
none_is_too_small(void **state)
{
	(void)state;
	for (size_t given = 1; given < SMALL_BLOCK_MAX + 100; given += 3) {
		spare_blocks_give(malloc(given));
		for (size_t size = given > 40 ? given - 40 : 0; size < given + 40; size += 7) {
			unsigned char *block = spare_blocks_take(size);

			assert_non_null(block);
			assert_true(malloc_usable_size(block) >= size);
			memset(block, 3, size);
			spare_blocks_give(block);
		}
	}
}

static void
one_that_is_to_be_zeroed_is(void **state)
{
	unsigned char *block = spare_blocks_take(300);

	(void)state;
	memset(block, 1, 300);
	spare_blocks_give(block);
	block = spare_blocks_zeroed(3, 100);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(block[i], 0);
	spare_blocks_give(block);
}

/* Also by mem.h, whose blocks these are, too. */
static void
one_that_was_used_is_zeroed(void **state)
{
	for (size_t size = 1; size < 2 * SMALL_BLOCK_MAX; size += 311) {
		unsigned char *block = mem_alloc(size);

		assert_non_null(block);
		memset(block, 1, size);
		mem_free(block);
		block = size % 2 == 0 ? mem_zalloc(size) : mem_array(size, 1);
		assert_non_null(block);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(block[i], 0);
		mem_free(block);
	}
	(void)state;
}

static void
too_many_are_refused(void **state)
{
	(void)state;
	assert_null(mem_array(SIZE_MAX / 2, 3));
	assert_null(mem_resize(NULL, SIZE_MAX / 2, 3));
}

static void
what_grows_keeps_its_bytes(void **state)
{
	char *block = NULL;

	(void)state;
	for (size_t size = 1; size < 4 * SMALL_BLOCK_MAX; size += size / 4 + 1) {
		block = spare_blocks_again(block, size);
		assert_non_null(block);
		assert_true(malloc_usable_size(block) >= size);
		block[size - 1] = (char)('a' + size % 26);
		for (size_t had = 1; had <= size; had += had / 4 + 1)
			assert_int_equal(block[had - 1], 'a' + had % 26);
	}
	spare_blocks_give(block);
}

static void
a_text_is_copied(void **state)
{
	char *text = spare_blocks_text("what libcurl is told"), *none = spare_blocks_text("");

	(void)state;
	assert_string_equal(text, "what libcurl is told");
	assert_string_equal(none, "");
	spare_blocks_give(text);
	spare_blocks_give(none);
}

/* Of all cases: it never goes back. */
static uint64_t now = 1000000;

/* This thread keeps none then, whatever the cases before have left. */
static void
wait_until_none_is_kept(void)
{
	do
		now += SMALL_BLOCKS_REST_MS;
	while (small_blocks_rest(now) != CLOCK_NEVER);
}

static void
no_more_is_kept_than_is_said(void **state)
{
	size_t size = SMALL_BLOCK_MAX / 2, n;

	(void)state;
	wait_until_none_is_kept();
	for (size_t i = 0; i < 4 * SMALL_BLOCKS_KEPT / size; i++)
		spare_blocks_give(malloc(size));
	n = take_all(size);
	assert_true(n <= SMALL_BLOCKS_KEPT / size);
	assert_true(KEEPS ? n > 0 : n == 0);
}

static void
keep(size_t n, size_t size)
{
	for (size_t i = 0; i < n; i++)
		small_blocks_free(malloc(size));
}

/* A thread that asks for fewer than it keeps is in no hurry to have them. */
static void
what_is_kept_without_use_is_freed(void **state)
{
	(void)state;
	wait_until_none_is_kept();
	keep(N_BLOCKS, 200);
	assert_int_equal(small_blocks_rest(now), KEEPS ? now + SMALL_BLOCKS_REST_MS : CLOCK_NEVER);
	for (size_t i = 0; i < N_BLOCKS; i++)
		small_blocks_free(small_blocks_alloc(200));
	now += SMALL_BLOCKS_REST_MS;
	assert_int_equal(small_blocks_rest(now), KEEPS ? now + SMALL_BLOCKS_REST_MS : CLOCK_NEVER);
	small_blocks_free(small_blocks_alloc(200));
	assert_int_equal(small_blocks_rest(now + 1), KEEPS ? now + SMALL_BLOCKS_REST_MS : CLOCK_NEVER);
	now += SMALL_BLOCKS_REST_MS;
	assert_int_equal(small_blocks_rest(now), CLOCK_NEVER);
	assert_int_equal(take_all(200), 0);
}

/* Also where as much as may be kept is. */
static void
what_nobody_asks_for_makes_room(void **state)
{
	size_t of_old = SMALL_BLOCK_MAX / 2, of_new = 100;

	(void)state;
	wait_until_none_is_kept();
	keep(SMALL_BLOCKS_KEPT / of_old + N_BLOCKS, of_old);
	keep(N_BLOCKS, of_new);
	small_blocks_rest(now);
	for (size_t i = 0; i < 2 * N_BLOCKS; i++)
		small_blocks_free(small_blocks_alloc(of_new));
	now += SMALL_BLOCKS_REST_MS;
	small_blocks_rest(now);
	keep(N_BLOCKS, of_new);
	assert_true(KEEPS ? take_all(of_new) >= N_BLOCKS : take_all(of_new) == 0);
	assert_int_equal(take_all(of_old), 0);
}

/* pthread_setspecific() as it is, or as it is without memory (CMakeLists.txt links it so). */
static bool has_no_memory;

int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);

int
__wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
	return has_no_memory ? ENOMEM : __real_pthread_setspecific(key, value);
}

/* It turns once. */
static void *
keep_many(void *arg)
{
	size_t size = SMALL_BLOCK_MAX / 2, n = SMALL_BLOCKS_KEPT / 2 / size, *n_kept = arg;
	void *blocks[SMALL_BLOCKS_KEPT / (SMALL_BLOCK_MAX / 2)];

	for (size_t i = 0; i < n; i++)
		assert_non_null(blocks[i] = malloc(size));
	assert_true(small_blocks_take(size) == NULL && !small_blocks_keep(blocks[0]));
	assert_int_equal(small_blocks_rest(now), CLOCK_NEVER);
	for (size_t i = 0; i < n; i++) {
		if (small_blocks_keep(blocks[i]))
			++*n_kept;
		else
			free(blocks[i]);
	}
	return NULL;
}

/* Returns the bytes by which what malloc has given out is more than before it. */
static size_t
in_a_thread_that_ends(size_t *n_kept)
{
	size_t before = mallinfo2().uordblks, after;
	pthread_t thread;

	*n_kept = 0;
	assert_int_equal(pthread_create(&thread, NULL, keep_many, n_kept), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	after = mallinfo2().uordblks;
	return after > before ? after - before : 0;
}

static void
what_a_thread_keeps_is_freed_at_its_end(void **state)
{
	size_t n_kept, left = in_a_thread_that_ends(&n_kept);

	(void)state;
	assert_true(KEEPS ? n_kept > 0 : n_kept == 0);
	assert_true(left < SMALL_BLOCKS_KEPT / 4);
}

static void
none_is_kept_of_which_its_end_would_not_hear(void **state)
{
	size_t n_kept, left;

	(void)state;
	has_no_memory = true;
	left = in_a_thread_that_ends(&n_kept);
	has_no_memory = false;
	assert_int_equal(n_kept, 0);
	assert_true(left < SMALL_BLOCKS_KEPT / 4);
}

static int
set_up(void **state)
{
	(void)state;
	small_blocks_start();
	small_blocks_rest(now);
	return spare_blocks_start() ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_serve_the_next_requests),
		cmocka_unit_test(none_is_too_small),
		cmocka_unit_test(one_that_is_to_be_zeroed_is),
		cmocka_unit_test(one_that_was_used_is_zeroed),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(what_grows_keeps_its_bytes),
		cmocka_unit_test(a_text_is_copied),
		cmocka_unit_test(no_more_is_kept_than_is_said),
		cmocka_unit_test(what_nobody_asks_for_makes_room),
		cmocka_unit_test(what_is_kept_without_use_is_freed),
		cmocka_unit_test(what_a_thread_keeps_is_freed_at_its_end),
		cmocka_unit_test(none_is_kept_of_which_its_end_would_not_hear),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
