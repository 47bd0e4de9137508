// SPDX-License-Identifier: MIT
/* test_engine_sockets.c - what becomes of the watch of a socket that nobody wants, and of one whose number is another's by now. */
#include "sink/engine_sockets.h"

#include "base/mem.h"
#include "lib/check.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;
static struct engine_sockets sockets;
static unsigned n_told, n_ignored;
static int own, other; /* two ends of a connection */

static int
set_up(void **state)
{
	struct error err = { 0 };
	int ends[2];

	(void)state;
	loop = loop_new(&err);
	sockets = (struct engine_sockets){ .loop = loop };
	n_told = n_ignored = 0;
	if (loop == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return -1;
	own = ends[0];
	other = ends[1];
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mem_fail(0, 0);
	engine_sockets_fini(&sockets);
	loop_free(loop);
	close(own);
	close(other);
	return 0;
}

static void
on_ready(struct watch *watch, uint32_t events)
{
	char bytes[8];

	(void)events;
	if (engine_sockets_ignores(&sockets, (struct engine_socket *)(void *)watch))
		n_ignored++;
	else
		n_told += recv(watch->fd, bytes, sizeof bytes, MSG_DONTWAIT) >= 0;
}

static void
on_end(struct timer *timer)
{
	(void)timer;
	loop_stop(loop);
}

/* What has happened by now is seen. */
static void
turn(void)
{
	struct timer end = { .fire = on_end };

	assert_true(loop_set_timer(loop, &end, 0));
	loop_run(loop);
}

static struct engine_socket *
use(uint32_t events)
{
	struct engine_socket *socket = engine_sockets_take(&sockets, own);

	assert_non_null(socket);
	socket->watch.ready = on_ready;
	assert_true(engine_sockets_watch(&sockets, socket, events));
	return socket;
}

/* One that has been in use and is loose. */
static struct engine_socket *
loose(uint32_t events)
{
	struct engine_socket *socket;

	assert_true(engine_sockets_made(&sockets, own));
	socket = use(events);
	engine_sockets_give(&sockets, socket);
	return socket;
}

/* Another socket gets the number of our end. */
static void
take_number(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(dup2(ends[0], own), own);
	close(ends[0]);
	close(other);
	other = ends[1];
}

static void
say(void)
{
	assert_int_equal(send(other, "a", 1, MSG_NOSIGNAL), 1);
}

static void
one_that_is_used_again_is_the_same_and_was_watched_all_the_while(void **state)
{
	struct engine_socket *socket = loose(EPOLLIN);

	(void)state;
	assert_true(socket->watch.is_watched);
	assert_ptr_equal(use(EPOLLIN), socket);
	say();
	turn();
	assert_int_equal(n_told, 1);
	engine_sockets_give(&sockets, socket);
}

static void
it_is_watched_for_something_else_once_that_is_settled(void **state)
{
	struct engine_socket *socket = use(0);

	(void)state;
	say();
	assert_true(engine_sockets_watch(&sockets, socket, EPOLLIN));
	turn();
	assert_int_equal(n_told, 0);
	assert_null(engine_sockets_settle(&sockets));
	turn();
	assert_int_equal(n_told, 1);
	assert_true(engine_sockets_watch(&sockets, socket, EPOLLOUT));
	engine_sockets_give(&sockets, socket); /* before it was settled */
	assert_null(engine_sockets_settle(&sockets));
}

static void
what_happens_on_a_loose_one_is_told_to_nobody_and_seen_once(void **state)
{
	struct engine_socket *socket = loose(EPOLLIN);

	(void)state;
	say();
	turn();
	turn();
	assert_int_equal(n_ignored, 1);
	assert_int_equal(n_told, 0);
	assert_false(socket->watch.is_watched);
	assert_true(engine_sockets_has_stray(&sockets, 0));
	assert_int_equal(engine_sockets_find(&sockets, 0), own);
	assert_int_equal(engine_sockets_find(&sockets, 1), -1);
	assert_ptr_equal(use(EPOLLIN), socket);
	assert_false(engine_sockets_has_stray(&sockets, 0));
	assert_int_equal(engine_sockets_find(&sockets, 0), -1);
	turn();
	assert_int_equal(n_told, 1);
	engine_sockets_give(&sockets, socket);
}

static void
one_that_is_watched_for_room_would_be_ready_at_once(void **state)
{
	struct engine_socket *socket = loose(EPOLLIN | EPOLLOUT);

	(void)state;
	assert_false(socket->watch.is_watched);
	turn();
	assert_int_equal(n_ignored, 0);
}

static void
one_of_another_maker_is_forgotten(void **state)
{
	struct engine_socket *socket = use(EPOLLIN);

	(void)state;
	engine_sockets_give(&sockets, socket);
	assert_null(sockets.loose);
	take_number();
	socket = use(EPOLLIN);
	say();
	turn();
	assert_int_equal(n_told, 1);
	engine_sockets_give(&sockets, socket);
}

static void
a_number_that_is_made_again_is_a_new_one(void **state)
{
	struct engine_socket *socket;

	(void)state;
	loose(EPOLLIN);
	take_number();
	assert_true(engine_sockets_made(&sockets, own));
	socket = use(EPOLLIN);
	assert_null(sockets.loose);
	say();
	turn();
	assert_int_equal(n_told, 1);
	engine_sockets_give(&sockets, socket);
}

/* Else whoever has its number next, and closes it without a word, would be taken for one that was made here. */
static void
one_that_was_closed_while_it_was_in_use_is_forgotten(void **state)
{
	struct engine_socket *socket;

	(void)state;
	assert_true(engine_sockets_made(&sockets, own));
	socket = use(EPOLLOUT);
	take_number();
	engine_sockets_give(&sockets, socket);
	assert_null(sockets.loose);
}

static void
one_that_is_closed_is_forgotten(void **state)
{
	(void)state;
	loose(EPOLLIN);
	engine_sockets_close(&sockets, own);
	engine_sockets_close(&sockets, own);
	assert_null(sockets.loose);
}

static void
without_memory_there_is_none(void **state)
{
	(void)state;
	mem_fail(1, 2);
	assert_false(engine_sockets_made(&sockets, own));
	assert_null(engine_sockets_take(&sockets, own));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_is_used_again_is_the_same_and_was_watched_all_the_while),
		TEST(it_is_watched_for_something_else_once_that_is_settled),
		TEST(what_happens_on_a_loose_one_is_told_to_nobody_and_seen_once),
		TEST(one_that_is_watched_for_room_would_be_ready_at_once),
		TEST(one_of_another_maker_is_forgotten),
		TEST(a_number_that_is_made_again_is_a_new_one),
		TEST(one_that_was_closed_while_it_was_in_use_is_forgotten),
		TEST(one_that_is_closed_is_forgotten),
		TEST(without_memory_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
