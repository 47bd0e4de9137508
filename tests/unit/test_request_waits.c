// SPDX-License-Identifier: MIT
/* test_request_waits.c - what requests of one worker wait for, and what ends the waiting: memory that a route needs beforehand,
 * chunks, their turn to be read, deadlines, drain and abort. Each test waits until something is so, for as long as that takes. */
#include "lib/fake_client.h"

#include "base/log.h"
#include "lib/routes.h"
#include "sink/sinks.h"

#include <fcntl.h>
#include <string.h>

#define MEMORY (8 << 20)
#define HEAD(client, wait) "version: 1\nmemory: 8MiB\nmemory_wait: " wait "\nclient: { timeout: { " client " } }\n"
#define BODY                                                                                                       \
	"destinations:\n"                                                                                          \
	"  small: { type: discard }\n"                                                                             \
	"  large: { type: discard, memory: 2MiB }\n"                                                               \
	"routes:\n"                                                                                                \
	"  - id: up\n"                                                                                             \
	"    match: { path: /up }\n"                                                                               \
	"    limits: { body: none }\n"                                                                             \
	"    fields: [ { name: f, kind: file, store: { to: small, key: \"{uuid}\" } } ]\n"                         \
	"  - id: large\n"                                                                                          \
	"    match: { path: /large }\n"                                                                            \
	"    limits: { body: none }\n"                                                                             \
	"    fields: [ { name: f, kind: file, store: { to: large, key: \"{uuid}\" } } ]\n"
#define PATIENT HEAD("idle: 1h", "1h") BODY
#define IMPATIENT HEAD("idle: 20ms", "20ms") BODY
#define BOUNDED HEAD("idle: 1h, total: 20ms", "1h") BODY

#define PART "--B\r\nContent-Disposition: form-data; name=f; filename=a.txt\r\n\r\n"
#define END "\r\n--B--\r\n"

#define MANY 8

static struct fake_client clients[MANY];
static char filler[256 * 1024];

static int
patient(void **state)
{
	(void)state;
	fake_world_start(PATIENT, MEMORY);
	return 0;
}

static int
impatient(void **state)
{
	(void)state;
	fake_world_start(IMPATIENT, MEMORY);
	return 0;
}

static int
bounded(void **state)
{
	(void)state;
	fake_world_start(BOUNDED, MEMORY);
	return 0;
}

static struct fake_client *
begin(size_t i, const char *target)
{
	struct fake_client *client = &clients[i];

	fake_client(client, target, NULL);
	assert_true(fake_begin(client));
	assert_int_equal(client->status, 0);
	return client;
}

static void
finish(struct fake_client *client)
{
	fake_send_text(client, PART "hello" END);
	fake_end(client);
	assert_int_equal(client->status, 201);
	fake_leave(client);
}

static void
assert_answer(struct fake_client *client, unsigned status, const char *says)
{
	fake_until(fake_is_answered, client);
	assert_int_equal(client->status, status);
	buf_add(&client->body, "", 1);
	if (strstr(client->body.data, says) == NULL)
		fail_msg("%s does not say %s", client->body.data, says);
	fake_leave(client);
}

/* -- memory that its route needs ------------------------------------------------------------------------------ */

/* So many that the last one waits; its number. */
static size_t
fill_memory(void)
{
	for (size_t i = 0; i < MANY; i++)
		if (begin(i, "/large")->is_paused) {
			assert_true(i > 0);
			return i;
		}
	fail_msg("nobody had to wait");
	return 0;
}

static void
who_needs_memory_waits_before_its_body(void **state)
{
	size_t last = fill_memory();

	(void)state;
	assert_int_equal(fake_show(&clients[last], PART, strlen(PART)), 0);
	finish(&clients[0]);
	fake_until(fake_is_resumed, &clients[last]);
	for (size_t i = 1; i <= last; i++)
		finish(&clients[i]);
}

/* The others need none, and there is some for them. */
static void
who_needs_none_does_not_wait(void **state)
{
	fill_memory();

	(void)state;
	finish(begin(MANY - 1, "/up"));
}

