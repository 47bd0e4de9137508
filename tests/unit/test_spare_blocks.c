// SPDX-License-Identifier: MIT
/* test_spare_blocks.c - a buffer of a request serves the next one, few are kept, and a thread leaves none behind (which the build
 * with the address sanitizer looks at). */
#include "sink/spare_blocks.h"

#include "lib/check.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFER ((size_t)256 << 10)

static void
a_buffer_serves_the_next_request(void **state)
{
	void *first = spare_blocks_take(BUFFER), *second;

	(void)state;
	assert_non_null(first);
	memset(first, 1, BUFFER);
	spare_blocks_give(first);
	second = spare_blocks_take(BUFFER);
	assert_ptr_equal(second, first);
	spare_blocks_give(second);
	second = spare_blocks_take(BUFFER - BUFFER / 4);
	assert_ptr_equal(second, first);
	spare_blocks_give(second);
	second = spare_blocks_zeroed(1, BUFFER);
	assert_ptr_equal(second, first);
	spare_blocks_give(second);
}

/* Each has the bytes that it was asked for, whatever is kept. */
static void
every_block_is_large_enough(void **state)
{
	(void)state;
	for (size_t size = 1; size < 2 * SPARE_BLOCK_LARGEST; size += size / 3 + 1) {
		unsigned char *block = spare_blocks_take(size);

		assert_non_null(block);
		assert_true(malloc_usable_size(block) >= size);
		memset(block, 2, size);
		spare_blocks_give(block);
	}
}

static void
two_have_never_the_same(void **state)
{
	void *blocks[SPARE_BLOCKS_MAX + 2];
	size_t n = sizeof blocks / sizeof blocks[0];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < n; i++) {
			blocks[i] = spare_blocks_take(BUFFER);
			assert_non_null(blocks[i]);
			for (size_t k = 0; k < i; k++)
				assert_ptr_not_equal(blocks[i], blocks[k]);
		}
		for (size_t i = 0; i < n; i++)
			spare_blocks_give(blocks[i]);
	}
}

static void
nothing_can_be_given_back(void **state)
{
	(void)state;
	spare_blocks_give(NULL);
}

static size_t
resident(const char *block, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	unsigned char pages[2 * SPARE_BLOCK_LARGEST / 4096] = { 0 };
	uintptr_t from = ((uintptr_t)block + page - 1) / page * page, to = (uintptr_t)(block + size) / page * page;

	assert_int_equal(mincore((void *)from, to - from, pages), 0);
	for (size_t i = 0; i < (to - from) / page; i++)
		n += pages[i] & 1;
	return n;
}

/* Also where malloc gives it what was used before; but without its pages. */
static void
what_is_zeroed_is_zero(void **state)
{
	(void)state;
	for (size_t size = 1; size < 2 * SPARE_BLOCK_LARGEST; size += size / 3 + 1) {
		char *used = malloc(size), *block;

		assert_non_null(used);
		memset(used, 3, size);
		free(used);
		block = spare_blocks_zeroed(size, 1);
		assert_non_null(block);
		if (size >= SPARE_ZEROED_LEAST)
			assert_int_equal(resident(block, size), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(block[i], 0);
		memset(block, 2, size);
		spare_blocks_give(block);
	}
	assert_null(spare_blocks_zeroed(SIZE_MAX / 2, 3));
}

static void
nothing_is_a_block_too(void **state)
{
	void *block = spare_blocks_zeroed(3, 0);

	(void)state;
	assert_non_null(block);
	spare_blocks_give(block);
}

static void *
run_thread(void *block)
{
	spare_blocks_give(block);
	spare_blocks_give(spare_blocks_take(BUFFER));
	spare_blocks_give(spare_blocks_take(BUFFER + 1));
	return NULL;
}

static void
another_thread_may_give_it_back(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, run_thread, spare_blocks_take(BUFFER)), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static int
start(void **state)
{
	(void)state;
	return spare_blocks_start() ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_serves_the_next_request),
		cmocka_unit_test(every_block_is_large_enough),
		cmocka_unit_test(two_have_never_the_same),
		cmocka_unit_test(nothing_can_be_given_back),
		cmocka_unit_test(another_thread_may_give_it_back),
		cmocka_unit_test(what_is_zeroed_is_zero),
		cmocka_unit_test(nothing_is_a_block_too),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
