// SPDX-License-Identifier: MIT
/* test_request_shape.c - how fast a request takes its body: `rate` of its route and of its client hold it back, by not reading, and as
 * much as others; and whoever brings less than `min_rate` is given up, unless it is penstock that does not take it.
 *
 * The clock is the test's own (--wrap=clock_now_ms): it goes on by a millisecond with each turn of the loop, which never sleeps. So
 * nothing here depends on how fast the machine is. */
#include "lib/fake_client.h"

#include "base/log.h"
#include "lib/routes.h"
#include "request/room_priv.h"

#include <fcntl.h>
#include <string.h>

#define MEMORY (8 << 20)
#define ROUTE(id, limits)                                                                                          \
	"  - id: " id "\n"                                                                                         \
	"    match: { path: \"/" id "\" }\n"                                                                       \
	"    fields: [ { name: f, store: { to: none, key: \"{uuid}\" } } ]\n"                                      \
	"    limits: { body: none" limits " }\n"
#define ROUTES                                                                                                     \
	"version: 1\nmemory: 8MiB\nclient: { timeout: { idle: 1h } }\n"                                            \
	"destinations: { none: { type: discard } }\n"                                                              \
	"routes:\n" ROUTE("all", ", rate: 2MiB/s") ROUTE("each", ", rate: 1GiB/s, per_client: { rate: 2MiB/s }")   \
		ROUTE("slow", ", rate: 1KiB/s") ROUTE("min", ", min_rate: 64KiB/s") ROUTE("free", "")
#define PART "--B\r\nContent-Disposition: form-data; name=f; filename=a.txt\r\n\r\n"
#define END "\r\n--B--\r\n"
#define BURST (2u * 1024 * 1024 / 10) /* of 2MiB/s */
#define PIECE (2u * 1024 * 1024 / 20)

static struct fake_client clients[4];
static char filler[1 << 20];
static uint64_t now_ms = 1000000;

uint64_t __wrap_clock_now_ms(void);

uint64_t
__wrap_clock_now_ms(void)
{
	return now_ms;
}

static uint64_t
tick(struct hook *hook, uint64_t at_ms)
{
	(void)hook;
	(void)at_ms;
	now_ms++;
	return 0;
}

static int
set_up(void **state)
{
	static struct hook hook = { .turn = tick };

	(void)state;
	fake_world_start(ROUTES, MEMORY);
	loop_add_hook(fake_world->loop, &hook);
	return 0;
}

static struct fake_client *
begin(size_t i, const char *target, const char *address)
{
	struct fake_client *client = &clients[i];

	fake_client(client, target, NULL);
	client->piece = sizeof filler;
	fake_add_line(client, "x-forwarded-for", address);
	assert_true(fake_begin(client));
	fake_send_text(client, PART);
	return client;
}

static size_t
shaped(void)
{
	return counter_read(&fake_world->metrics.n[METRIC_SHAPED_BYTES]);
}

/* Shows some as long as the client is not paused: how much was taken. */
static size_t
show(struct fake_client *client, size_t len)
{
	return client->is_paused ? 0 : fake_show(client, filler, len);
}

/* -- a rate ---------------------------------------------------------------------------------------------- */

static void
a_burst_is_taken_and_no_more(void **state)
{
	static const char *const targets[] = { "/all", "/each" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fake_client *client = begin(0, targets[i], "192.0.2.1");
		size_t n = show(client, sizeof filler);

		assert_in_range(n, BURST - PIECE - 1000, BURST + 3000); /* it may be a little later by now */
		assert_true(client->is_paused);
		assert_true(shaped() > 0);
		fake_leave(client);
	}
}

static void
without_a_rate_nobody_waits(void **state)
{
	struct fake_client *client = begin(0, "/free", "192.0.2.1");

	(void)state;
	assert_int_equal(show(client, sizeof filler), sizeof filler);
	assert_int_equal(shaped(), 0);
	fake_leave(client);
}

static void
a_body_takes_as_long_as_its_rate_says(void **state)
{
	struct fake_client *client = begin(0, "/all", "192.0.2.1");
	uint64_t began_ms = clock_now_ms();

	(void)state;
	fake_send(client, filler, sizeof filler);
	fake_send_text(client, END);
	fake_end(client);
	assert_int_equal(client->status, 201);
	assert_true(clock_now_ms() - began_ms >= 400); /* 512 less what a burst is, and less the turn of a clock */
	assert_true(client->n_pauses >= 8 && client->n_pauses < 60); /* one for each piece: nobody turns around */
	fake_leave(client);
}