static void
nobody_overtakes(void **state)
{
	size_t last = fill_memory();
	struct fake_client *behind = begin(last + 1, "/large");

	(void)state;
	assert_true(behind->is_paused);
	fake_leave(&clients[last]);
	assert_true(behind->is_paused);
	finish(&clients[0]);
	fake_until(fake_is_resumed, behind);
	finish(behind);
}

static void
its_client_may_leave_meanwhile(void **state)
{
	size_t last = fill_memory();
	uint64_t before = counter_read(&fake_world->requests);

	(void)state;
	fake_leave(&clients[last]);
	assert_int_equal(counter_read(&fake_world->requests), before - 1);
}

/* What it has sent with its head is not shown to us, so as many bytes may be missing in the socket. */
static void
a_hangup_ends_the_waiting_if_the_form_cannot_be_whole(void **state)
{
	size_t last = fill_memory();
	struct fake_client *client = &clients[last + 1];

	(void)state;
	fake_client(client, "/large", "200000");
	assert_true(fake_begin(client));
	assert_true(client->is_paused);
	client->unread = 200000 - 2 * client->piece;
	request_on_hangup(client->request, false);
	assert_false(client->is_shut);
	client->unread--;
	request_on_hangup(client->request, false);
	assert_true(client->is_shut);
	assert_false(client->is_paused);
}

static void
waiting_for_memory_ends(void **state)
{
	static const size_t all = (MEMORY / CHUNK_SIZE) * 3 / 5;
	struct fake_client *client = &clients[0];

	(void)state;
	assert_true(pool_reserve(fake_world->pool, all, POOL_KEEP));
	fake_client(client, "/large", NULL);
	assert_true(fake_begin(client));
	assert_true(client->is_paused);
	fake_until(fake_is_resumed, client);
	assert_true(request_go_on(client->request));
	assert_true(str_is(client->retry_after, "1"));
	assert_answer(client, 503, "memory_wait");
	pool_unreserve(fake_world->pool, all, POOL_KEEP);
}

static void
a_drain_ends_the_waiting(void **state)
{
	size_t last = fill_memory();

	(void)state;
	intake_drain(fake_world->intake);
	assert_false(clients[last].is_paused);
	assert_true(request_go_on(clients[last].request));
	assert_answer(&clients[last], 503, "shutting down");
	finish(&clients[0]); /* who has been let in is not touched */
	fake_client(&clients[0], "/up", NULL);
	assert_true(fake_begin(&clients[0]));
	assert_answer(&clients[0], 503, "shutting down");
}

/* -- chunks -------------------------------------------------------------------------------------------------- */

static size_t
take_all_chunks(void)
{
	size_t n = pool_available(fake_world->pool);

	assert_true(pool_reserve(fake_world->pool, n, POOL_STREAM));
	return n;
}

static struct fake_client *
send_without_chunks(const char *length, size_t *taken)
{
	struct fake_client *client = &clients[0];

	fake_client(client, "/up", length);
	assert_true(fake_begin(client));
	fake_send_text(client, PART);
	*taken = take_all_chunks();
	while (fake_show(client, filler, sizeof filler) > 0)
		;
	assert_true(client->is_paused);
	return client;
}

static void
who_finds_no_chunk_goes_on_when_one_is_back(void **state)
{
	size_t taken;
	struct fake_client *client = send_without_chunks(NULL, &taken);

	(void)state;
	pool_unreserve(fake_world->pool, taken, POOL_STREAM);
	fake_until(fake_is_resumed, client);
	fake_send(client, filler, sizeof filler);
	fake_send_text(client, END);
	fake_end(client);
	assert_int_equal(client->status, 201);
}

