// SPDX-License-Identifier: MIT
/* test_settle_notice.c - an application hears of each form that does not stand, and is asked about each of which it alone knows, until
 * it has answered: against one that answers as each case says. */
#include "base/mem.h"
#include "lib/endpoint.h"
#include "lib/folder.h"
#include "lib/routes.h"
#include "sink/app/sign.h"
#include "sink/settle.h"
#include "sink/sinks.h"
#include "sink/upload.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define WAIT_MS 30000u
#define SILENCE 0u

/* -- the application, and the store beside it --------------------------------------------------------------- */

struct heard {
	char what[64]; /* "POST /failed" */
	char request[2048];
};

static struct {
	pthread_mutex_t lock;
	const unsigned *says; /* to one question after the other; the last one again and again */
	size_t n_says, n_heard, n_deleted;
	struct heard heard[32];
	char deleted[64];
} app = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
hear(const char *request)
{
	struct heard *heard = &app.heard[app.n_heard++];

	assert_true(app.n_heard < sizeof app.heard / sizeof app.heard[0]);
	snprintf(heard->what, sizeof heard->what, "%.*s", (int)(strstr(request, " HTTP/") - request), request);
	snprintf(heard->request, sizeof heard->request, "%s", request);
}

static void
on_request(void *arg, const char *request, struct buf *answer)
{
	unsigned status;

	(void)arg;
	pthread_mutex_lock(&app.lock);
	if (strncmp(request, "DELETE ", 7) == 0) {
		app.n_deleted++;
		snprintf(app.deleted, sizeof app.deleted, "%.*s", (int)strcspn(request + 7, " "), request + 7);
		status = 204;
	} else {
		hear(request);
		status = app.says[app.n_heard <= app.n_says ? app.n_heard - 1 : app.n_says - 1];
	}
	pthread_mutex_unlock(&app.lock);
	if (status != SILENCE)
		endpoint_say(answer, status, "");
}

static size_t
n_heard(void)
{
	size_t n;

	pthread_mutex_lock(&app.lock);
	n = app.n_heard;
	pthread_mutex_unlock(&app.lock);
	return n;
}

static size_t
n_deleted(void)
{
	size_t n;

	pthread_mutex_lock(&app.lock);
	n = app.n_deleted;
	pthread_mutex_unlock(&app.lock);
	return n;
}

/* -- the world --------------------------------------------------------------------------------------------- */

static int folder;
static char path[64];
static struct endpoint *endpoint;
static struct pool *pool;
static struct state *state;
static struct settle *settle;
static struct table *table;
static struct metrics metrics;
static struct timer look;
static bool (*is_over)(void);
static uint64_t until_ms;
static unsigned n_tables;

static const char *patience = "20s"; /* how long an answer is waited for; less where the application is silent */

static struct table *
table_of(const char *destination, const char *route, const char *key, const char *resolve)
{
	struct buf text = { 0 };
	struct error err = { 0 };
	struct table *made;

	buf_addf(&text,
		"version: 1\nstate: state\ndestinations:\n"
		"  %s: { type: http, url: \"%s/app\", timeout: { connect: %s } }\n"
		"  store: { type: http, url: \"%s\", undo: DELETE, timeout: { total: 300ms } }\n"
		"routes: [ { id: %s, match: { path: / }, fields: [ { name: f, kind: file, store: { to: store, path: \"/{uuid}\" } } ],\n"
		"  app: { to: %s, sign: { key: %s }, failed: { path: /failed }, timeout: %s%s } } ]\n",
		destination, endpoint_url(endpoint), patience, endpoint_url(endpoint), route, destination, key,
		patience, resolve);
	made = table_new(routes_of(buf_str(&text).data), NULL, &sinks_opener, NULL, &err);
	buf_free(&text);
	assert_non_null(made);
	return made;
}

static void
open_state(void)
{
	struct error err = { 0 };

	state = state_open(path, &err);
	assert_non_null(state);
}

static int
set_up(void **unused)
{
	struct error err = { 0 };

	(void)unused;
	folder = folder_make();
	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	app.n_heard = app.n_deleted = n_tables = 0;
	endpoint = endpoint_start(on_request, NULL);
	pool = pool_new(4 << 20, &err);
	assert_true(upload_setup(&err));
	table = table_of("app", "route", "one", "");
	open_state();
	return folder >= 0 && endpoint != NULL && pool != NULL ? 0 : -1;
}

