// SPDX-License-Identifier: MIT
/* test_channel.c - what the channel promises, on one thread: both sides have a mailbox of their own, and mail is
 * delivered by hand. The threads are in stress/channel_stress.c, all interleavings in model/channel.pml. */
#include "channel/channel.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SLOTS 4u

struct side {
	struct mailbox *box;
	unsigned heard; /* bits since last asked */
	unsigned n;     /* mails since last asked */
};

static struct pool *pool;
static struct channel *channel;
static struct side producer, consumer;
static bool frees_on_close;

static void
on_mail(void *arg, unsigned bits)
{
	struct side *side = arg;

	side->heard |= bits;
	side->n++;
	if (frees_on_close && side == &consumer && (bits & CHANNEL_CLOSE)) {
		channel_free(channel);
		channel = NULL;
	}
}

static struct channel *
open_channel(unsigned slots, struct error *err)
{
	struct channel_side in = { .box = producer.box, .on_mail = on_mail, .arg = &producer };
	struct channel_side out = { .box = consumer.box, .on_mail = on_mail, .arg = &consumer };

	return channel_new(pool, &in, &out, slots, err);
}

/* What this side has heard by now. */
static unsigned
deliver(struct side *side)
{
	unsigned bits;

	mailbox_deliver(side->box);
	bits = side->heard;
	side->heard = side->n = 0;
	return bits;
}

static void
push(unsigned n)
{
	static uint32_t stamp;

	for (unsigned i = 0; i < n; i++) {
		struct chunk *chunk;

		assert_true(pool_reserve(pool, 1, POOL_STREAM));
		chunk = pool_draw(pool, POOL_STREAM);
		chunk->end = ++stamp % CHUNK_SIZE;
		channel_push(channel, chunk);
	}
}

static uint32_t
pop(void)
{
	struct chunk *chunk = channel_pop(channel);
	uint32_t end;

	assert_non_null(chunk);
	end = chunk->end;
	pool_give(pool, chunk);
	return end;
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	frees_on_close = false;
	pool = pool_new(0, &err);
	producer = (struct side){ .box = mailbox_new(&err) };
	consumer = (struct side){ .box = mailbox_new(&err) };
	channel = open_channel(SLOTS, &err);
	return error_is_set(&err);
}

static int
tear_down(void **state)
{
	(void)state;
	mem_fail(0, 0);
	channel_free(channel);
	mailbox_free(producer.box);
	mailbox_free(consumer.box);
	pool_free(pool); /* every chunk must be back */
	return 0;
}

/* -- chunks ----------------------------------------------------------------------------------------- */

static void
chunks_come_out_as_they_went_in(void **state)
{
	uint32_t last = 0;

	(void)state;
	for (unsigned slots = 1; slots <= 7; slots += 3) { /* also where it is no power of two */
		struct error err = { 0 };

		channel_free(channel);
		channel = open_channel(slots, &err);
		for (unsigned i = 0; i < 40; i++) {
			unsigned n = 1 + i % slots;

			push(n);
			while (n-- > 0) {
				uint32_t got = pop();

				assert_true(last == 0 || got == last + 1);
				last = got;
			}
			assert_null(channel_pop(channel));
		}
	}
	assert_int_equal(deliver(&producer) | deliver(&consumer), 0);
}

static void
room_is(unsigned n)
{
	for (unsigned room = 1; room <= SLOTS; room++)
		assert_int_equal(channel_want_space(channel, room), room <= n);
}

static void
room_is_what_is_left_of_the_slots(void **state)
{
	(void)state;
	for (unsigned used = 0; used < SLOTS; used++) {
		room_is(SLOTS - used);
		push(1);
	}
	room_is(0);
	pop();
	room_is(1);
	push(1);
	room_is(0);
}

static void
freeing_gives_back_what_is_left_and_says_nothing(void **state)
{
	(void)state;
	push(SLOTS);
	assert_false(channel_want_space(channel, 1));
	channel_free(channel);
	channel = NULL;
	assert_int_equal(pool_available(pool), pool_total(pool));
	assert_int_equal(deliver(&producer), 0);
}

/* -- hunger ----------------------------------------------------------------------------------------- */

static void
hunger_is_marked_only_over_an_empty_channel(void **state)
{
	(void)state;
	push(1);
	assert_false(channel_want_data(channel));
	assert_false(channel_take_hunger(channel));
	pop();
	assert_true(channel_want_data(channel));
	push(1);
	assert_true(channel_take_hunger(channel));
	assert_false(channel_take_hunger(channel)); /* only once */
}

static void
a_push_wakes_nobody_by_itself(void **state)
{
	(void)state;
	assert_true(channel_want_data(channel));
	push(1);
	assert_int_equal(deliver(&consumer), 0);
	assert_true(channel_take_hunger(channel));
	channel_tell(channel, CHANNEL_DATA);
	assert_int_equal(deliver(&consumer), CHANNEL_DATA);
}

