// SPDX-License-Identifier: MIT
/* test_hand.c - a form of which an application is told: whatever it says or does not say, and whatever ends the request meanwhile,
 * the form stands or is gone as the table in sidecar/sink/app/README.md has it, the client and the journal hear the same, and nothing is left. */
#include "lib/fake_client.h"

#include "base/log.h"
#include "base/mem.h"
#include "lib/check.h"
#include "lib/fake_store.h"
#include "lib/folder.h"
#include "request/room_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define ROUTE(name, more, app)                                                                                                        \
	"  - id: " name "\n"                                                                                                          \
	"    match: { path: /" name " }\n" more                                                                                       \
	"    fields: [ { name: t, kind: value, forward: true }, { name: f, kind: file, store: { to: store, path: \"/{uuid}\" } } ]\n" \
	"    app: { to: app, sign: none, failed: { path: /failed }, timeout: 1h" app " }\n"                                           \
	"    response: { from: app }\n"
#define ROUTES                                                                                                     \
	"version: 1\nmemory: 4MiB\nstate: /tmp\n"                                                                  \
	"destinations:\n"                                                                                          \
	"  store: { type: http, url: \"http://127.0.0.1:1/s\", undo: DELETE }\n"                                   \
	"  app: { type: http, url: \"http://127.0.0.1:1/in\" }\n"                                                  \
	"routes:\n" ROUTE("committed", "", "") ROUTE("held", "", ", when: held")                                   \
		ROUTE("keeps", "", ", undo_on: none") ROUTE("each", "    commit: each\n", ", undo_on: none")
#define VALUE "--B\r\nContent-Disposition: form-data; name=t\r\n\r\nA & B\r\n"
#define PART "--B\r\nContent-Disposition: form-data; name=f; filename=a.txt\r\n\r\n"
#define END "\r\n--B--\r\n"

enum way { COMMITTED, HELD, KEEPS, EACH, N_WAYS };
static const char *const targets[] = { "/committed", "/held", "/keeps", "/each" };

static int folder;
static struct fake_client client;

static void
begin(enum way way)
{
	struct error err = { 0 };
	char path[64];

	folder = folder_make();
	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	*fake_store = (struct fake_store){ 0 };
	fake_world_start_with(ROUTES, 4 << 20, state_open(path, &err));
	assert_non_null(fake_world->state);
	fake_world->sink = &fake_store_sink;
	fake_client(&client, targets[way], NULL);
	assert_true(fake_begin(&client));
}

static void
end(size_t owed)
{
	struct state *state = fake_world->state;

	fake_world_stop();
	fake_turn_state();
	assert_null(fake_world->asked);
	assert_int_equal(state_owed(state), owed);
	if (owed > 0)
		state_owed_told(state, state_take_owed(state));
	fake_turn_state();
	state_free(state);
	folder_remove(folder);
}

static size_t
counted(enum metric metric)
{
	return counter_read(&fake_world->metrics.n[metric]);
}

/* -- how far it comes ----------------------------------------------------------------------------------- */

static void
send_small(void)
{
	fake_send_text(&client, VALUE PART "hello" END);
}

/* More than is kept: it streams. */
static void
send_large(void)
{
	static char data[64 * 1024];

	memset(data, 'x', sizeof data);
	fake_send_text(&client, VALUE PART);
	for (int i = 0; i < 8; i++)
		fake_send(&client, data, sizeof data);
	fake_send_text(&client, END);
}

static void
turns_without_journal(void)
{
	for (int i = 0; i < 10; i++)
		fake_turn();
}

static void
turns(void)
{
	for (int i = 0; i < 10; i++) {
		fake_turn();
		fake_turn_state();
	}
}

static enum hand_state
hand(void)
{
	return client.request->hand.state;
}

static void
end_body(void)
{
	client.is_closed = !request_end(client.request);
	assert_int_equal(client.status, 0);
	assert_true(client.is_paused);
}

/* The body is whole; the application has it, unless the hand stops before. */
static void
go_to(enum hand_state state)
{
	fake_store->owes_words = state == HAND_READY;
	end_body();
	for (int i = 0; i < 10 && hand() < HAND_TELLING; i++) {
		fake_turn_state();
		fake_turn();
	}
	if (state > HAND_TELLING)
		turns();
	if (state == HAND_YES) {
		fake_store->owes_words = true;
		fake_answer(204, NULL, "");
		turns_without_journal();
	}
	assert_int_equal(hand(), state);
	assert_int_equal(fake_world->asked != NULL, state == HAND_ASKED);
}

