// SPDX-License-Identifier: MIT
/* A loop that turns is good, one that hangs is named until it turns again, and nothing is left behind. */
#include "admin/watchdog.h"

#include "base/container_of.h"

#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/check.h"

#define DEADLINE_MS 60000u

struct other { /* a loop on a thread of its own, which hangs while it reads from `hang` */
	struct loop *loop;
	pthread_t thread;
	struct mail order;
	int hang[2];
};

enum { ORDER_HANG = 1, ORDER_STOP = 2 };

static void
on_order(struct mail *mail, unsigned bits)
{
	struct other *other = container_of(mail, struct other, order);
	char byte;

	if (bits & ORDER_HANG)
		assert_int_equal(read(other->hang[0], &byte, 1), 1);
	if (bits & ORDER_STOP)
		loop_stop(other->loop);
}

static void *
run_other(void *arg)
{
	loop_run(((struct other *)arg)->loop);
	return NULL;
}

static void
other_start(struct other *other)
{
	struct error err = { 0 };

	mail_init(&other->order, on_order);
	assert_int_equal(pipe(other->hang), 0);
	other->loop = loop_new(&err);
	assert_non_null(other->loop);
	assert_int_equal(pthread_create(&other->thread, NULL, run_other, other), 0);
}

static void
other_stop(struct other *other)
{
	mailbox_post(loop_mailbox(other->loop), &other->order, ORDER_STOP);
	pthread_join(other->thread, NULL);
	close(other->hang[0]);
	close(other->hang[1]);
}

/* Runs the observer until the watchdog says `wanted`. */
struct waiting {
	struct timer look;
	struct loop *loop;
	const struct watchdog *watchdog;
	bool wanted;
	uint64_t until_ms;
};

static void
on_look(struct timer *timer)
{
	struct waiting *waiting = container_of(timer, struct waiting, look);

	if (watchdog_is_good(waiting->watchdog, NULL) == waiting->wanted)
		loop_stop(waiting->loop);
	else if (clock_now_ms() > waiting->until_ms)
		fail_msg("the watchdog never said %d", waiting->wanted);
	else
		loop_set_timer(waiting->loop, timer, clock_now_ms() + 20);
}

static void
run_until(struct loop *loop, const struct watchdog *watchdog, bool wanted, uint64_t first_look_ms)
{
	struct waiting waiting = { { .fire = on_look }, loop, watchdog, wanted, clock_now_ms() + DEADLINE_MS };

	loop_set_timer(loop, &waiting.look, clock_now_ms() + first_look_ms);
	loop_run(loop);
}

static void
a_loop_that_hangs_is_named_until_it_turns_again(void **state)
{
	struct other others[2] = { 0 };
	struct error err = { 0 };
	struct loop *observer = loop_new(&err);
	struct watchdog_target targets[2] = { { .name = "first" }, { .name = "second" } };
	struct buf why = { 0 };
	struct watchdog *watchdog;

	(void)state;
	for (int i = 0; i < 2; i++) {
		other_start(&others[i]);
		targets[i].loop = others[i].loop;
	}
	watchdog = watchdog_new(observer, targets, 2, &err);
	assert_non_null(watchdog);
	run_until(observer, watchdog, true, 3 * WATCHDOG_TICK_MS);
	mailbox_post(loop_mailbox(others[1].loop), &others[1].order, ORDER_HANG);
	run_until(observer, watchdog, false, 0);
	assert_false(watchdog_is_good(watchdog, &why));
	assert_string_equal(why.data, "second: its loop has not answered for 2 s\n");
	assert_int_equal(write(others[1].hang[1], "x", 1), 1);
	run_until(observer, watchdog, true, 0);
	watchdog_stop(watchdog);
	for (int i = 0; i < 2; i++) {
		other_stop(&others[i]);
		loop_deliver_rest(others[i].loop);
	}
	loop_deliver_rest(observer);
	watchdog_free(watchdog);
	for (int i = 0; i < 2; i++)
		loop_free(others[i].loop);
	loop_free(observer);
	buf_free(&why);
}

/* What has ended as it should is not stuck; what has ended otherwise is. */
static void
a_loop_that_has_ended_is_not_stuck(void **state)
{
	struct other other = { 0 };
	struct error err = { 0 };
	struct loop *observer = loop_new(&err);
	struct counter ended = { 0 };
	struct watchdog_target target = { .name = "short", .ended = &ended };
	struct watchdog *watchdog;

	(void)state;
	other_start(&other);
	target.loop = other.loop;
	watchdog = watchdog_new(observer, &target, 1, &err);
	assert_non_null(watchdog);
	run_until(observer, watchdog, true, WATCHDOG_TICK_MS);
	other_stop(&other);
	run_until(observer, watchdog, false, 0);
	counter_set(&ended, 1);
	assert_true(watchdog_is_good(watchdog, NULL));
	watchdog_stop(watchdog);
	loop_deliver_rest(other.loop);
	loop_deliver_rest(observer);
	watchdog_free(watchdog);
	loop_free(other.loop);
	loop_free(observer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_that_hangs_is_named_until_it_turns_again),
		cmocka_unit_test(a_loop_that_has_ended_is_not_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