static void
after_finish_nobody_waits_for_data(void **state)
{
	(void)state;
	assert_false(channel_is_finished(channel));
	push(1);
	channel_tell(channel, CHANNEL_FINISH);
	assert_true(channel_is_finished(channel)); /* before the mail is delivered */
	assert_false(channel_want_data(channel));
	pop();
	assert_null(channel_pop(channel));
	assert_false(channel_want_data(channel));
	assert_int_equal(deliver(&consumer), CHANNEL_FINISH);
}

static void
the_consumer_may_tell_itself_to_go_on(void **state)
{
	(void)state;
	channel_tell(channel, CHANNEL_DATA); /* by the consumer */
	channel_tell(channel, CHANNEL_CANCEL);
	assert_int_equal(deliver(&consumer), CHANNEL_DATA | CHANNEL_CANCEL);
}

/* -- space ------------------------------------------------------------------------------------------ */

static void
space_is_told_when_there_is_as_much_as_was_asked_for(void **state)
{
	(void)state;
	for (unsigned used = 0; used <= SLOTS; used++)
		for (unsigned room = 1; room <= SLOTS; room++) {
			unsigned missing = room > SLOTS - used ? room - (SLOTS - used) : 0;

			push(used);
			assert_int_equal(channel_want_space(channel, room), missing == 0);
			for (unsigned popped = 1; popped <= used; popped++) {
				pop();
				assert_int_equal(deliver(&producer), popped == missing ? CHANNEL_SPACE : 0u);
			}
		}
}

static void
there_is_one_mark_and_a_later_call_moves_it(void **state)
{
	(void)state;
	push(SLOTS);
	assert_false(channel_want_space(channel, 1));
	assert_false(channel_want_space(channel, 3));
	pop();
	pop();
	assert_int_equal(deliver(&producer), 0);
	assert_true(channel_want_space(channel, 2)); /* leaves the mark as it is */
	pop();
	assert_int_equal(deliver(&producer), CHANNEL_SPACE);
}

static void
pushing_over_the_mark_puts_it_off(void **state)
{
	(void)state;
	push(2);
	assert_false(channel_want_space(channel, 3));
	push(2);
	pop();
	pop();
	assert_int_equal(deliver(&producer), 0);
	pop();
	assert_int_equal(deliver(&producer), CHANNEL_SPACE);
}

/* -- mail ------------------------------------------------------------------------------------------- */

static void
orders_and_news_gather_and_come_with_one_mail(void **state)
{
	(void)state;
	channel_tell(channel, CHANNEL_START | CHANNEL_FINISH);
	channel_tell(channel, CHANNEL_COMMIT);
	channel_report(channel, CHANNEL_PREPARED);
	channel_report(channel, CHANNEL_ENDED);
	assert_int_equal(consumer.n + producer.n, 0); /* never from within the call */
	assert_int_equal(mailbox_deliver(consumer.box), 1);
	assert_int_equal(mailbox_deliver(producer.box), 1);
	assert_int_equal(deliver(&consumer), CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
	assert_int_equal(deliver(&producer), CHANNEL_PREPARED | CHANNEL_ENDED);
}

static void
after_close_nothing_is_left_of_a_channel(void **state)
{
	(void)state;
	frees_on_close = true;
	channel_tell(channel, CHANNEL_START);
	push(3);
	assert_false(channel_want_space(channel, SLOTS));
	assert_int_equal(deliver(&consumer), CHANNEL_START);
	channel_report(channel, CHANNEL_ENDED);
	assert_int_equal(deliver(&producer), CHANNEL_ENDED);
	channel_tell(channel, CHANNEL_CLOSE);
	assert_int_equal(deliver(&consumer), CHANNEL_CLOSE);
	assert_null(channel);
	assert_int_equal(deliver(&producer), 0);
	assert_int_equal(pool_available(pool), pool_total(pool));
}

static void
out_of_memory_is_an_error(void **state)
{
	struct error err = { 0 };

	(void)state;
	mem_fail(1, 1);
	assert_null(open_channel(SLOTS, &err));
	assert_int_equal(err.kind, ERR_NOMEM);
	channel_free(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(chunks_come_out_as_they_went_in),
		CASE(room_is_what_is_left_of_the_slots),
		CASE(freeing_gives_back_what_is_left_and_says_nothing),
		CASE(hunger_is_marked_only_over_an_empty_channel),
		CASE(a_push_wakes_nobody_by_itself),
		CASE(after_finish_nobody_waits_for_data),
		CASE(the_consumer_may_tell_itself_to_go_on),
		CASE(space_is_told_when_there_is_as_much_as_was_asked_for),
		CASE(there_is_one_mark_and_a_later_call_moves_it),
		CASE(pushing_over_the_mark_puts_it_off),
		CASE(orders_and_news_gather_and_come_with_one_mail),
		CASE(after_close_nothing_is_left_of_a_channel),
		CASE(out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