/* It settles, and its client, if there still is one, reads the answer. */
static void
settle(void)
{
	fake_store_speak();
	turns();
	if (client.request == NULL)
		return;
	assert_false(client.is_paused);
	fake_end(&client);
	assert_int_not_equal(client.status, 0);
}

static void
expect(size_t there, unsigned status)
{
	settle();
	assert_int_equal(fake_store->n_there, there);
	assert_int_equal(client.status, status);
	fake_leave(&client);
}

/* -- each way of the table ------------------------------------------------------------------------------ */

struct row {
	const char *name;
	unsigned status; /* 0: there is no answer, for `error` */
	enum error_kind error;
	bool has_arrived;
	bool stands[N_WAYS];
	unsigned to_client;
	bool owed;
	enum metric counted;
};

#define GONE_OR_KEPT                                                                                               \
	{                                                                                                          \
		false, false, true, true                                                                           \
	}
#define STANDS                                                                                                     \
	{                                                                                                          \
		true, true, true, true                                                                             \
	}

static const struct row rows[] = {
	{ "yes", 200, ERR_NONE, true, STANDS, 200, false, METRIC_HANDOVERS_YES },
	{ "yes, elsewhere", 303, ERR_NONE, true, STANDS, 303, false, METRIC_HANDOVERS_YES },
	{ "no", 422, ERR_NONE, true, GONE_OR_KEPT, 422, false, METRIC_HANDOVERS_NO },
	{ "no, failed", 500, ERR_NONE, true, GONE_OR_KEPT, 500, false, METRIC_HANDOVERS_NO },
	{ "unreachable", 0, ERR_UPSTREAM, false, GONE_OR_KEPT, 502, false, METRIC_HANDOVERS_FAILED },
	{ "silent", 0, ERR_UPSTREAM_TIMEOUT, true, GONE_OR_KEPT, 504, true, METRIC_HANDOVERS_LATE },
	{ "broken", 0, ERR_UPSTREAM, true, GONE_OR_KEPT, 502, true, METRIC_HANDOVERS_FAILED },
	{ "too much for our memory", 0, ERR_BUSY, true, GONE_OR_KEPT, 503, true, METRIC_HANDOVERS_FAILED },
};

static void
play_answer(const struct row *row)
{
	if (row->status != 0)
		fake_answer(row->status, NULL, "its words");
	else
		fake_answer_not(row->error, row->has_arrived);
}

static void
check_row(const struct row *row, enum way way, bool is_large, bool leaves)
{
	bool stands = row->stands[way];

	begin(way);
	is_large ? send_large() : send_small();
	go_to(HAND_ASKED);
	assert_int_equal(fake_store->n_made, way != HELD);
	assert_string_equal(fake_world->asked->question->purpose, "form");
	assert_string_equal(fake_world->asked->question->target, targets[way]);
	assert_non_null(strstr(fake_world->asked->question->body.data, "t=A+%26+B&f="));
	if (leaves)
		fake_leave(&client);
	play_answer(row);
	settle();
	if (fake_store->n_there != stands || client.status != (leaves ? 0 : row->to_client))
		fail_msg(
			"%s %s: there %zu, status %u", targets[way], row->name, fake_store->n_there, client.status);
	if (!leaves && row->status != 0)
		assert_string_equal(client.body.data, "its words");
	if (!leaves)
		fake_leave(&client);
	assert_int_equal(counted(row->counted), 1);
	assert_int_equal(counted(METRIC_FORMS_TAKEN_BACK), way == COMMITTED && !stands);
	end(row->owed && !stands);
}

static void
each_answer_does_what_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int way = 0; way < N_WAYS; way++) {
			check_row(&rows[i], (enum way)way, false, false);
			check_row(&rows[i], (enum way)way, true, false);
		}
}

static void
a_client_that_leaves_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int way = 0; way < N_WAYS; way++)
			check_row(&rows[i], (enum way)way, false, true);
}

/* -- what ends it meanwhile ------------------------------------------------------------------------------- */