/* One after the other, and not whoever comes first. */
static void
those_of_one_rate_share_it(void **state)
{
	size_t got[3] = { 0 };
	struct fake_client *client[3];

	(void)state;
	client[0] = begin(0, "/all", "192.0.2.1");
	client[0]->piece = 1 << 20; /* however large their pieces are */
	client[1] = begin(1, "/all", "192.0.2.2");
	client[1]->piece = 32 * 1024;
	client[2] = begin(2, "/all", "192.0.2.3");
	while (got[0] + got[1] + got[2] < 1500000)
		for (size_t i = 0; i < 3; i++) {
			size_t n = show(client[i], client[i]->piece);

			got[i] += n;
			if (n == 0)
				fake_until(fake_is_resumed, client[i]);
		}
	for (size_t i = 0; i < 3; i++) {
		assert_in_range(got[i], 500000 - 3 * PIECE, 500000 + 3 * PIECE);
		fake_leave(client[i]);
	}
}

static void
other_clients_have_a_rate_of_their_own(void **state)
{
	struct fake_client *first = begin(0, "/each", "192.0.2.1"), *second = begin(1, "/each", "192.0.2.1");
	struct fake_client *other = begin(2, "/each", "192.0.2.2");

	(void)state;
	assert_true(show(first, sizeof filler) > 0);
	assert_true(show(second, sizeof filler) < BURST / 2); /* what the first has left, and what came since */
	assert_true(show(other, sizeof filler) >= BURST - PIECE - 1000);
	fake_leave(first);
	fake_leave(second);
	fake_leave(other);
}

/* Coming again is no way around it. What was booked and not taken is given back. */
static void
who_comes_again_finds_the_rate_as_he_left_it(void **state)
{
	struct clients_key key = { CLIENT_RATE, "slow", "" };
	struct client_share *share;
	struct fake_client *client = begin(0, "/slow", "192.0.2.1");
	uint64_t now = loop_now_ms(fake_world->loop);

	(void)state;
	assert_int_equal(show(client, 100000), 0); /* a KiB is booked, and the head has taken what a burst is */
	fake_leave(client);
	assert_int_equal(clients_take(fake_world->clients, &key, 9, now, &share), CLIENTS_TAKEN);
	assert_in_range(clients_book(fake_world->clients, share, 1024, 1, now), now, now + 500);
	clients_give(fake_world->clients, share, now);
}

static void
who_cannot_be_counted_has_no_rate_and_is_refused(void **state)
{
	static const char *const targets[] = { "/all", "/each" };
	struct client_share *shares[FAKE_CLIENTS];
	uint64_t now = loop_now_ms(fake_world->loop);
	size_t n = FAKE_CLIENTS;

	(void)state;
	for (size_t i = 0; i < FAKE_CLIENTS; i++) {
		char who[] = { 'c', (char)('0' + (char)i), '\0' };
		struct clients_key key = { CLIENT_UPLOADS, "up", who };

		assert_int_equal(clients_take(fake_world->clients, &key, 1, now, &shares[i]), CLIENTS_TAKEN);
	}
	for (size_t i = 0; i < 2; i++) { /* the second one's route has a rate, and its client none */
		fake_client(&clients[i], targets[i], NULL);
		assert_true(fake_begin(&clients[i]));
		assert_int_equal(clients[i].status, 503);
		assert_non_null(strstr(clients[i].body.data, "\"limit\":\"per_client\""));
		fake_leave(&clients[i]);
		clients_give(fake_world->clients, shares[--n], now);
	}
	while (n > 0)
		clients_give(fake_world->clients, shares[--n], now);
}

static void
who_is_held_back_can_leave_and_can_be_given_up(void **state)
{
	struct fake_client *client = begin(0, "/slow", "192.0.2.1"), *other = begin(1, "/slow", "192.0.2.1");

	(void)state;
	show(client, 100000);
	show(other, 100000);
	assert_true(client->is_paused && other->is_paused);
	request_on_hangup(client->request, true);
	assert_true(client->is_shut);
	fake_leave(client);
	intake_drain(fake_world->intake);
	intake_abort(fake_world->intake);
	fake_until(fake_is_answered, other);
	assert_int_equal(other->status, 503);
	fake_leave(other);
}

/* -- the least ------------------------------------------------------------------------------------------- */

/* Eleven seconds ago: as if the clock had gone on meanwhile. */
static void
age(struct fake_client *client, uint64_t ms)
{
	struct request *request = client->request;

	request->pace.owed.ms -= ms;
	request->pace.kept.ms -= ms;
	if (request->reading.is_paused)
		request->reading.paused_ms -= ms;
}

