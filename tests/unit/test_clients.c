// SPDX-License-Identifier: MIT
/* test_clients.c - what each client has: never more than it may, over all threads; nobody is let in uncounted, and nobody is remembered
 * who has nothing. */
#include "lib/check.h"
#include "route/clients.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST 100u

#define START 1000000u /* ms */

static struct clients *clients;
static uint64_t now_ms; /* the test's clock */

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	now_ms = START;
	clients = clients_new(MOST, &err);
	return clients == NULL;
}

/* clients_free() checks that nothing is left. */
static int
tear_down(void **state)
{
	(void)state;
	clients_free(clients);
	return 0;
}

static struct clients_key
uploads_of(const char *who)
{
	return (struct clients_key){ CLIENT_UPLOADS, "album", who };
}

static struct client_share *
take(struct clients_key key, uint64_t most, enum clients_answer answer)
{
	struct client_share *share = NULL;

	assert_int_equal(clients_take(clients, &key, most, now_ms, &share), answer);
	assert_int_equal(share != NULL, answer == CLIENTS_TAKEN);
	return share;
}

static void
a_client_has_what_it_may_and_not_one_more(void **state)
{
	struct clients_key key = uploads_of("192.0.2.1");
	struct client_share *shares[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		shares[i] = take(key, 3, CLIENTS_TAKEN);
	take(key, 3, CLIENTS_TOO_MANY);
	assert_int_equal(clients_count(clients, &key), 3);
	clients_give(clients, shares[0], now_ms);
	assert_int_equal(clients_count(clients, &key), 2);
	shares[0] = take(key, 3, CLIENTS_TAKEN);
	take(key, 2, CLIENTS_TOO_MANY); /* a reload has made it less */
	for (size_t i = 0; i < 3; i++)
		clients_give(clients, shares[i], now_ms);
	clients_give(clients, NULL, now_ms);
}

static void
other_clients_routes_and_things_count_apart(void **state)
{
	static const struct clients_key keys[] = { { CLIENT_UPLOADS, "album", "192.0.2.1" },
		{ CLIENT_UPLOADS, "album", "192.0.2.11" }, { CLIENT_UPLOADS, "album1", "92.0.2.1" },
		{ CLIENT_UPLOADS, "put", "192.0.2.1" }, { CLIENT_CONNECTIONS, "album", "192.0.2.1" } };
	struct client_share *shares[5];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		shares[i] = take(keys[i], 1, CLIENTS_TAKEN);
	assert_int_equal(clients_length(clients), 5);
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < 5; k++)
			assert_int_equal(clients_is_of(shares[i], &keys[k]), i == k);
		take(keys[i], 1, CLIENTS_TOO_MANY);
	}
	for (size_t i = 5; i-- > 0;)
		clients_give(clients, shares[i], now_ms);
}

static void
who_has_nothing_is_forgotten(void **state)
{
	struct clients_key key = uploads_of("192.0.2.1");

	(void)state;
	assert_int_equal(clients_count(clients, &key), 0);
	assert_int_equal(clients_length(clients), 0);
	clients_give(clients, take(key, 1, CLIENTS_TAKEN), now_ms);
	assert_int_equal(clients_length(clients), 0);
}

/* Whoever is known may have more; who is new is refused. Many at once are in one chain, too. */
static void
a_full_table_takes_no_newcomer(void **state)
{
	struct client_share *shares[MOST], *more;
	char names[MOST][16];

	(void)state;
	for (size_t i = 0; i < MOST; i++) {
		snprintf(names[i], sizeof names[i], "198.51.100.%zu", i);
		shares[i] = take(uploads_of(names[i]), 2, CLIENTS_TAKEN);
	}
	take(uploads_of("192.0.2.1"), UINT64_MAX, CLIENTS_FULL);
	more = take(uploads_of(names[7]), 2, CLIENTS_TAKEN);
	take(uploads_of(names[7]), 2, CLIENTS_TOO_MANY);
	clients_give(clients, shares[7], now_ms);
	take(uploads_of("192.0.2.1"), UINT64_MAX, CLIENTS_FULL);
	clients_give(clients, more, now_ms);
	shares[7] = take(uploads_of("192.0.2.1"), UINT64_MAX, CLIENTS_TAKEN);
	for (size_t i = 0; i < MOST; i++)
		clients_give(clients, shares[i], now_ms);
}

static void
without_memory_nobody_is_let_in_uncounted(void **state)
{
	struct error err = { 0 };

	(void)state;
	mem_fail(1, 2);
	take(uploads_of("192.0.2.1"), 1, CLIENTS_FULL);
	mem_fail(1, 1);
	assert_null(clients_new(1, &err));
	mem_fail(0, 0);
	assert_int_equal(err.kind, ERR_NOMEM);
	assert_int_equal(clients_length(clients), 0);
	clients_free(NULL);
}

/* -- rates ---------------------------------------------------------------------------------------------- */

#define RATE 1000000u

static struct clients_key
rate_of(const char *who)
{
	return (struct clients_key){ CLIENT_RATE, "album", who };
}