/* Each of thousands would be read, find that there is nothing left, and wait again. */
static void
a_chunk_that_is_back_wakes_one_of_those_who_wait(void **state)
{
	struct fake_client *first = begin(0, "/up"), *second = begin(1, "/up");
	size_t taken;

	(void)state;
	fake_send_text(first, PART);
	fake_send_text(second, PART);
	taken = take_all_chunks();
	while (fake_show(first, filler, sizeof filler) > 0)
		;
	while (fake_show(second, filler, sizeof filler) > 0)
		;
	pool_unreserve(fake_world->pool, 1, POOL_STREAM);
	fake_until(fake_is_resumed, first);
	assert_true(second->is_paused);
	pool_unreserve(fake_world->pool, taken - 1, POOL_STREAM);
	fake_until(fake_is_resumed, second);
	for (size_t i = 0; i < 2; i++) {
		fake_send_text(&clients[i], END);
		fake_end(&clients[i]);
		assert_int_equal(clients[i].status, 201);
	}
}

static void
a_hangup_while_paused_gives_up_what_cannot_be_whole(void **state)
{
	size_t taken;
	struct fake_client *client = send_without_chunks("100000000", &taken);

	(void)state;
	client->unread = 100000;
	request_on_hangup(client->request, false);
	assert_true(client->is_shut);
	pool_unreserve(fake_world->pool, taken, POOL_STREAM);
	fake_leave(client);
}

/* Of those who are waited for, the one that brought next to nothing: not who has bytes that were not read yet. */
static void
who_holds_memory_and_brings_nothing_gives_way(void **state)
{
	struct fake_client *busy = begin(0, "/up"), *silent = begin(1, "/up");
	size_t taken;

	(void)state;
	fake_send_text(busy, PART "hello");
	fake_send_text(silent, PART "hello");
	busy->unread = 1;
	taken = take_all_chunks();
	assert_answer(silent, 408, "memory is short");
	assert_int_equal(busy->status, 0);
	pool_unreserve(fake_world->pool, taken, POOL_STREAM);
}

/* -- turns --------------------------------------------------------------------------------------------------- */

static void
read_once(void)
{
	intake_before_reading(fake_world->intake);
	intake_after_reading(fake_world->intake);
}

static struct fake_client *
begin_fast(size_t i)
{
	struct fake_client *client = begin(i, "/up");

	client->due = true;
	fake_send_text(client, PART);
	assert_int_equal(client->n_pauses, 0); /* whoever sends little is never made to wait */
	return client;
}

static void
fast_clients_take_turns(void **state)
{
	struct fake_client *first = begin_fast(0), *second = begin_fast(1);

	(void)state;
	assert_int_equal(fake_show(first, filler, first->piece), first->piece);
	assert_int_equal(fake_show(second, filler, second->piece), second->piece);
	assert_false(first->is_paused);
	assert_true(second->is_paused);
	read_once();
	assert_true(second->is_paused); /* the turn was used */
	read_once();
	assert_false(second->is_paused);
	assert_int_equal(fake_show(first, filler, first->piece), first->piece);
	assert_true(first->is_paused);
	fake_leave(second);
	read_once();
	assert_false(first->is_paused);
}

/* The loop would sleep, and nobody would be read. */
static void
a_turn_passes_on_from_whom_nothing_has_come(void **state)
{
	struct fake_client *first = begin_fast(0), *second = begin_fast(1);

	(void)state;
	fake_show(first, filler, first->piece);
	fake_show(second, filler, second->piece);
	first->due = false;
	read_once();
	assert_false(second->is_paused);
}

/* -- deadlines ------------------------------------------------------------------------------------------------- */

static void
a_silent_client_is_told_408(void **state)
{
	struct fake_client *client = begin(0, "/up");

	(void)state;
	fake_send_text(client, PART);
	assert_answer(client, 408, "client.timeout.idle");
}

static void
a_request_may_not_take_for_ever(void **state)
{
	struct fake_client *client = begin(0, "/up");

	(void)state;
	fake_send_text(client, PART);
	assert_answer(client, 408, "client.timeout.total");
}

