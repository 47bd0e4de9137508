// SPDX-License-Identifier: MIT
/* test_loop.c - the order of a turn, descriptors that come and go within it, deadlines, hooks, and who wakes whom.
 * No test waits for time to pass: where a loop sleeps, a descriptor or another thread ends the sleep. */
#include "loop/loop.h"

#include "base/mem.h"
#include "loop/timers.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define N_WATCHES 300 /* more than the loop fetches at once */

static struct loop *loop;
static char said[64];

static void
say(char what)
{
	size_t len = strlen(said);

	assert_true(len + 1 < sizeof said);
	said[len] = what;
	said[len + 1] = '\0';
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	said[0] = '\0';
	loop = loop_new(&err);
	return loop == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	mem_fail(0, 0);
	loop_free(loop);
	return 0;
}

/* -- things that happen in a loop ------------------------------------------------------------------- */

struct light { /* a watched eventfd, ready when `on` */
	struct watch watch;
	char name;
	unsigned n_ready, n_until_stop;
	struct light *removes, *frees;
};

static void
light_fini(struct light *light)
{
	loop_unwatch(loop, &light->watch);
	close(light->watch.fd);
}

static void
on_light(struct watch *watch, uint32_t events)
{
	struct light *light = (struct light *)(void *)watch;

	assert_true(events & EPOLLIN);
	say(light->name);
	light->n_ready++;
	if (light->removes != NULL)
		loop_unwatch(loop, &light->removes->watch);
	if (light->frees != NULL) {
		light_fini(light->frees);
		mem_free(light->frees);
		light->frees = NULL;
	}
	if (light->n_ready == light->n_until_stop)
		loop_stop(loop);
}

static void
light_init(struct light *light, char name, bool on)
{
	struct error err = { 0 };

	*light = (struct light){ .name = name, .n_until_stop = 1 };
	light->watch = (struct watch){ .fd = eventfd(on, EFD_CLOEXEC | EFD_NONBLOCK), .ready = on_light };
	assert_true(light->watch.fd >= 0);
	assert_true(loop_watch(loop, &light->watch, EPOLLIN, &err));
}

struct bell { /* a timer */
	struct timer timer;
	char name;
	bool stops;
	uint64_t again_ms; /* sets itself to this, until n_again is 0 */
	unsigned n_again;
	struct timers *timers; /* NULL: the loop's */
	struct bell *clears;
};

static void
on_bell(struct timer *timer)
{
	struct bell *bell = (struct bell *)(void *)timer;

	say(bell->name);
	if (bell->n_again > 0) {
		bell->n_again--;
		if (bell->timers != NULL)
			assert_true(timers_set(bell->timers, timer, bell->again_ms));
		else
			assert_true(loop_set_timer(loop, timer, bell->again_ms));
	}
	if (bell->clears != NULL)
		timers_clear(bell->timers, &bell->clears->timer);
	if (bell->stops)
		loop_stop(loop);
}

static void
stop_by_mail(struct mail *mail, unsigned bits)
{
	(void)mail;
	(void)bits;
	say('m');
	loop_stop(loop);
}

struct turner {
	struct hook hook;
	uint64_t wants_ms;
	unsigned n, stops_after; /* 0: never */
};

static uint64_t
on_turn(struct hook *hook, uint64_t now_ms)
{
	struct turner *turner = (struct turner *)(void *)hook;

	assert_int_equal(now_ms, loop_now_ms(loop));
	if (++turner->n == turner->stops_after)
		loop_stop(loop);
	return turner->wants_ms;
}

/* -- the turn --------------------------------------------------------------------------------------- */

static uint64_t
say_and_stop(struct hook *hook, uint64_t now_ms)
{
	(void)now_ms;
	say(hook->next != NULL ? 'h' : 'k');
	loop_stop(loop);
	return CLOCK_NEVER;
}

static void
a_turn_is_descriptors_mail_timers_hooks(void **state)
{
	struct hook first = { .turn = say_and_stop }, second = { .turn = say_and_stop };
	struct bell bell = { .timer.fire = on_bell, .name = 't' };
	struct light light;
	struct mail mail;

	(void)state;
	mail_init(&mail, stop_by_mail);
	loop_add_hook(loop, &first);
	loop_add_hook(loop, &second);
	assert_true(loop_set_timer(loop, &bell.timer, 0));
	mailbox_post(loop_mailbox(loop), &mail, 1);
	light_init(&light, 'd', true);
	loop_run(loop); /* the turn in which it is stopped is done to its end */
	assert_string_equal(said, "dmthk");
	light_fini(&light);
}

