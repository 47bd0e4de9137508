// SPDX-License-Identifier: MIT
/* test_acceptor.c - connections to a socket of this test's own: how many are taken in a turn, that they wait where there is no
 * room, and that none is lost where no descriptor is left for a while. */
#include "loop/acceptor.h"

#include "base/log.h"
#include "lib/check.h"
#include "lib/until.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#define MANY 5

static struct loop *loop;
static int listening, clients[MANY];
static struct sockaddr_in address;
static int taken[MANY];
static size_t n_taken, n_asked, room;

static bool
has_room(void *arg)
{
	(void)arg;
	n_asked++;
	return n_taken < room;
}

static void
take(void *arg, size_t i, int fd, const struct sockaddr_storage *addr, socklen_t len)
{
	assert_ptr_equal(arg, &taken);
	assert_int_equal(i, 0);
	assert_int_equal(len, sizeof(struct sockaddr_in));
	assert_int_equal(addr->ss_family, AF_INET);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	taken[n_taken++] = fd;
}

static struct acceptor *
start(unsigned batch)
{
	struct error err = { 0 };
	struct acceptor_setup setup = {
		.loop = loop,
		.room = "test",
		.fds = &listening,
		.n_fds = 1,
		.batch = batch,
		.arg = &taken,
		.has_room = has_room,
		.take = take,
	};
	struct acceptor *acceptor = acceptor_new(&setup, &err);

	assert_non_null(acceptor);
	return acceptor;
}

static int
set_up(void **state)
{
	socklen_t len = sizeof address;

	(void)state;
	loop = until_start();
	n_taken = n_asked = 0;
	room = MANY;
	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(listening, (struct sockaddr *)&address, sizeof address) != 0 || listen(listening, MANY) != 0)
		return -1;
	return getsockname(listening, (struct sockaddr *)&address, &len);
}

static void
connect_all(void)
{
	for (size_t i = 0; i < MANY; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&address, sizeof address), 0);
	}
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_taken; i++)
		close(taken[i]);
	for (size_t i = 0; i < MANY; i++)
		close(clients[i]);
	if (listening >= 0)
		close(listening);
	until_stop();
	return 0;
}

static bool
are_taken(const void *n)
{
	return n_taken == *(const size_t *)n;
}

static void
until_taken(size_t n)
{
	until(are_taken, &n);
}

static void
a_turn_takes_a_batch(void **state)
{
	struct acceptor *acceptor = start(2);

	(void)state;
	connect_all();
	until_turned();
	assert_int_equal(n_taken, 2);
	until_taken(MANY);
	acceptor_free(acceptor);
}

static void
who_finds_no_room_waits(void **state)
{
	struct acceptor *acceptor = start(MANY);

	(void)state;
	room = 3;
	connect_all();
	until_taken(3);
	until_turned();
	assert_int_equal(n_asked, 4); /* it is paused, and does not ask each turn */
	room = MANY;
	acceptor_resume(acceptor);
	until_taken(MANY);
	acceptor_free(acceptor);
}

static void
a_pause_leaves_all_waiting(void **state)
{
	struct acceptor *acceptor = start(MANY);

	(void)state;
	acceptor_pause(acceptor);
	acceptor_pause(acceptor);
	connect_all();
	until_turned();
	assert_int_equal(n_taken, 0);
	acceptor_resume(acceptor);
	acceptor_resume(acceptor);
	until_taken(MANY);
	acceptor_free(acceptor);
	acceptor_resume(NULL);
}

static bool
has_asked(const void *arg)
{
	(void)arg;
	return n_asked > 0;
}

/* All have connected, and none could be taken. */
static struct acceptor *
run_out_of_descriptors(void)
{
	struct acceptor *acceptor = start(MANY);
	struct rlimit before, none;

	connect_all();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	until(has_asked, NULL);
	until_turned();
	assert_int_equal(n_taken, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	return acceptor;
}

/* Once there is one, it goes on by itself. */
static void
without_a_descriptor_it_tries_again(void **state)
{
	struct acceptor *acceptor = run_out_of_descriptors();

	(void)state;
	until_taken(MANY);
	acceptor_free(acceptor);
}

static bool has_fired;

static void
fire(struct timer *timer)
{
	(void)timer;
	has_fired = true;
}

static bool
is_later(const void *arg)
{
	(void)arg;
	return has_fired;
}

/* A timer that is set later, and for longer, fires behind that of the acceptor. */
static void
who_has_no_room_either_does_not_try_again(void **state)
{
	struct acceptor *acceptor = run_out_of_descriptors();
	struct timer later = { .fire = fire };

	(void)state;
	acceptor_pause(acceptor);
	n_asked = 0;
	assert_true(loop_set_timer(loop, &later, clock_after(clock_now_ms(), 300)));
	until(is_later, NULL);
	until_turned();
	assert_int_equal(n_asked, 0);
	acceptor_resume(acceptor);
	until_taken(MANY);
	acceptor_free(acceptor);
}

static void
it_closes_what_it_owns(void **state)
{
	struct error err = { 0 };
	struct acceptor_setup setup = { .loop = loop, .fds = &listening, .n_fds = 1, .owns_fds = true };
	struct acceptor *acceptor = acceptor_new(&setup, &err);

	(void)state;
	assert_non_null(acceptor);
	acceptor_free(acceptor);
	assert_int_equal(fcntl(listening, F_GETFD), -1);
	listening = -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_turn_takes_a_batch),
		TEST(who_finds_no_room_waits),
		TEST(a_pause_leaves_all_waiting),
		TEST(without_a_descriptor_it_tries_again),
		TEST(who_has_no_room_either_does_not_try_again),
		TEST(it_closes_what_it_owns),
	};

	log_to(open(
		"/dev/null", O_WRONLY | O_CLOEXEC)); /* it complains that there is no descriptor, as it should */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