/* As if a store were slow. */
static void
note_pause(struct fake_client *client)
{
	request_pause(client->request);
	age(client, 3 * PACE_MS);
	client->request->pace.owed.ms += 4 * PACE_MS; /* what had passed before */
}

static bool
has_looked(const void *before_ms)
{
	return fake_world->intake->stalled.look.at_ms > *(const uint64_t *)before_ms;
}

/* Until all have been looked at once more. */
static void
look(void)
{
	uint64_t before_ms = fake_world->intake->stalled.look.at_ms;

	fake_until(has_looked, &before_ms);
}

static void
who_brings_less_than_the_least_is_given_up(void **state)
{
	struct fake_client *client = begin(0, "/min", "192.0.2.1"), *other = begin(1, "/free", "192.0.2.1");

	(void)state;
	age(client, PACE_MS - 2000);
	look();
	assert_int_equal(client->status, 0); /* it has two seconds more */
	age(client, 2000);
	age(other, PACE_MS);
	fake_until(fake_is_answered, client);
	assert_int_equal(client->status, 408);
	assert_non_null(strstr(client->body.data, "\"limit\":\"min_rate\""));
	assert_int_equal(other->status, 0);
	fake_leave(client);
	fake_leave(other);
}

static void
who_brings_the_least_goes_on(void **state)
{
	struct fake_client *client = begin(0, "/min", "192.0.2.1");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		age(client, PACE_MS - 1000);
		fake_send(client, filler, 10 * 64 * 1024);
		look();
		assert_int_equal(client->status, 0);
	}
	age(client, PACE_MS);
	fake_send(client, filler, 10 * 64 * 1024 - 1); /* a byte less than it should have been */
	fake_until(fake_is_answered, client);
	assert_int_equal(client->status, 408);
	fake_leave(client);
}

/* It waits for us, or what it has sent lies in the socket. */
static void
who_is_not_waited_for_owes_nothing(void **state)
{
	struct fake_client *client = begin(0, "/min", "192.0.2.1");

	(void)state;
	client->unread = 1;
	age(client, 2 * PACE_MS);
	look();
	assert_int_equal(client->status, 0);
	note_pause(client);
	client->unread = 0;
	age(client, PACE_MS);
	look();
	assert_int_equal(client->status, 0);
	request_resume(client->request);
	look();
	assert_int_equal(client->status, 0); /* its clock stood still */
	age(client, PACE_MS);
	fake_until(fake_is_answered, client);
	assert_int_equal(client->status, 408);
	fake_leave(client);
}

/* A worker that is behind finds the next drop in the socket each time that it looks. */
static void
who_sends_drops_all_the_time_is_given_up(void **state)
{
	struct fake_client *dripping = begin(0, "/min", "192.0.2.1"), *fast = begin(1, "/min", "192.0.2.1"),
			   *enough = begin(2, "/min", "192.0.2.1");

	(void)state;
	dripping->unread = 1;
	fast->unread = 4096; /* as much as we let it lie there */
	enough->unread = 1000;
	fake_send(enough, filler, 10 * 64 * 1024 - 500); /* with what lies there it is what it owes */
	age(dripping, PACE_MS);
	age(fast, PACE_MS);
	age(enough, PACE_MS);
	for (size_t i = 0; i < 2; i++) {
		look();
		assert_int_equal(
			dripping->status, 0); /* it may have sent all that it owes, until something was read */
	}
	for (size_t i = 0; i < 3; i++) {
		fake_send(dripping, filler, 1);
		fake_send(fast, filler, 1);
		fake_send(enough, filler, 1);
		look();
		assert_int_equal(dripping->status, 408);
		assert_int_equal(fast->status, 0);
		assert_int_equal(enough->status, 0);
	}
	fake_leave(dripping);
	fake_leave(fast);
	fake_leave(enough);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, fake_world_tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_burst_is_taken_and_no_more),
		CASE(without_a_rate_nobody_waits),
		CASE(a_body_takes_as_long_as_its_rate_says),
		CASE(those_of_one_rate_share_it),
		CASE(other_clients_have_a_rate_of_their_own),
		CASE(who_comes_again_finds_the_rate_as_he_left_it),
		CASE(who_cannot_be_counted_has_no_rate_and_is_refused),
		CASE(who_is_held_back_can_leave_and_can_be_given_up),
		CASE(who_brings_less_than_the_least_is_given_up),
		CASE(who_brings_the_least_goes_on),
		CASE(who_is_not_waited_for_owes_nothing),
		CASE(who_sends_drops_all_the_time_is_given_up),
	};

	memset(filler, 'x', sizeof filler);
	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC)); /* a line for each request */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