static void
it_may_be_run_again(void **state)
{
	struct mail mail;

	(void)state;
	mail_init(&mail, stop_by_mail);
	for (int i = 0; i < 3; i++) {
		mailbox_post(loop_mailbox(loop), &mail, 1);
		assert_false(loop_is_mine(loop));
		loop_run(loop);
	}
	assert_string_equal(said, "mmm");
}

static void *
run_loop(void *arg)
{
	(void)arg;
	loop_run(loop);
	return NULL;
}

/* The thread that ran it before must not believe that its mail needs no wake-up. */
static void
another_thread_may_run_it_next(void **state)
{
	pthread_t thread;
	struct mail mail;

	(void)state;
	mail_init(&mail, stop_by_mail);
	mailbox_post(loop_mailbox(loop), &mail, 1);
	loop_run(loop);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(pthread_create(&thread, NULL, run_loop, NULL), 0);
		mailbox_post(loop_mailbox(loop), &mail, 1);
		pthread_join(thread, NULL);
		said[0] = '\0';
	}
}

/* -- descriptors ------------------------------------------------------------------------------------ */

/* Both are ready in one turn; which one epoll names first is its own affair. */
static void
events_of_a_watch_removed_in_the_same_turn_are_dropped(void **state)
{
	struct light a, b;

	(void)state;
	light_init(&a, 'a', true);
	light_init(&b, 'b', true);
	a.removes = &b;
	b.removes = &a;
	loop_run(loop);
	assert_int_equal(a.n_ready + b.n_ready, 1);
	light_fini(&a);
	light_fini(&b);
}

static void
a_ready_watch_may_be_freed_by_another(void **state)
{
	struct light *a = mem_zalloc(sizeof *a), *b = mem_zalloc(sizeof *b), *left;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	light_init(a, 'a', true);
	light_init(b, 'b', true);
	a->frees = b;
	b->frees = a;
	loop_run(loop);
	left = said[0] == 'a' ? a : b;
	assert_int_equal(left->n_ready, 1);
	light_fini(left);
	mem_free(left);
}

static void
a_watch_may_remove_itself(void **state)
{
	struct light a;

	(void)state;
	light_init(&a, 'a', true);
	a.removes = &a;
	loop_run(loop);
	assert_false(a.watch.is_watched);
	assert_string_equal(said, "a");
	loop_unwatch(loop, &a.watch); /* not watched: nothing */
	light_fini(&a);
}

static void
what_is_watched_can_be_changed(void **state)
{
	struct light a;
	struct bell bell = { .timer.fire = on_bell, .name = 't', .stops = true };

	(void)state;
	light_init(&a, 'a', true);
	assert_true(loop_rewatch(loop, &a.watch, 0));
	assert_true(loop_set_timer(loop, &bell.timer, 0));
	loop_run(loop);
	assert_string_equal(said, "t");
	assert_true(loop_rewatch(loop, &a.watch, EPOLLIN));
	loop_run(loop);
	assert_string_equal(said, "ta");
	light_fini(&a);
}