static void
let_time_pass(void)
{
	struct deadlines *deadlines = &client.request->deadlines;

	deadlines->total_at_ms = 1;
	loop_set_timer(fake_world->loop, &deadlines->timer, 1);
}

static bool
has_failed(const void *unused)
{
	(void)unused;
	return error_is_set(&client.request->error);
}

/* Does the form stand, and is the application owed word of it. */
static bool
stands_after_cut(enum way way, enum hand_state at)
{
	if (way == KEEPS) /* the journal is told that nothing takes it back before the application is asked */
		return at > HAND_READY;
	return at == HAND_YES && way == COMMITTED; /* its end is being written */
}

static void
check_cut(enum way way, enum hand_state at, bool by_time)
{
	bool stands = stands_after_cut(way, at);

	begin(way);
	send_large();
	go_to(at);
	if (by_time) {
		let_time_pass();
		fake_until(has_failed, NULL);
	} else {
		intake_drain(fake_world->intake);
		assert_int_equal(hand(), at);
		intake_abort(fake_world->intake);
	}
	assert_null(fake_world->asked);
	settle();
	if (fake_store->n_there != stands || client.status != (by_time ? 408 : 503))
		fail_msg("%s, cut at %d: there %zu, status %u", targets[way], at, fake_store->n_there,
			client.status);
	fake_leave(&client);
	assert_int_equal(counted(METRIC_HANDOVERS_STOPPED), at == HAND_ASKED);
	assert_int_equal(counted(METRIC_FORMS_TAKEN_BACK), way == COMMITTED && at == HAND_ASKED);
	end(at >= HAND_ASKED && !stands);
}

static void
an_end_in_each_state_is_that_of_the_table(void **state)
{
	(void)state;
	for (int way = 0; way < EACH; way++)
		for (int at = HAND_READY; at <= (way == KEEPS ? HAND_ASKED : HAND_YES); at++) {
			check_cut((enum way)way, (enum hand_state)at, true);
			check_cut((enum way)way, (enum hand_state)at, false);
		}
}

/* A drain that ends in time, and a client that has gone: it goes on to its end. */
static void
a_drain_lets_it_end(void **state)
{
	(void)state;
	for (int way = 0; way < EACH; way++)
		for (int at = HAND_READY; at <= HAND_YES; at++)
			for (int leaves = 0; leaves < 2; leaves++) {
				begin((enum way)way);
				send_large();
				go_to((enum hand_state)at);
				intake_drain(fake_world->intake);
				if (leaves)
					fake_leave(&client);
				fake_store_speak();
				turns();
				if (at < HAND_YES)
					fake_answer(204, NULL, "");
				if (leaves)
					turns();
				else
					expect(1, 204);
				assert_int_equal(fake_store->n_there, 1);
				end(0);
			}
}

/* -- what fails ------------------------------------------------------------------------------------------- */

static void
a_store_that_fails_after_the_yes_is_owed(void **state)
{
	(void)state;
	for (int is_large = 0; is_large < 2; is_large++) {
		begin(HELD);
		is_large ? send_large() : send_small();
		go_to(HAND_ASKED);
		fake_store->refuses = true;
		fake_answer(303, NULL, "its words");
		expect(0, 502);
		end(1);
	}
}

/* It is asked, and may say yes: so it has to hear that there is nothing. */
static void
a_store_that_fails_while_it_is_asked_ends_the_question(void **state)
{
	(void)state;
	for (int leaves = 0; leaves < 2; leaves++) {
		begin(HELD);
		send_large();
		go_to(HAND_ASKED);
		fake_store_break();
		if (leaves)
			fake_leave(&client);
		turns();
		assert_null(fake_world->asked);
		if (!leaves)
			expect(0, 502);
		end(1);
	}
}

static void
a_store_that_fails_before_lets_nothing_be_asked(void **state)
{
	(void)state;
	for (int way = 0; way < EACH; way++) {
		begin((enum way)way);
		send_large();
		go_to(HAND_READY);
		fake_store_break();
		turns();
		assert_null(fake_world->asked);
		expect(0, 502);
		end(0);
	}
}

