// SPDX-License-Identifier: MIT
/* What is kept comes back as it was, takes little more than it is, and what is taken out again leaves nothing behind. */
#include "channel/keep.h"
#include "lib/check.h"

#include <string.h>

static struct pool *pool;
static struct blocks *blocks;

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	pool = pool_new(64 * CHUNK_SIZE, &err);
	blocks = pool != NULL ? blocks_new(pool) : NULL;
	return blocks != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	blocks_free(blocks);
	pool_free(pool); /* which checks that every chunk is back */
	return 0;
}

static void
check_content(const struct kept *kept, char expected, size_t length)
{
	size_t len;

	assert_int_equal(kept->length, length);
	for (uint64_t at = 0; at < length; at += len) {
		const char *data = kept_at(kept, at, &len);

		assert_true(len > 0);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(data[i], expected);
	}
}

static void
add(struct keep *keep, struct kept *kept, char what, size_t length)
{
	char piece[1000];

	memset(piece, what, sizeof piece);
	for (size_t n; length > 0; length -= n) {
		n = length < sizeof piece ? length : sizeof piece;
		assert_true(keep_add(keep, kept, piece, n));
	}
}

static void
give_back(struct chunk *chunk)
{
	while (chunk != NULL) {
		struct chunk *next = chunk->link;

		pool_give(pool, chunk);
		chunk = next;
	}
}

static void
taking_the_only_part_out_gives_its_chunks_back(void **state)
{
	struct keep keep;
	struct kept kept = { 0 };
	size_t before = pool_available(pool);

	(void)state;
	keep_init(&keep, blocks);
	add(&keep, &kept, 'a', 16384);
	assert_true(pool_available(pool) < before);
	assert_null(keep_take_out(&keep, &kept));
	assert_int_equal(pool_available(pool), before);
	assert_int_equal(kept.length, 0);
	keep_fini(&keep);
}

static void
taking_one_out_leaves_those_before_it(void **state)
{
	static const size_t lengths[] = { 1, 1000, 16384, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1,
		3 * CHUNK_SIZE };
	size_t n = sizeof lengths / sizeof lengths[0];
	size_t held;

	(void)state;
	for (size_t i = 0; i < n * n; i++) {
		struct keep keep;
		struct kept first = { 0 }, second = { 0 }, third = { 0 };
		keep_init(&keep, blocks);
		add(&keep, &first, 'a', lengths[i / n]);
		held = keep.held;
		add(&keep, &second, 'b', lengths[i % n]);
		give_back(keep_take_out(&keep, &second));
		assert_int_equal(keep.held, held);
		add(&keep, &third, 'c', lengths[i % n]);
		check_content(&first, 'a', lengths[i / n]);
		check_content(&third, 'c', lengths[i % n]);
		keep_fini(&keep);
	}
}

/* Which bytes they are says where they lie. */
static void
fill(struct keep *keep, struct kept *kept, size_t length, size_t piece)
{
	char text[65536];

	for (size_t n; length > 0; length -= n) {
		n = length < piece ? length : piece;
		for (size_t i = 0; i < n; i++)
			text[i] = (char)((kept->length + i) % 251);
		assert_true(keep_add(keep, kept, text, n));
	}
}

static void
check_filled(const char *data, size_t len, size_t at)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(data[i], (char)((at + i) % 251));
}

/* The loose ones are copied, the others leave in the chunks that they lie in; together they are what was kept. */
static void
check_taken_out(struct keep *keep, struct kept *kept)
{
	size_t length = kept->length, loose = kept_loose(kept), at = 0, len, before = pool_available(pool);
	struct chunk *chunks;

	for (; at < loose; at += len) {
		const char *data = kept_at(kept, at, &len);

		check_filled(data, len, at);
	}
	assert_int_equal(at, loose);
	assert_true(loose <= 2 * BLOCK_MAX);
	chunks = keep_take_out(keep, kept);
	for (const struct chunk *chunk = chunks; chunk != NULL; chunk = chunk->link) {
		check_filled(chunk->data, chunk->end, at);
		at += chunk->end;
		assert_true(chunk->link == NULL || chunk->end == BLOCK_MAX);
	}
	assert_int_equal(at, length);
	assert_true(pool_available(pool) >= before);
	give_back(chunks);
}

