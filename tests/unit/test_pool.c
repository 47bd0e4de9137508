// SPDX-License-Identifier: MIT
/* test_pool.c - the budget, its two uses, the order of chunks, waiters, and pages that nobody touched. */
#include "channel/pool.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define TOTAL 16u

static struct pool *pool;

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	pool = pool_new(TOTAL * CHUNK_SIZE, &err);
	return pool == NULL;
}

/* pool_free() insists that every chunk is back. */
static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(pool_available(pool), pool_total(pool));
	pool_free(pool);
	return 0;
}

static void
memory_is_whole_chunks_and_at_least_sixteen(void **state)
{
	static const struct {
		uint64_t memory;
		size_t chunks;
	} cases[] = {
		{ 0, 16 },
		{ 16 * CHUNK_SIZE, 16 },
		{ 17 * CHUNK_SIZE - 1, 16 },
		{ 17 * CHUNK_SIZE, 17 },
		{ 64u << 20, 2048 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error err = { 0 };
		struct pool *p = pool_new(cases[i].memory, &err);

		assert_non_null(p);
		assert_int_equal(pool_total(p), cases[i].chunks);
		assert_int_equal(pool_available(p), cases[i].chunks);
		pool_free(p);
	}
	pool_free(NULL);
}

static void
the_chunk_given_last_is_drawn_first(void **state)
{
	struct chunk *a, *b, *c;

	(void)state;
	assert_true(pool_reserve(pool, 3, POOL_STREAM));
	a = pool_draw(pool, POOL_STREAM);
	b = pool_draw(pool, POOL_STREAM);
	c = pool_draw(pool, POOL_STREAM);
	pool_give(pool, b);
	pool_give(pool, a);
	assert_true(pool_reserve(pool, 2, POOL_STREAM));
	assert_ptr_equal(pool_draw(pool, POOL_STREAM), a);
	assert_ptr_equal(pool_draw(pool, POOL_STREAM), b);
	pool_give(pool, a);
	pool_give(pool, b);
	pool_give(pool, c);
}

static void
every_chunk_can_be_drawn_and_none_twice(void **state)
{
	struct chunk *drawn[TOTAL];

	(void)state;
	for (int round = 0; round < 3; round++) {
		assert_true(pool_reserve(pool, TOTAL, POOL_STREAM));
		assert_false(pool_reserve(pool, 1, POOL_STREAM));
		for (size_t i = 0; i < TOTAL; i++) {
			drawn[i] = pool_draw(pool, POOL_STREAM);
			memset(drawn[i]->data, (int)i, CHUNK_SIZE);
			drawn[i]->end = 7;
		}
		for (size_t i = 0; i < TOTAL; i++) {
			assert_int_equal(drawn[i]->data[0], i);
			assert_int_equal(drawn[i]->data[CHUNK_SIZE - 1], i);
		}
		for (size_t i = 0; i < TOTAL; i++)
			pool_give(pool, drawn[(i * 5) % TOTAL]);
	}
}

static void
a_drawn_chunk_is_empty(void **state)
{
	struct chunk *chunk;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(pool_reserve(pool, 1, POOL_STREAM));
		chunk = pool_draw(pool, POOL_STREAM);
		assert_int_equal(chunk->end, 0);
		assert_null(chunk->link);
		chunk->end = 9;
		chunk->link = chunk;
		pool_give(pool, chunk);
	}
}

static void
a_reservation_is_all_or_nothing(void **state)
{
	(void)state;
	assert_true(pool_reserve(pool, 10, POOL_STREAM));
	assert_false(pool_reserve(pool, 7, POOL_STREAM));
	assert_int_equal(pool_available(pool), 6);
	assert_true(pool_reserve(pool, 6, POOL_STREAM));
	assert_true(pool_reserve(pool, 0, POOL_STREAM));
	assert_false(pool_reserve(pool, 1, POOL_STREAM));
	pool_unreserve(pool, 16, POOL_STREAM);
	assert_false(pool_reserve(pool, TOTAL + 1, POOL_STREAM));
	assert_false(pool_reserve(pool, SIZE_MAX, POOL_STREAM));
	assert_false(pool_reserve(pool, SIZE_MAX, POOL_KEEP));
	pool_unreserve(pool, 0, POOL_KEEP);
}