static void
a_descriptor_that_cannot_be_watched_is_an_error(void **state)
{
	struct watch watch = { .fd = -1, .ready = on_light };
	struct error err = { 0 };

	(void)state;
	assert_false(loop_watch(loop, &watch, EPOLLIN, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_false(watch.is_watched);
	loop_unwatch(loop, &watch);
}

static void
count_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	((struct light *)(void *)watch)->n_ready++;
}

static void
more_descriptors_than_fit_in_a_batch_are_all_seen_in_one_turn(void **state)
{
	static struct light lights[N_WATCHES];
	struct turner turner = { .hook.turn = on_turn, .stops_after = 1 };

	(void)state;
	for (int i = 0; i < N_WATCHES; i++) {
		light_init(&lights[i], 'x', true);
		lights[i].watch.ready = count_ready;
	}
	loop_add_hook(loop, &turner.hook);
	loop_run(loop);
	for (int i = 0; i < N_WATCHES; i++) {
		assert_true(lights[i].n_ready > 0);
		light_fini(&lights[i]);
	}
}

/* -- hooks ------------------------------------------------------------------------------------------ */

static void
a_hook_that_always_wants_to_run_does_not_starve_others(void **state)
{
	struct turner busy = { .hook.turn = on_turn, .wants_ms = 0 };
	struct bell bell = { .timer.fire = on_bell, .name = 't' };
	struct light light;

	(void)state;
	loop_add_hook(loop, &busy.hook);
	assert_true(loop_set_timer(loop, &bell.timer, 1));
	light_init(&light, 'd', true);
	light.n_until_stop = 3;
	loop_run(loop);
	assert_string_equal(said, "dtdd");
	light_fini(&light);
}

static void
every_hook_runs_before_the_first_sleep(void **state)
{
	struct turner turner = { .hook.turn = on_turn, .wants_ms = CLOCK_NEVER, .stops_after = 1 };

	(void)state;
	loop_add_hook(loop, &turner.hook);
	loop_run(loop); /* nothing else is due, ever */
	assert_int_equal(turner.n, 1);
}

static void
the_earliest_wish_of_all_hooks_ends_the_sleep(void **state)
{
	struct turner idle = { .hook.turn = on_turn, .wants_ms = CLOCK_NEVER };
	struct turner soon = { .hook.turn = on_turn, .wants_ms = clock_now_ms() + 5, .stops_after = 2 };

	(void)state;
	loop_add_hook(loop, &idle.hook);
	loop_add_hook(loop, &soon.hook);
	loop_run(loop);
	assert_int_equal(soon.n, 2);
	assert_true(loop_now_ms(loop) >= soon.wants_ms);
}

/* -- mail ------------------------------------------------------------------------------------------- */

struct posting_hook {
	struct hook hook;
	struct mail mail;
};

static uint64_t
post_once(struct hook *hook, uint64_t now_ms)
{
	struct posting_hook *posting = (struct posting_hook *)(void *)hook;

	(void)now_ms;
	say('h');
	if (said[1] == '\0')
		mailbox_post(loop_mailbox(loop), &posting->mail, 1);
	return CLOCK_NEVER;
}

static void
mail_posted_in_a_hook_keeps_the_loop_awake(void **state)
{
	struct posting_hook posting = { .hook.turn = post_once };

	(void)state;
	mail_init(&posting.mail, stop_by_mail);
	loop_add_hook(loop, &posting.hook);
	loop_run(loop);
	assert_string_equal(said, "hmh");
}

struct echo {
	struct mail mail;
	struct mailbox *to;
	struct echo *peer;
	struct loop *stops;
	unsigned left;
};

static void
on_echo(struct mail *mail, unsigned bits)
{
	struct echo *echo = (struct echo *)(void *)mail;

	(void)bits;
	if (echo->left-- > 0)
		mailbox_post(echo->to, &echo->peer->mail, 1);
	else
		loop_stop(echo->stops);
}

static void *
run_other_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

/* Each side sleeps until the other's mail comes; one wake-up lost would be a hang. */
static void
two_sleeping_loops_never_miss_each_others_mail(void **state)
{
	struct error err = { 0 };
	struct loop *other = loop_new(&err);
	struct echo here = { .left = 20000 }, there = { .left = 20000 };
	pthread_t thread;

	(void)state;
	assert_non_null(other);
	mail_init(&here.mail, on_echo);
	mail_init(&there.mail, on_echo);
	here.to = loop_mailbox(other);
	here.peer = &there;
	here.stops = loop;
	there.to = loop_mailbox(loop);
	there.peer = &here;
	there.stops = other;
	assert_int_equal(pthread_create(&thread, NULL, run_other_loop, other), 0);
	mailbox_post(loop_mailbox(loop), &here.mail, 1);
	loop_run(loop);
	there.left = 0;
	mailbox_post(loop_mailbox(other), &there.mail, 1);
	pthread_join(thread, NULL);
	loop_free(other);
}

/* -- deadlines -------------------------------------------------------------------------------------- */

static void
timers_fire_in_order_and_once(void **state)
{
	struct bell a = { .timer.fire = on_bell, .name = 'a' }, b = { .timer.fire = on_bell, .name = 'b' };
	struct bell c = { .timer.fire = on_bell, .name = 'c' };
	struct timers timers = { 0 };

	(void)state;
	assert_int_equal(timers_next(&timers), CLOCK_NEVER);
	assert_true(timers_set(&timers, &b.timer, 20));
	assert_true(timers_set(&timers, &a.timer, 30));
	assert_true(timers_set(&timers, &c.timer, 40));
	assert_true(timers_set(&timers, &a.timer, 10)); /* moved */
	assert_int_equal(timers_next(&timers), 10);
	timers_fire(&timers, 9);
	assert_string_equal(said, "");
	timers_fire(&timers, 20);
	assert_string_equal(said, "ab");
	timers_clear(&timers, &c.timer);
	timers_clear(&timers, &c.timer); /* not set: nothing */
	timers_fire(&timers, CLOCK_NEVER - 1);
	assert_string_equal(said, "ab");
	timers_fini(&timers);
}

static void
a_timer_set_to_the_past_while_firing_waits_for_the_next_round(void **state)
{
	struct timers timers = { 0 };
	struct bell greedy = { .timer.fire = on_bell, .name = 'g', .again_ms = 0, .n_again = 3, .timers = &timers };
	struct bell modest = { .timer.fire = on_bell, .name = 'm' };

	(void)state;
	assert_true(timers_set(&timers, &greedy.timer, 5));
	assert_true(timers_set(&timers, &modest.timer, 9));
	timers_fire(&timers, 10);
	assert_string_equal(said, "gm");
	assert_int_equal(timers_next(&timers), 10); /* due at once */
	timers_fire(&timers, 10);
	timers_fire(&timers, 10);
	timers_fire(&timers, 11);
	timers_fire(&timers, 12);
	assert_string_equal(said, "gmggg");
	timers_fini(&timers);
}

static void
a_due_timer_may_be_cleared_by_an_earlier_one(void **state)
{
	struct timers timers = { 0 };
	struct bell a = { .timer.fire = on_bell, .name = 'a', .timers = &timers };
	struct bell b = { .timer.fire = on_bell, .name = 'b' };

	(void)state;
	a.clears = &b;
	assert_true(timers_set(&timers, &a.timer, 1));
	assert_true(timers_set(&timers, &b.timer, 2));
	timers_fire(&timers, 10);
	assert_string_equal(said, "a");
	timers_fini(&timers);
}

/* -- memory ----------------------------------------------------------------------------------------- */

static void
each_allocation_may_fail(void **state)
{
	(void)state;
	for (size_t nth = 1; nth <= 2; nth++) {
		struct error err = { 0 };

		mem_fail(nth, 1);
		assert_null(loop_new(&err));
		mem_fail(0, 0);
		assert_int_equal(err.kind, ERR_NOMEM);
	}
	loop_free(NULL);
}

static void
a_timer_without_memory_is_not_set(void **state)
{
	struct bell bell = { .timer.fire = on_bell, .name = 't' };

	(void)state;
	mem_fail(1, 1);
	assert_false(loop_set_timer(loop, &bell.timer, 1));
	mem_fail(0, 0);
	loop_clear_timer(loop, &bell.timer);
	assert_true(loop_set_timer(loop, &bell.timer, 1));
	loop_clear_timer(loop, &bell.timer);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_turn_is_descriptors_mail_timers_hooks),
		CASE(it_may_be_run_again),
		CASE(another_thread_may_run_it_next),
		CASE(events_of_a_watch_removed_in_the_same_turn_are_dropped),
		CASE(a_ready_watch_may_be_freed_by_another),
		CASE(a_watch_may_remove_itself),
		CASE(what_is_watched_can_be_changed),
		CASE(a_descriptor_that_cannot_be_watched_is_an_error),
		CASE(more_descriptors_than_fit_in_a_batch_are_all_seen_in_one_turn),
		CASE(a_hook_that_always_wants_to_run_does_not_starve_others),
		CASE(every_hook_runs_before_the_first_sleep),
		CASE(the_earliest_wish_of_all_hooks_ends_the_sleep),
		CASE(mail_posted_in_a_hook_keeps_the_loop_awake),
		CASE(two_sleeping_loops_never_miss_each_others_mail),
		CASE(timers_fire_in_order_and_once),
		CASE(a_timer_set_to_the_past_while_firing_waits_for_the_next_round),
		CASE(a_due_timer_may_be_cleared_by_an_earlier_one),
		CASE(each_allocation_may_fail),
		CASE(a_timer_without_memory_is_not_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