static void
what_is_taken_out_is_what_was_kept(void **state)
{
	static const size_t lengths[] = { 1, 16384, CHUNK_SIZE, 65536, 262144, 1000000 };
	static const size_t pieces[] = { 512, 1460, 16384, 31 * 1024, 65536 };
	static const size_t others[] = { 0, 1, 5000, 40000 };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++)
			for (size_t o = 0; o < sizeof others / sizeof others[0]; o++) {
				struct keep keep;
				struct kept other = { 0 }, kept = { 0 };
				size_t held;

				keep_init(&keep, blocks);
				fill(&keep, &other, others[o], 1000);
				held = keep.held;
				fill(&keep, &kept, lengths[i], pieces[k]);
				check_taken_out(&keep, &kept);
				assert_int_equal(keep.held, held);
				keep_fini(&keep);
				assert_int_equal(pool_available(pool), pool_total(pool));
			}
}

/* However it comes: at most as much again, and a unit. */
static void
little_is_held_for_little(void **state)
{
	static const size_t lengths[] = { 1, 300, 480, 2000, 16384, 100000 };
	static const size_t pieces[] = { 1, 7, 300, 1460, 16384 };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
			static const char zeros[16384];
			struct keep keep;
			struct kept kept = { 0 };

			keep_init(&keep, blocks);
			for (size_t n, left = lengths[i]; left > 0; left -= n) {
				n = left < pieces[k] ? left : pieces[k];
				assert_true(keep_add(&keep, &kept, zeros, n));
			}
			assert_true(keep.held >= lengths[i] && keep.held <= 2 * lengths[i] + BLOCK_UNIT);
			check_content(&kept, 0, lengths[i]);
			keep_fini(&keep);
			assert_int_equal(keep.held, 0);
		}
}

/* As a slow client brings it, up to where an object is not kept any longer. */
static void
of_what_comes_in_drops_little_is_unused(void **state)
{
	(void)state;
	for (size_t length = 4000; length <= 16000; length += 1000) {
		struct keep keep;
		struct kept kept = { 0 };

		keep_init(&keep, blocks);
		add(&keep, &kept, 'a', length);
		assert_true(keep.held <= length + 2048 + BLOCK_UNIT);
		keep_fini(&keep);
	}
}

static void
thousands_share_the_chunks(void **state)
{
	static struct keep keeps[3000];
	struct kept kept;
	char text[300];

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		memset(text, (char)i, sizeof text);
		kept = (struct kept){ 0 };
		keep_init(&keeps[i], blocks);
		if (!keep_add(&keeps[i], &kept, text, sizeof text))
			fail_msg("only %zu of them in %zu chunks", i, pool_total(pool));
		check_content(&kept, (char)i, sizeof text);
	}
	assert_int_equal(pool_total(pool) - pool_available(pool), 3000 / 64 + 1);
	for (size_t i = 0; i < 3000; i += 2)
		keep_fini(&keeps[i]);
	for (size_t i = 1; i < 3000; i += 2)
		keep_fini(&keeps[i]);
	assert_int_equal(pool_available(pool), pool_total(pool));
}

static void
what_does_not_fit_adds_nothing(void **state)
{
	static const char many[65536];
	struct keep keep;
	struct kept kept = { 0 };
	size_t held;

	(void)state;
	keep_init(&keep, blocks);
	while (keep_add(&keep, &kept, many, sizeof many))
		;
	held = keep.held;
	assert_int_equal(kept.length % sizeof many, 0);
	assert_true(kept.length > 40 * CHUNK_SIZE); /* three quarters of the pool are 48 */
	assert_false(keep_add(&keep, &kept, many, sizeof many));
	assert_int_equal(keep.held, held);
	keep_fini(&keep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taking_the_only_part_out_gives_its_chunks_back),
		cmocka_unit_test(taking_one_out_leaves_those_before_it),
		cmocka_unit_test(what_is_taken_out_is_what_was_kept),
		cmocka_unit_test(little_is_held_for_little),
		cmocka_unit_test(of_what_comes_in_drops_little_is_unused),
		cmocka_unit_test(thousands_share_the_chunks),
		cmocka_unit_test(what_does_not_fit_adds_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
