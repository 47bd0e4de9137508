// SPDX-License-Identifier: MIT
/* test_request_client.c - what one client may have of a route at once: who is counted, from when on and until when, and what is said
 * to one that wants more. */
#include "lib/fake_client.h"

#include "base/log.h"
#include "lib/routes.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MEMORY (4 << 20)
#define ROUTE(id, more)                                                                                            \
	"  - id: " id "\n"                                                                                         \
	"    match: { path: \"/" id "\" }\n"                                                                       \
	"    fields: [ { name: f, store: { to: none, key: \"{uuid}\" } } ]\n" more
#define ROUTES                                                                                                     \
	"version: 1\nmemory: 4MiB\n"                                                                               \
	"destinations: { none: { type: discard }, app: { type: http, url: \"http://127.0.0.1:1/in\" } }\n"         \
	"routes:\n" ROUTE("up", "    limits: { per_client: { uploads: 2 } }\n") ROUTE("asked",                     \
		"    limits: { per_client: { uploads: 1, connections: 2 } }\n"                                     \
		"    authorize: { to: app, path: /may }\n")                                                        \
		ROUTE("lines", "    limits: { per_client: { connections: 1 } }\n")                                 \
			ROUTE("few", "    limits: { concurrent: 1, per_client: { uploads: 2 } }\n")                \
				ROUTE("free", "")
#define FORM "--B\r\nContent-Disposition: form-data; name=f; filename=a.txt\r\n\r\nabc\r\n--B--\r\n"

static struct fake_client clients[4];

static int
set_up(void **state)
{
	(void)state;
	fake_world_start(ROUTES, MEMORY);
	return 0;
}

static struct fake_client *
begin(size_t i, const char *target, const char *address)
{
	struct fake_client *client = &clients[i];

	fake_client(client, target, NULL);
	fake_add_line(client, "x-forwarded-for", address);
	assert_true(fake_begin(client));
	return client;
}

static void
again(struct fake_client *client)
{
	client->status = 0;
	client->retry_after = STR_NONE;
	assert_true(fake_begin(client));
}

static void
send_form(struct fake_client *client)
{
	fake_send_text(client, FORM);
	fake_end(client);
}

static size_t
counted(enum metric metric)
{
	return counter_read(&fake_world->metrics.n[metric]);
}

static void
assert_refused(struct fake_client *client, unsigned status, const char *limit)
{
	char says[64];

	snprintf(says, sizeof says, "\"limit\":\"%s\"", limit);
	assert_int_equal(client->status, status);
	assert_true(str_is(client->retry_after, "1"));
	assert_non_null(strstr(client->body.data, says));
}

static void
a_client_has_its_uploads_and_one_more_is_refused(void **state)
{
	struct fake_client *client[4];

	(void)state;
	client[0] = begin(0, "/up", "192.0.2.1");
	client[1] = begin(1, "/up", "192.0.2.1");
	client[2] = begin(2, "/up", "192.0.2.1");
	assert_refused(client[2], 429, "per_client.uploads");
	assert_non_null(strstr(client[2]->body.data, "this client has its 2 uploads of the route already"));
	fake_leave(client[2]);
	assert_int_equal(counted(METRIC_CLIENT_UPLOADS), 1);
	client[2] = begin(2, "/up", "192.0.2.2");
	client[3] = begin(3, "/free", "192.0.2.1");
	send_form(client[0]);
	assert_int_equal(client[0]->status, 201);
	fake_leave(client[0]);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(client[i]->status, 0);
		fake_leave(client[i]);
	}
}

static void
a_place_is_free_again_whatever_ends_the_upload(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct fake_client *client = begin(0, "/up", "192.0.2.1");

		assert_int_equal(client->status, 0);
		if (i % 3 == 0)
			fake_send_text(client, "no form at all\r\n\r\n\r\n");
		if (i % 3 == 1)
			send_form(client);
		fake_leave(client);
	}
}

static void
addresses_of_one_64_are_one_client(void **state)
{
	struct fake_client *first = begin(0, "/up", "2001:db8:0:1::1"),
			   *second = begin(1, "/up", "2001:db8:0:1:ffff::2");
	struct fake_client *third = begin(2, "/up", "2001:db8:0:1:8000::"),
			   *other = begin(3, "/up", "2001:db8:0:2::1");

	(void)state;
	assert_int_equal(second->status, 0);
	assert_refused(third, 429, "per_client.uploads");
	assert_int_equal(other->status, 0);
	fake_leave(first);
	fake_leave(second);
	fake_leave(third);
	fake_leave(other);
}