static int
set_up_for_silence(void **unused)
{
	patience = "2s";
	return set_up(unused);
}

static void
close_all(void)
{
	settle_free(settle);
	state_free(state);
	settle = NULL;
	state = NULL;
}

static int
tear_down(void **unused)
{
	(void)unused;
	close_all();
	endpoint_stop(endpoint);
	patience = "20s";
	table_release(table);
	pool_free(pool);
	upload_teardown();
	return folder_remove(folder);
}

static void
on_table(void *arg)
{
	(void)arg;
	n_tables++;
}

static void
begin(void)
{
	struct settle_setup setup = {
		.state = state, .table = table, .pool = pool, .metrics = &metrics, .on_table = on_table
	};
	struct error err = { 0 };

	settle = settle_new(&setup, &err);
	assert_string_equal(err.message, "");
	assert_non_null(settle);
}

static void
on_look(struct timer *timer)
{
	struct loop *loop = state_loop(state);

	assert_true(loop_now_ms(loop) < until_ms);
	if (is_over())
		loop_stop(loop);
	else
		loop_set_timer(loop, timer, clock_after(loop_now_ms(loop), 5));
}

/* Lets its thread's loop turn until then. */
static void
turn_until(bool (*over)(void))
{
	is_over = over;
	until_ms = clock_after(clock_now_ms(), WAIT_MS);
	look.fire = on_look;
	loop_set_timer(state_loop(state), &look, 0);
	loop_run(state_loop(state));
}

static bool
nothing_is_owed(void)
{
	return state_owed(state) == 0;
}

static bool
one_is_heard(void)
{
	return n_heard() > 0;
}

static bool
two_are_heard(void)
{
	return n_heard() > 1;
}

static bool
one_is_deleted(void)
{
	return n_deleted() > 0;
}

static bool
table_is_taken(void)
{
	return n_tables > 0;
}