static void
what_is_kept_takes_three_quarters_at_most(void **state)
{
	(void)state;
	assert_true(pool_reserve(pool, 11, POOL_KEEP));
	assert_false(pool_reserve(pool, 2, POOL_KEEP));
	assert_int_equal(pool_available(pool), 5); /* refused: nothing taken */
	assert_true(pool_reserve(pool, 1, POOL_KEEP));
	assert_false(pool_reserve(pool, 1, POOL_KEEP));
	assert_true(pool_reserve(pool, 4, POOL_STREAM));
	pool_unreserve(pool, 4, POOL_STREAM);
	pool_unreserve(pool, 12, POOL_KEEP);
	assert_true(pool_reserve(pool, 16, POOL_STREAM));
	assert_false(pool_reserve(pool, 1, POOL_KEEP)); /* there is none, and no room was used up by asking */
	pool_unreserve(pool, 16, POOL_STREAM);
	assert_true(pool_reserve(pool, 12, POOL_KEEP));
	pool_unreserve(pool, 12, POOL_KEEP);
}

static void
a_chunk_goes_back_to_the_use_it_was_drawn_for(void **state)
{
	struct chunk *kept, *streamed;

	(void)state;
	assert_true(pool_reserve(pool, 12, POOL_KEEP));
	assert_true(pool_reserve(pool, 1, POOL_STREAM));
	kept = pool_draw(pool, POOL_KEEP);
	streamed = pool_draw(pool, POOL_STREAM);
	pool_give(pool, streamed);
	assert_false(pool_reserve(pool, 1, POOL_KEEP));
	pool_give(pool, kept);
	assert_true(pool_reserve(pool, 1, POOL_KEEP));
	pool_unreserve(pool, 12, POOL_KEEP);
}

static void
a_full_chunk_is_held_in_place_of_an_empty_one(void **state)
{
	struct chunk *full, *empty;

	(void)state;
	assert_true(pool_reserve(pool, 12, POOL_KEEP)); /* all that may be kept */
	assert_true(pool_reserve(pool, 4, POOL_STREAM));
	empty = pool_draw(pool, POOL_KEEP);
	full = pool_draw(pool, POOL_STREAM);
	memset(full->data, 'x', CHUNK_SIZE);
	full->end = CHUNK_SIZE;
	pool_swap_uses(full, empty);
	assert_int_equal(full->end, CHUNK_SIZE);
	assert_int_equal(full->data[CHUNK_SIZE - 1], 'x');
	pool_give(pool, empty);
	assert_false(pool_reserve(pool, 1, POOL_KEEP)); /* the stream's came back, and as many are kept as before */
	assert_true(pool_reserve(pool, 1, POOL_STREAM));
	pool_give(pool, full);
	assert_true(pool_reserve(pool, 1, POOL_KEEP));
	pool_unreserve(pool, 12, POOL_KEEP);
	pool_unreserve(pool, 4, POOL_STREAM);
}

static void
what_is_drawn_may_be_taken_back_and_drawn_again(void **state)
{
	struct chunk *aside = NULL;

	(void)state;
	assert_true(pool_reserve_ahead(pool, 7)); /* of twelve: one and four are left for others */
	assert_false(pool_reserve_ahead(pool, 1));
	assert_int_equal(pool_lack_ahead(pool, 1), 1);
	assert_int_equal(pool_lack_ahead(pool, 9), 9);
	for (int i = 0; i < 20; i++)
		pool_undraw(pool, pool_draw(pool, POOL_KEEP));
	pool_draw_aside(pool, 3, &aside);
	for (int i = 0; i < 3; i++) {
		struct chunk *chunk = aside;

		aside = chunk->link;
		pool_undraw(pool, chunk);
	}
	assert_null(aside);
	assert_int_equal(pool_available(pool), TOTAL - 7);
	pool_unreserve(pool, 7, POOL_KEEP);
}

static void
a_shared_chunk_is_back_with_the_last_who_has_it(void **state)
{
	struct chunk *chunk;

	(void)state;
	for (unsigned n = 1; n <= UINT8_MAX + 1u; n++) {
		assert_true(pool_reserve(pool, 1, POOL_KEEP));
		chunk = pool_draw(pool, POOL_KEEP);
		pool_share(chunk, n);
		for (unsigned left = n; left > 0; left--) {
			assert_int_equal(pool_is_shared(chunk), left > 1);
			assert_int_equal(pool_available(pool), TOTAL - 1);
			pool_give(pool, chunk);
		}
		assert_int_equal(pool_available(pool), TOTAL);
		assert_false(pool_is_shared(chunk));
	}
}