/* An answer may be read for as long as a client may be idle, and not for ever. */
static void
who_does_not_read_its_answer_is_closed(void **state)
{
	struct fake_client *client = &clients[0];

	(void)state;
	fake_client(client, "/elsewhere", NULL);
	client->lines[2] = (struct fake_line){ 0 }; /* no body */
	assert_true(fake_begin(client));
	assert_int_equal(client->status, 404);
	assert_false(client->is_early);
	fake_until(fake_is_shut, client);
}

/* -- the end --------------------------------------------------------------------------------------------------- */

static void
abort_gives_up_what_runs(void **state)
{
	struct fake_client *running = begin(0, "/up"), *answered = &clients[1];

	(void)state;
	fake_send_text(running, PART);
	fake_send(running, filler, sizeof filler);
	fake_client(answered, "/elsewhere", NULL);
	answered->is_slow_reader = true;
	assert_true(fake_begin(answered));
	assert_int_equal(answered->status, 404);
	intake_drain(fake_world->intake);
	intake_abort(fake_world->intake);
	assert_true(answered->is_shut);
	fake_until(fake_is_shut, running);
	assert_answer(running, 503, "shutting down");
}

/* It has nothing more to say, and may still read: but who looks at the socket would take it for one that has left. */
static void
who_has_hung_up_behind_its_form_is_answered_at_once(void **state)
{
	struct fake_client *client = begin(0, "/up");

	(void)state;
	fake_send_text(client, PART);
	fake_send(client, filler, sizeof filler);
	fake_send_text(client, END);
	client->hung_up = true;
	assert_true(request_end(client->request));
	assert_true(client->is_paused);
	fake_until(fake_is_answered, client);
	assert_int_equal(client->status, 201);
	assert_true(client->is_early);
	assert_false(client->is_paused);
	assert_false(request_end(client->request));
}

static void
a_request_goes_on_by_the_table_that_it_began_with(void **state)
{
	struct fake_client *old = begin(0, "/up"), *new = &clients[1];
	struct error err = { 0 };
	struct table *next = table_new(
		routes_of("version: 1\ndestinations: { d: { type: discard } }\n"
			  "routes: [ { id: other, match: { path: /other },"
			  " fields: [ { name: f, store: { to: d, key: \"{uuid}\" } } ] } ]\n"),
		NULL, &sinks_opener, NULL, &err);

	(void)state;
	assert_non_null(next);
	intake_set_table(fake_world->intake, next);
	assert_ptr_equal(intake_config(fake_world->intake), next->config);
	finish(old);
	fake_client(new, "/up", NULL);
	assert_true(fake_begin(new));
	assert_int_equal(new->status, 404);
}

#define TEST(world, name) cmocka_unit_test_setup_teardown(name, world, fake_world_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(patient, who_needs_memory_waits_before_its_body),
		TEST(patient, who_needs_none_does_not_wait),
		TEST(patient, nobody_overtakes),
		TEST(patient, its_client_may_leave_meanwhile),
		TEST(patient, a_hangup_ends_the_waiting_if_the_form_cannot_be_whole),
		TEST(impatient, waiting_for_memory_ends),
		TEST(patient, a_drain_ends_the_waiting),
		TEST(patient, who_finds_no_chunk_goes_on_when_one_is_back),
		TEST(patient, a_chunk_that_is_back_wakes_one_of_those_who_wait),
		TEST(patient, a_hangup_while_paused_gives_up_what_cannot_be_whole),
		TEST(patient, who_holds_memory_and_brings_nothing_gives_way),
		TEST(patient, fast_clients_take_turns),
		TEST(patient, a_turn_passes_on_from_whom_nothing_has_come),
		TEST(impatient, a_silent_client_is_told_408),
		TEST(bounded, a_request_may_not_take_for_ever),
		TEST(impatient, who_does_not_read_its_answer_is_closed),
		TEST(patient, abort_gives_up_what_runs),
		TEST(patient, who_has_hung_up_behind_its_form_is_answered_at_once),
		TEST(patient, a_request_goes_on_by_the_table_that_it_began_with),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
