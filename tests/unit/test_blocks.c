// SPDX-License-Identifier: MIT
/* Blocks do not touch one another whatever is taken and given back in which order, chunks go back with their last block, and
 * charges are counted to the chunk for all together. */
#include "channel/blocks.h"
#include "lib/check.h"
#include "lib/random_bytes.h"

#include <string.h>

#define TOTAL 64
#define KEEPS (TOTAL / 4 * 3)

static struct pool *pool;
static struct blocks *blocks;

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	pool = pool_new(TOTAL * CHUNK_SIZE, &err);
	blocks = pool != NULL ? blocks_new(pool) : NULL;
	return blocks != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	blocks_free(blocks);
	pool_free(pool);
	return 0;
}

static size_t
used(void)
{
	return pool_total(pool) - pool_available(pool);
}

static void
check_filled(const struct block *block, int with)
{
	for (uint32_t i = 0; i < block->size; i++)
		assert_int_equal((unsigned char)block->data[i], with);
}

static void
no_two_blocks_touch(void **state)
{
	struct block *held[500] = { 0 };
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		size_t i = random_below(&random, 500);
		size_t size = 1 + random_below(&random, (i % 10 == 0 ? BLOCK_MAX : 2000u) - 1);

		if (held[i] != NULL) {
			check_filled(held[i], (int)(i % 251));
			blocks_give(blocks, held[i]);
			held[i] = NULL;
		} else if ((held[i] = blocks_take(blocks, size)) != NULL) {
			assert_true(held[i]->size >= size && held[i]->size < size + BLOCK_UNIT);
			assert_true(held[i]->end == 0 && held[i]->next == NULL);
			memset(held[i]->data, (int)(i % 251), held[i]->size);
		}
		assert_true(used() <= KEEPS);
	}
	for (size_t i = 0; i < 500; i++)
		if (held[i] != NULL)
			blocks_give(blocks, held[i]);
	assert_int_equal(used(), 0);
}

static void
a_large_block_is_a_whole_chunk(void **state)
{
	struct block *large = blocks_take(blocks, BLOCK_MAX), *small = blocks_take(blocks, 1);

	(void)state;
	assert_int_equal(large->size, BLOCK_MAX);
	assert_int_equal(used(), 2);
	blocks_give(blocks, large);
	assert_int_equal(used(), 1);
	blocks_give(blocks, small);
	assert_int_equal(used(), 0);
}

static void
the_room_that_just_fits_is_used_first(void **state)
{
	struct block *a = blocks_take(blocks, BLOCK_MAX - BLOCK_UNIT), *b = blocks_take(blocks, BLOCK_MAX / 2);
	struct block *small = blocks_take(blocks, 100);

	(void)state;
	assert_ptr_equal(small->chunk, a->chunk); /* one unit is left there, and half of the other chunk */
	blocks_give(blocks, a);
	blocks_give(blocks, b);
	blocks_give(blocks, small);
	assert_int_equal(used(), 0);
}

static void
it_takes_no_more_than_may_be_kept(void **state)
{
	struct block *list = NULL, *block;
	size_t n = 0;

	(void)state;
	for (; (block = blocks_take(blocks, 10000)) != NULL; n++) {
		block->next = list;
		list = block;
	}
	assert_int_equal(n, KEEPS * 3);
	assert_int_equal(used(), KEEPS);
	while ((block = list) != NULL) {
		list = block->next;
		blocks_give(blocks, block);
	}
	assert_int_equal(used(), 0);
}

static void
charges_of_many_are_added_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_true(blocks_charge(blocks, 1000));
	assert_int_equal(used(), 1000 * 1000 / CHUNK_SIZE + 1);
	for (size_t i = 0; i < 999; i++)
		blocks_discharge(blocks, 1000);
	assert_true(used() <= 2);
	blocks_discharge(blocks, 1000);
	assert_int_equal(used(), 0);
	assert_true(blocks_charge(blocks, 0));
	assert_int_equal(used(), 0);
}

static void
a_charge_that_does_not_fit_is_not_counted(void **state)
{
	(void)state;
	assert_true(blocks_charge(blocks, KEEPS * CHUNK_SIZE - 10));
	assert_false(blocks_charge(blocks, 11));
	assert_true(blocks_charge(blocks, 10));
	assert_false(blocks_charge(blocks, 1));
	blocks_discharge(blocks, KEEPS * CHUNK_SIZE);
	assert_int_equal(used(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_blocks_touch),
		cmocka_unit_test(a_large_block_is_a_whole_chunk),
		cmocka_unit_test(the_room_that_just_fits_is_used_first),
		cmocka_unit_test(it_takes_no_more_than_may_be_kept),
		cmocka_unit_test(charges_of_many_are_added_up),
		cmocka_unit_test(a_charge_that_does_not_fit_is_not_counted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