static void
a_journal_that_cannot_be_written_lets_nothing_be_asked(void **state)
{
	(void)state;
	for (int way = 0; way < EACH; way++) {
		begin((enum way)way);
		send_small();
		go_to(HAND_TELLING);
		folder_limit_files(20);
		turns();
		folder_limit_files(RLIM_INFINITY);
		assert_null(fake_world->asked);
		expect(0, 507);
		assert_int_equal(counted(METRIC_FORMS_TAKEN_BACK), 0);
		end(0);
	}
}

/* Of one that takes nothing back the journal has said by then that it stands. */
static void
a_question_without_memory_is_an_application_out_of_reach(void **state)
{
	(void)state;
	for (int way = 0; way < N_WAYS; way++) {
		begin((enum way)way);
		send_small();
		fake_world->is_deaf = true;
		end_body();
		expect(way >= KEEPS, 503);
		assert_int_equal(counted(METRIC_FORMS_TAKEN_BACK), 0);
		end(0);
	}
}

/* From the end of the body to the answer. True: the n-th allocation was not reached. */
static bool
play_without_memory(enum way way, bool is_large, size_t nth)
{
	bool is_over, stands;

	begin(way);
	is_large ? send_large() : send_small();
	mem_fail(nth, 1);
	client.is_closed = !request_end(client.request);
	turns();
	if (fake_world->asked != NULL)
		fake_answer(204, NULL, "");
	settle();
	is_over = mem_fail(0, 0) < nth;
	stands = fake_store->n_there == 1;
	if (client.status != 204 && client.status != 503)
		fail_msg("%s: allocation %zu: status %u", targets[way], nth, client.status);
	if (way < EACH && stands != (client.status == 204))
		fail_msg("%s: allocation %zu: status %u, and there are %zu", targets[way], nth, client.status,
			fake_store->n_there);
	fake_leave(&client);
	end(client.status != 204 && counted(METRIC_HANDOVERS_YES) > 0);
	return is_over;
}

static void
each_allocation_may_fail(void **state)
{
	(void)state;
	for (int way = 0; way < N_WAYS; way++)
		for (int is_large = 0; is_large < 2; is_large++)
			for (size_t nth = 1; !play_without_memory((enum way)way, is_large, nth); nth++)
				continue;
}

/* A value of 15,000 bytes that are %01 each needs two chunks, and what it did not need of them comes back. */
static bool
is_told_with(size_t chunks)
{
	static char value[15000];
	struct pool *pool = fake_world->pool;
	struct chunk *held = NULL;
	bool is_told;

	memset(value, 1, sizeof value);
	fake_send_text(&client, "--B\r\nContent-Disposition: form-data; name=t\r\n\r\n");
	fake_send(&client, value, sizeof value);
	fake_send_text(&client, END);
	assert_true(pool_set_aside(pool, pool_keepable(pool) - chunks, &held));
	client.is_closed = !request_end(client.request);
	turns();
	is_told = fake_world->asked != NULL;
	if (is_told)
		fake_answer(204, NULL, "");
	turns();
	pool_take_back(pool, &held);
	fake_end(&client);
	assert_int_equal(client.status, is_told ? 204 : 503);
	assert_true(is_told || strstr(client.body.data, "no memory left to tell the application") != NULL);
	fake_leave(&client);
	return is_told;
}

static void
without_memory_for_its_body_nobody_is_told(void **unused)
{
	size_t chunks = 0;

	(void)unused;
	for (bool is_told = false; !is_told; chunks++) {
		begin(HELD);
		is_told = is_told_with(chunks);
		end(0);
	}
	assert_int_equal(chunks - 1, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_for_its_body_nobody_is_told),
		cmocka_unit_test(each_answer_does_what_the_table_says),
		cmocka_unit_test(a_client_that_leaves_changes_nothing),
		cmocka_unit_test(an_end_in_each_state_is_that_of_the_table),
		cmocka_unit_test(a_drain_lets_it_end),
		cmocka_unit_test(a_store_that_fails_after_the_yes_is_owed),
		cmocka_unit_test(a_store_that_fails_while_it_is_asked_ends_the_question),
		cmocka_unit_test(a_store_that_fails_before_lets_nothing_be_asked),
		cmocka_unit_test(a_journal_that_cannot_be_written_lets_nothing_be_asked),
		cmocka_unit_test(a_question_without_memory_is_an_application_out_of_reach),
		cmocka_unit_test(each_allocation_may_fail),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC)); /* a line for each request */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