static void
what_a_new_upload_would_find(void **state)
{
	(void)state;
	/* Of sixteen: twelve may be kept. An eighth is left for streams, and what one upload keeps. */
	static const struct {
		size_t streams, kept, shortage;
		bool is_used_up;
	} cases[] = {
		{ 0, 0, 0, false },
		{ 10, 0, 0, false },
		{ 11, 0, 1, false },
		{ 12, 0, 2, false },
		{ 13, 0, 3, true }, /* room for streams, but what would be kept is refused */
		{ 15, 0, 5, true },
		{ 0, 7, 0, false },
		{ 0, 8, 1, false },
		{ 0, 9, 2, true }, /* the pool has seven, of which no new upload could keep what it must */
		{ 0, 12, 5, true },
		{ 4, 7, 1, false },
		{ 4, 12, 6, true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_true(pool_reserve(pool, cases[i].streams, POOL_STREAM));
		assert_true(pool_reserve(pool, cases[i].kept, POOL_KEEP));
		assert_int_equal(pool_shortage(pool), cases[i].shortage);
		assert_int_equal(pool_is_used_up(pool), cases[i].is_used_up);
		pool_unreserve(pool, cases[i].streams, POOL_STREAM);
		pool_unreserve(pool, cases[i].kept, POOL_KEEP);
	}
}

/* -- waiters ---------------------------------------------------------------------------------------- */

static unsigned n_heard;

static void
hear(struct mail *mail, unsigned bits)
{
	(void)mail;
	assert_int_equal(bits, 1);
	n_heard++;
}

static void
add_waiter(struct pool_waiter *waiter, struct mailbox *box, struct mail *mail)
{
	mail_init(mail, hear);
	*waiter = (struct pool_waiter){ .box = box, .mail = mail };
	pool_add_waiter(pool, waiter);
}

static void
an_armed_waiter_hears_once(void **state)
{
	struct error err = { 0 };
	struct mailbox *box = mailbox_new(&err);
	struct pool_waiter waiter;
	struct mail mail;

	(void)state;
	assert_non_null(box);
	add_waiter(&waiter, box, &mail);
	n_heard = 0;
	assert_true(pool_reserve(pool, 8, POOL_STREAM));
	pool_unreserve(pool, 1, POOL_STREAM);
	assert_int_equal(mailbox_deliver(box), 0); /* not armed */
	pool_wait(pool, &waiter);
	pool_wait(pool, &waiter); /* twice is once */
	assert_int_equal(mailbox_deliver(box), 0);
	pool_unreserve(pool, 1, POOL_STREAM);
	assert_int_equal(mailbox_deliver(box), 1);
	pool_unreserve(pool, 1, POOL_STREAM);
	assert_int_equal(mailbox_deliver(box), 0);
	pool_wait(pool, &waiter);
	pool_give(pool, pool_draw(pool, POOL_STREAM));
	assert_int_equal(mailbox_deliver(box), 1);
	pool_unreserve(pool, 4, POOL_STREAM);
	assert_int_equal(n_heard, 2);
	mailbox_free(box);
}

static void
every_armed_waiter_hears(void **state)
{
	struct error err = { 0 };
	struct mailbox *box = mailbox_new(&err);
	struct pool_waiter waiters[3];
	struct mail mails[3];

	(void)state;
	assert_non_null(box);
	for (int i = 0; i < 3; i++)
		add_waiter(&waiters[i], box, &mails[i]);
	assert_true(pool_reserve(pool, 2, POOL_KEEP));
	pool_wait(pool, &waiters[0]);
	pool_wait(pool, &waiters[2]);
	pool_unreserve(pool, 1, POOL_KEEP);
	assert_int_equal(mailbox_deliver(box), 2);
	pool_wait(pool, &waiters[1]);
	pool_unreserve(pool, 1, POOL_KEEP);
	assert_int_equal(mailbox_deliver(box), 1);
	mailbox_free(box);
}

/* -- memory ----------------------------------------------------------------------------------------- */

static void
pages_of_chunks_never_drawn_are_not_resident(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = (TOTAL - 1) * CHUNK_SIZE / page;
	unsigned char *resident = mem_zalloc(n);
	struct chunk *chunk;
	size_t touched = 0;

	(void)state;
	assert_non_null(resident);
	assert_true(pool_reserve(pool, 1, POOL_STREAM));
	chunk = pool_draw(pool, POOL_STREAM);
	memset(chunk->data, 'x', CHUNK_SIZE);
	assert_int_equal(mincore(chunk->data + CHUNK_SIZE, n * page, resident),
		0); /* the first one, so it begins the arena */
	for (size_t i = 0; i < n; i++)
		touched += resident[i] & 1;
	assert_int_equal(touched, 0);
	pool_give(pool, chunk);
	mem_free(resident);
}

static size_t
resident_pages(struct chunk *const *chunks, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), found = 0;
	unsigned char pages[CHUNK_SIZE / 4096];

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(mincore(chunks[i]->data, CHUNK_SIZE, pages), 0);
		for (size_t k = 0; k < CHUNK_SIZE / page; k++)
			found += pages[k] & 1;
	}
	return found;
}