/* What a process has left that died: notes behind an intent of one object in the store. */
static void
put_dead(char when, const char *resolve, const char *notes)
{
	const struct destination *store = &table->config->destinations[1];
	const struct record_app whose = { "app", "route", "id-1", "/failed?a=1", resolve, when };
	int dir = open(path, O_RDONLY | O_DIRECTORY),
	    fd = openat(dir, "penstock-dead.journal", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct buf text = { 0 }, payload = { 0 };

	record_begin(&payload, ID, &whose);
	record_add(
		&payload, &(struct record_object){ store->name, store->at, "/an-object", RECORD_BACK_ASK, NULL });
	buf_add_text(&text, RECORD_FORMAT);
	record_write(&text, buf_str(&payload));
	for (; *notes != '\0'; notes++)
		record_write_note(&text, (enum record_kind) * notes, ID);
	assert_true(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
	buf_free(&payload);
	buf_free(&text);
	close(fd);
	close(dir);
	close_all();
	open_state();
}

static void
let_it_say(const unsigned *says, size_t n)
{
	app.says = says;
	app.n_says = n;
}

/* -- what the application hears ----------------------------------------------------------------------------- */

static void
find_line(const char *request, const char *name, char *out, size_t size)
{
	const char *line = strstr(request, name);

	assert_non_null(line);
	line += strlen(name);
	snprintf(out, size, "%.*s", (int)strcspn(line, "\r"), line);
}

static void
expect_signed(const struct heard *heard, const char *purpose, const char *target, const char *key)
{
	struct sign sign = { .keys = { (char *)(uintptr_t)key } };
	struct buf expected = { 0 };
	struct error err = { 0 };
	char said[256];

	find_line(heard->request, "Penstock-Signature: ", said, sizeof said);
	assert_memory_equal(said, "t=", 2);
	assert_true(app_sign(&sign,
		&(struct app_signed){ .purpose = purpose,
			.now_s = strtoll(said + 2, NULL, 10),
			.method = "POST",
			.target = str_of(target),
			.request_id = "id-1" },
		&expected, &err));
	assert_string_equal(said, expected.data);
	buf_free(&expected);
}

static void
expect_heard(size_t i, const char *purpose, const char *target, const char *key)
{
	const struct heard *heard = &app.heard[i];
	char what[64], line[64];

	snprintf(what, sizeof what, "POST %s", target);
	assert_string_equal(heard->what, what);
	find_line(heard->request, "X-Request-Id: ", line, sizeof line);
	assert_string_equal(line, "id-1");
	find_line(heard->request, "X-Penstock-Route: ", line, sizeof line);
	assert_string_equal(line, "route");
	find_line(heard->request, "Content-Length: ", line, sizeof line);
	assert_string_equal(line, "0");
	expect_signed(heard, purpose, target, key);
}

static void
a_form_that_does_not_stand_is_told(void **unused)
{
	static const unsigned yes[] = { 204 };

	(void)unused;
	let_it_say(yes, 1);
	put_dead(RECORD_COMMITTED, NULL, "AF");
	begin();
	turn_until(nothing_is_owed);
	assert_int_equal(n_heard(), 1);
	expect_heard(0, "failed", "/app/failed?a=1", "one");
	turn_until(one_is_deleted);
	assert_string_equal(app.deleted, "/an-object");
	assert_true(settle_is_good(settle, &(struct buf){ 0 }));
}

/* Also of a form that was held when it was killed after the question: nobody else says so. */
static void
one_that_was_asked_about_what_was_held_is_told(void **unused)
{
	static const unsigned yes[] = { 200 };

	(void)unused;
	let_it_say(yes, 1);
	put_dead(RECORD_HELD, "/resolve", "A");
	begin();
	turn_until(nothing_is_owed);
	assert_int_equal(n_heard(), 1);
	expect_heard(0, "failed", "/app/failed?a=1", "one");
}

static void
one_that_does_not_answer_so_is_told_again(void **unused)
{
	static const unsigned rows[][3] = { { 500, 404, 200 }, { SILENCE, 302, 299 } };

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		app.n_heard = 0;
		let_it_say(rows[i], 3);
		put_dead(RECORD_COMMITTED, NULL, "AF");
		begin();
		turn_until(nothing_is_owed);
		assert_int_equal(n_heard(), 3);
		for (size_t k = 0; k < 3; k++)
			expect_heard(k, "failed", "/app/failed?a=1", "one");
	}
}

static void
what_was_not_answered_is_told_by_the_next_process(void **unused)
{
	static const unsigned no[] = { 503 }, yes[] = { 200 };

	(void)unused;
	let_it_say(no, 1);
	put_dead(RECORD_COMMITTED, NULL, "AF");
	begin();
	turn_until(one_is_heard);
	close_all();
	let_it_say(yes, 1);
	app.n_heard = 0;
	open_state();
	assert_int_equal(state_owed(state), 1);
	begin();
	turn_until(nothing_is_owed);
	close_all();
	open_state();
	assert_int_equal(state_owed(state), 0);
}

/* -- what it is asked --------------------------------------------------------------------------------------- */

static void
what_stands_is_the_application_s_to_say(void **unused)
{
	static const unsigned rows[][2] = { { 200, 200 }, { 404, 404 }, { 500, 204 }, { SILENCE, 404 },
		{ 403, 200 } };

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool stands = rows[i][1] != 404, at_once = rows[i][0] == rows[i][1];

		app.n_heard = app.n_deleted = 0;
		let_it_say(rows[i], 2);
		put_dead(RECORD_COMMITTED, "/resolve/id-1", "A");
		begin();
		if (!at_once) {
			turn_until(one_is_heard);
			assert_int_equal(state_fate(state, ID), STATE_OPEN);
			assert_int_equal(state_owed(state), 1);
		}
		turn_until(nothing_is_owed);
		assert_int_equal(n_heard(), at_once ? 1 : 2);
		expect_heard(0, "resolve", "/app/resolve/id-1", "one");
		if (!stands)
			turn_until(one_is_deleted);
		assert_int_equal(n_deleted() > 0, !stands);
		assert_int_equal(state_unsettled(state), !stands); /* which is watched for a while */
	}
}

static void
where_nothing_says_where_to_ask_nothing_is_deleted(void **unused)
{
	static const unsigned yes[] = { 200 };

	(void)unused;
	let_it_say(yes, 1);
	put_dead(RECORD_COMMITTED, NULL, "A");
	begin();
	settle_set_table(settle, table_acquire(table));
	turn_until(table_is_taken);
	assert_int_equal(n_heard() + n_deleted(), 0);
	assert_int_equal(state_owed(state), 1);
	assert_int_equal(state_unsettled(state), 1);
	assert_true(settle_is_good(settle, &(struct buf){ 0 }));
	/* A path that is the same for all forms may be said later. */
	settle_set_table(settle, table_of("app", "route", "two", ", resolve: { path: /resolve }"));
	turn_until(nothing_is_owed);
	expect_heard(0, "resolve", "/app/resolve", "two");
}