/* Both are asked about, and the one that has its yes first is counted first. A connection counts before. */
static void
an_upload_counts_after_the_yes_and_a_connection_before(void **state)
{
	struct fake_client *first = begin(0, "/asked", "192.0.2.1"), *second = begin(1, "/asked", "192.0.2.1");
	struct fake_client *third = begin(2, "/asked", "192.0.2.1");

	(void)state;
	assert_refused(third, 429, "per_client.connections");
	assert_true(third->client.is_too_much);
	fake_leave(third);
	assert_int_equal(counted(METRIC_CLIENT_CONNECTIONS), 1);
	fake_answer(204, NULL, ""); /* the one that was asked last */
	fake_answer(204, NULL, "");
	fake_until(fake_is_resumed, first);
	fake_show(first, "x", 1);
	fake_until(fake_is_answered, first);
	assert_refused(first, 429, "per_client.uploads");
	send_form(second);
	assert_int_equal(second->status, 201);
	fake_leave(first);
	fake_leave(second);
}

static void
a_connection_counts_until_it_is_closed(void **state)
{
	struct fake_client *first = begin(0, "/lines", "192.0.2.1"), *second;

	(void)state;
	send_form(first);
	first->stays = true;
	fake_leave(first);
	again(first); /* its own does not count twice */
	send_form(first);
	assert_int_equal(first->status, 201);
	fake_leave(first);
	second = begin(1, "/lines", "192.0.2.1");
	assert_refused(second, 429, "per_client.connections");
	second->stays = true;
	fake_leave(second);
	request_forget_client(fake_world->intake, &first->client);
	again(second);
	assert_int_equal(second->status, 0);
	second->stays = false;
	fake_leave(second);
}

/* A gateway's connection. */
static void
a_connection_is_of_whom_it_brings(void **state)
{
	struct fake_client *first = begin(0, "/lines", "192.0.2.1"), *second;

	(void)state;
	first->stays = true;
	fake_leave(first);
	first->lines[3].value = "192.0.2.2";
	again(first);
	second = begin(1, "/lines", "192.0.2.1");
	assert_int_equal(second->status, 0);
	first->stays = false;
	fake_leave(first);
	fake_leave(second);
}

/* Else it would keep out other uploads of its own for as long as the answer takes. */
static void
who_finds_the_route_full_holds_no_place(void **state)
{
	struct fake_client *first = begin(0, "/few", "192.0.2.1"), *second = begin(1, "/few", "192.0.2.2");
	struct clients_key key = { CLIENT_UPLOADS, "few", "192.0.2.2" };

	(void)state;
	assert_refused(second, 429, "concurrent");
	assert_int_equal(clients_count(fake_world->clients, &key), 0);
	fake_leave(first);
	fake_leave(second);
}

static void
a_newcomer_is_refused_if_it_cannot_be_counted(void **state)
{
	struct client_share *shares[FAKE_CLIENTS];
	struct fake_client *client;

	(void)state;
	fake_fill_clients(shares);
	client = begin(0, "/up", "192.0.2.1");
	assert_refused(client, 503, "per_client");
	fake_leave(client);
	client = begin(0, "/lines", "192.0.2.1");
	assert_refused(client, 503, "per_client");
	fake_leave(client);
	assert_int_equal(counted(METRIC_CLIENT_TABLE), 2);
	client = begin(0, "/free", "192.0.2.1");
	assert_int_equal(client->status, 0);
	fake_leave(client);
	fake_empty_clients(shares);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, fake_world_tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_client_has_its_uploads_and_one_more_is_refused),
		CASE(a_place_is_free_again_whatever_ends_the_upload),
		CASE(addresses_of_one_64_are_one_client),
		CASE(an_upload_counts_after_the_yes_and_a_connection_before),
		CASE(a_connection_counts_until_it_is_closed),
		CASE(a_connection_is_of_whom_it_brings),
		CASE(who_finds_the_route_full_holds_no_place),
		CASE(a_newcomer_is_refused_if_it_cannot_be_counted),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC)); /* a line for each request */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