static void
draw_all(struct chunk **chunks)
{
	assert_true(pool_reserve(pool, TOTAL, POOL_STREAM));
	for (size_t i = 0; i < TOTAL; i++) {
		chunks[i] = pool_draw(pool, POOL_STREAM);
		memset(chunks[i]->data, 'x', CHUNK_SIZE);
		for (size_t k = 0; k < i; k++)
			assert_ptr_not_equal(chunks[k], chunks[i]);
	}
}

static void
give_chunks(struct chunk *const *chunks)
{
	for (size_t i = 0; i < TOTAL; i++)
		pool_give(pool, chunks[i]);
}

static void
what_is_set_aside_has_no_pages(void **state)
{
	struct chunk *chunks[TOTAL], *aside = NULL;
	size_t all;

	(void)state;
	draw_all(chunks);
	all = resident_pages(chunks, TOTAL);
	assert_false(pool_set_aside(pool, 1, &aside));
	give_chunks(chunks);
	assert_true(pool_set_aside(pool, TOTAL / 4, &aside));
	assert_true(pool_set_aside(pool, TOTAL / 4, &aside));
	assert_false(pool_set_aside(pool, TOTAL / 2, &aside)); /* over what may be kept */
	assert_int_equal(pool_available(pool), TOTAL / 2);
	assert_int_equal(resident_pages(chunks, TOTAL), all / 2);
	pool_take_back(pool, &aside);
	assert_null(aside);
	assert_true(pool_set_aside(pool, TOTAL / 2, &aside)); /* the same ones: nothing more is dropped */
	assert_int_equal(resident_pages(chunks, TOTAL), all / 2);
	pool_take_back(pool, &aside);
	draw_all(chunks);
	give_chunks(chunks);
}

static void
each_allocation_may_fail(void **state)
{
	(void)state;
	for (size_t nth = 1; nth <= 2; nth++) {
		struct error err = { 0 };

		mem_fail(nth, 1);
		assert_null(pool_new(1 << 20, &err));
		mem_fail(0, 0);
		assert_int_equal(err.kind, ERR_NOMEM);
	}
}

static void
more_chunks_than_an_index_can_name_are_refused(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(pool_new(UINT64_MAX, &err));
	assert_int_equal(err.kind, ERR_NOMEM);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
what_is_cool_has_no_pages_and_is_as_good(void **state)
{
	struct chunk *chunks[TOTAL];

	(void)state;
	assert_int_equal(pool_cool(pool), 0);
	draw_all(chunks);
	for (size_t i = 0; i < TOTAL / 2; i++)
		pool_give(pool, chunks[i]);
	assert_int_equal(pool_cool(pool), TOTAL / 2);
	assert_int_equal(resident_pages(chunks, TOTAL / 2), 0);
	assert_int_equal(resident_pages(chunks + TOTAL / 2, TOTAL / 2), TOTAL / 2 * CHUNK_SIZE / 4096);
	for (size_t i = TOTAL / 2; i < TOTAL; i++)
		pool_give(pool, chunks[i]);
	draw_all(chunks);
	for (size_t i = 0; i < TOTAL; i++)
		pool_give(pool, chunks[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(memory_is_whole_chunks_and_at_least_sixteen),
		CASE(the_chunk_given_last_is_drawn_first),
		CASE(every_chunk_can_be_drawn_and_none_twice),
		CASE(a_drawn_chunk_is_empty),
		CASE(a_reservation_is_all_or_nothing),
		CASE(what_is_kept_takes_three_quarters_at_most),
		CASE(a_chunk_goes_back_to_the_use_it_was_drawn_for),
		CASE(a_full_chunk_is_held_in_place_of_an_empty_one),
		CASE(what_is_drawn_may_be_taken_back_and_drawn_again),
		CASE(a_shared_chunk_is_back_with_the_last_who_has_it),
		CASE(what_a_new_upload_would_find),
		CASE(an_armed_waiter_hears_once),
		CASE(every_armed_waiter_hears),
		CASE(pages_of_chunks_never_drawn_are_not_resident),
		CASE(what_is_set_aside_has_no_pages),
		CASE(each_allocation_may_fail),
		CASE(more_chunks_than_an_index_can_name_are_refused),
		CASE(what_is_cool_has_no_pages_and_is_as_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