/* -- the table in force ------------------------------------------------------------------------------------- */

static void
who_is_gone_from_the_route_file_is_told_when_he_is_back(void **unused)
{
	static const unsigned yes[] = { 200 };

	(void)unused;
	let_it_say(yes, 1);
	for (int i = 0; i < 2; i++) {
		app.n_heard = n_tables = 0;
		put_dead(RECORD_COMMITTED, NULL, "AF");
		table_release(table);
		table = table_of(i == 0 ? "moved" : "app", i == 0 ? "route" : "moved", "one", "");
		begin();
		settle_set_table(settle, table_acquire(table));
		turn_until(table_is_taken);
		assert_int_equal(n_heard(), 0);
		assert_int_equal(state_owed(state), 1);
		settle_set_table(settle, table_of("app", "route", "two", ""));
		turn_until(nothing_is_owed);
		expect_heard(0, "failed", "/app/failed?a=1", "two");
		close_all();
		open_state();
		table_release(table);
		table = table_of("app", "route", "one", "");
	}
}

/* -- this process ------------------------------------------------------------------------------------------- */

static struct loop *maker;

static void
on_answer(void *arg, const struct error *err)
{
	(void)arg;
	assert_null(err);
}

static bool
is_told(void)
{
	loop_deliver_rest(maker);
	return true;
}

static void
a_form_of_this_process_is_told_at_once(void **unused)
{
	static const struct record_app whose = { "app", "route", "id-1", "/failed?a=1", NULL, RECORD_HELD };
	static const unsigned says[] = { 500, 200 };
	struct error err = { 0 };
	struct state_entry *entry;

	(void)unused;
	let_it_say(says, 2);
	maker = loop_new(&err);
	begin();
	entry = state_entry_new(state, loop_mailbox(maker), on_answer, NULL);
	state_entry_set_app(entry, &whose);
	assert_true(state_entry_tell_asked(entry));
	turn_until(is_told);
	turn_until(is_told);
	state_entry_owe(entry, false);
	state_entry_release(entry);
	turn_until(two_are_heard);
	turn_until(nothing_is_owed);
	expect_heard(1, "failed", "/app/failed?a=1", "one");
	loop_free(maker);
}

/* -- what goes wrong ---------------------------------------------------------------------------------------- */

static void
an_end_in_the_middle_of_a_question_leaves_it_to_the_next(void **unused)
{
	static const unsigned silence[] = { SILENCE };

	(void)unused;
	let_it_say(silence, 1);
	put_dead(RECORD_COMMITTED, NULL, "AF");
	begin();
	turn_until(one_is_heard);
	close_all(); /* without a word to anybody */
	open_state();
	assert_int_equal(state_owed(state), 1);
}

static void
without_memory_it_is_told_later(void **unused)
{
	static const unsigned yes[] = { 200 };
	bool was_over = false;

	(void)unused;
	let_it_say(yes, 1);
	for (size_t nth = 1; !was_over && nth < 12; nth++) {
		struct settle_setup setup = { .table = table, .pool = pool, .metrics = &metrics };
		struct error err = { 0 };

		app.n_heard = 0;
		put_dead(RECORD_COMMITTED, NULL, "AF");
		setup.state = state;
		mem_fail(nth, 1);
		settle = settle_new(&setup, &err);
		was_over = mem_fail(0, 0) < nth;
		if (settle == NULL) {
			assert_int_equal(err.kind, ERR_NOMEM);
			assert_int_equal(state_owed(state), 1);
			continue;
		}
		turn_until(nothing_is_owed);
	}
	assert_true(was_over);
}

int
main(void)
{
#define CASE(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_form_that_does_not_stand_is_told, set_up),
		CASE(one_that_was_asked_about_what_was_held_is_told, set_up),
		CASE(one_that_does_not_answer_so_is_told_again, set_up_for_silence),
		CASE(what_was_not_answered_is_told_by_the_next_process, set_up),
		CASE(what_stands_is_the_application_s_to_say, set_up_for_silence),
		CASE(where_nothing_says_where_to_ask_nothing_is_deleted, set_up),
		CASE(who_is_gone_from_the_route_file_is_told_when_he_is_back, set_up),
		CASE(a_form_of_this_process_is_told_at_once, set_up),
		CASE(an_end_in_the_middle_of_a_question_leaves_it_to_the_next, set_up),
		CASE(without_memory_it_is_told_later, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