static void
all_shares_of_a_rate_are_of_one_bucket(void **state)
{
	struct client_share *first = take(rate_of("192.0.2.1"), UINT64_MAX, CLIENTS_TAKEN);
	struct client_share *second = take(rate_of("192.0.2.1"), UINT64_MAX, CLIENTS_TAKEN);
	struct client_share *other = take(rate_of("192.0.2.2"), UINT64_MAX, CLIENTS_TAKEN);

	(void)state;
	assert_int_equal(clients_book(clients, first, RATE, 100000, now_ms), now_ms);
	assert_int_equal(clients_book(clients, second, RATE, 100000, now_ms), now_ms + 100);
	assert_int_equal(clients_book(clients, other, RATE, 100000, now_ms), now_ms);
	clients_give_back(clients, second, RATE, 100000);
	assert_int_equal(clients_book(clients, first, RATE, 50000, now_ms), now_ms + 50);
	clients_give(clients, first, now_ms);
	clients_give(clients, second, now_ms);
	clients_give(clients, other, now_ms);
}

/* Else whoever comes again would have more than the rate. */
static void
a_rate_is_forgotten_when_it_is_full_again(void **state)
{
	struct client_share *share = take(rate_of("192.0.2.1"), UINT64_MAX, CLIENTS_TAKEN);

	(void)state;
	clients_book(clients, share, RATE, RATE, now_ms);
	clients_give(clients, share, now_ms);
	assert_int_equal(clients_length(clients), 1);
	now_ms += 500;
	share = take(rate_of("192.0.2.1"), UINT64_MAX, CLIENTS_TAKEN);
	assert_int_equal(clients_book(clients, share, RATE, RATE, now_ms), now_ms + 1400);
	clients_give(clients, share, now_ms);
	now_ms += 2000;
	share = take(rate_of("192.0.2.1"), UINT64_MAX, CLIENTS_TAKEN);
	clients_give(clients, share, now_ms);
	assert_int_equal(clients_length(clients), 0);
}

static void
use(size_t i)
{
	char name[16];
	struct client_share *share;

	snprintf(name, sizeof name, "198.51.100.%zu", i);
	share = take(rate_of(name), UINT64_MAX, CLIENTS_TAKEN);
	clients_book(clients, share, RATE, RATE, now_ms);
	clients_give(clients, share, now_ms);
}

/* It is looked through once a second at the most. */
static void
a_full_table_forgets_the_idle(void **state)
{
	(void)state;
	for (size_t i = 0; i < MOST; i++)
		use(i);
	assert_int_equal(clients_length(clients), MOST);
	take(uploads_of("192.0.2.1"), 1, CLIENTS_FULL);
	now_ms += 2000;
	use(MOST);
	assert_int_equal(clients_length(clients), 1);
}

/* -- many threads -------------------------------------------------------------------------------------- */

#define THREADS 4u
#define ROUNDS 5000u
#define EACH 3u /* what a client may have */

struct crowd {
	unsigned seed;
	unsigned n_taken;
};

static void
use_rate(const char *who)
{
	struct clients_key key = rate_of(who);
	struct client_share *share;

	if (clients_take(clients, &key, UINT64_MAX, START, &share) != CLIENTS_TAKEN)
		return;
	clients_book(clients, share, RATE, 1000, START);
	clients_give_back(clients, share, RATE, 1000);
	clients_give(clients, share, START);
}

static void *
come_and_go(void *arg)
{
	struct crowd *crowd = arg;
	struct client_share *held[8] = { NULL };

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct client_share **place = &held[rand_r(&crowd->seed) % 8];
		char who[4] = { 'c', (char)('0' + rand_r(&crowd->seed) % 5), '\0', '\0' };
		struct clients_key key = uploads_of(who);

		clients_give(clients, *place, START);
		clients_take(clients, &key, EACH, START, place);
		use_rate(who);
		crowd->n_taken += *place != NULL;
		if (clients_count(clients, &key) > EACH)
			return NULL;
	}
	for (size_t i = 0; i < 8; i++)
		clients_give(clients, held[i], START);
	return crowd;
}

static void
many_threads_never_take_more_together(void **state)
{
	struct crowd crowds[THREADS];
	pthread_t threads[THREADS];
	void *end;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		crowds[i] = (struct crowd){ .seed = i + 1 };
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowds[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &end), 0);
		assert_ptr_equal(end, &crowds[i]);
		assert_true(crowds[i].n_taken > 0);
	}
	assert_int_equal(clients_length(clients), 0);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_client_has_what_it_may_and_not_one_more),
		CASE(other_clients_routes_and_things_count_apart),
		CASE(who_has_nothing_is_forgotten),
		CASE(a_full_table_takes_no_newcomer),
		CASE(without_memory_nobody_is_let_in_uncounted),
		CASE(all_shares_of_a_rate_are_of_one_bucket),
		CASE(a_rate_is_forgotten_when_it_is_full_again),
		CASE(a_full_table_forgets_the_idle),
		CASE(many_threads_never_take_more_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
