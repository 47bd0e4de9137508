// SPDX-License-Identifier: MIT
/* test_authorize.c - a request about which an application is asked: its client waits, and what the answer says happens; whatever ends
 * the request ends the question. */
#include "lib/fake_client.h"

#include "base/log.h"
#include "lib/routes.h"

#include <fcntl.h>
#include <string.h>

#define MEMORY (4 << 20)
#define ROUTES(head, timeout)                                                                                      \
	"version: 1\nmemory: 4MiB\n" head "destinations:\n"                                                        \
	"  none: { type: discard }\n"                                                                              \
	"  app: { type: http, url: \"http://127.0.0.1:1/in\" }\n"                                                  \
	"routes:\n"                                                                                                \
	"  - id: up\n"                                                                                             \
	"    match: { path: \"/up/*\" }\n"                                                                         \
	"    authorize: { to: app, path: \"/may/{path.1}?{query.q}\", method: POST, timeout: " timeout " }\n"      \
	"    limits: { concurrent: 1, parts: 2, body: 1MiB }\n"                                                    \
	"    fields: [ { name: f, store: { to: none, key: \"{grant.user}/{uuid}\" } } ]\n"
#define PART "--B\r\nContent-Disposition: form-data; name=f; filename=a.txt\r\n\r\nabc\r\n"
#define END "--B--\r\n"

static const char *const grant[] = { "Penstock-Grant-USER: 42", NULL };
static struct fake_client clients[4];

static int
set_up(void **state)
{
	(void)state;
	fake_world_start(ROUTES("", "1h"), MEMORY);
	return 0;
}

static int
set_up_narrow(void **state)
{
	(void)state;
	fake_world_start(ROUTES("client: { questions: 2, questions_each: 1 }\n", "1h"), MEMORY);
	return 0;
}

static int
set_up_short(void **state)
{
	(void)state;
	fake_world_start(ROUTES("client: { questions: 1 }\n", "20ms"), MEMORY);
	return 0;
}

/* No question may be left, either. */
static int
tear_down(void **state)
{
	(void)state;
	fake_world_stop();
	assert_null(fake_world->asked);
	return 0;
}

static struct fake_client *
begin_from(size_t i, const char *target, const char *length, const char *address)
{
	struct fake_client *client = &clients[i];

	fake_client(client, target, length);
	if (address != NULL)
		fake_add_line(client, "x-forwarded-for", address);
	assert_true(fake_begin(client));
	return client;
}

static struct fake_client *
begin(size_t i, const char *target)
{
	return begin_from(i, target, NULL, NULL);
}

/* What each turn of the loop does. */
static void
turn(void)
{
	intake_before_reading(fake_world->intake);
}

static void
go_on(struct fake_client *client)
{
	fake_until(fake_is_resumed, client);
	fake_show(client, "x", 1);
}

static void
send_form(struct fake_client *client, const char *text)
{
	fake_send_text(client, text);
	fake_end(client);
}

static void
a_yes_lets_in(void **state)
{
	struct fake_client *client = begin(0, "/up/x?q=%26");

	(void)state;
	assert_true(client->is_paused);
	assert_int_equal(client->status, 0);
	assert_string_equal(fake_world->asked->question->method, "POST");
	assert_string_equal(fake_world->asked->question->target, "/may/x?%26");
	assert_string_equal(fake_world->asked->question->purpose, "authorize");
	fake_answer(204, grant, "");
	assert_false(client->is_paused);
	send_form(client, PART END);
	assert_int_equal(client->status, 201);
	assert_non_null(strstr(client->body.data, "\"target\":\"42/"));
	fake_leave(client);
}

static void
a_no_is_the_answer(void **state)
{
	static const char *const lines[] = { "Location: /login", "Penstock-Grant-User: 42", NULL };
	struct fake_client *client = begin(0, "/up/x");

	(void)state;
	fake_answer(302, lines, "go");
	go_on(client);
	fake_until(fake_is_answered, client);
	assert_int_equal(client->status, 302);
	assert_string_equal(client->body.data, "go");
	fake_leave(client);
}

static void
no_answer_lets_nobody_in(void **state)
{
	static const struct {
		enum error_kind error;
		unsigned status;
	} rows[] = { { ERR_UPSTREAM, 502 }, { ERR_UPSTREAM_TIMEOUT, 504 }, { ERR_NOMEM, 503 }, { ERR_BUSY, 503 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fake_client *client = begin(0, "/up/x");

		fake_answer_not(rows[i].error, true);
		go_on(client);
		fake_until(fake_is_answered, client);
		assert_int_equal(client->status, rows[i].status);
		fake_leave(client);
	}
}

static size_t
counted(enum metric metric)
{
	return counter_read(&fake_world->metrics.n[metric]);
}

static void
each_question_is_counted_with_its_result(void **state)
{
	static const enum metric results[] = { METRIC_QUESTIONS_YES, METRIC_QUESTIONS_NO, METRIC_QUESTIONS_FAILED,
		METRIC_QUESTIONS_LATE, METRIC_QUESTIONS_STOPPED };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct fake_client *client = begin(0, "/up/x");

		assert_int_equal(counted(METRIC_QUESTIONS_ASKED), i + 1);
		assert_int_equal(counted(results[i]), 0);
		if (i < 2)
			fake_answer(i == 0 ? 200 : 403, grant, "");
		else if (i < 4)
			fake_answer_not(i == 2 ? ERR_UPSTREAM : ERR_UPSTREAM_TIMEOUT, true);
		fake_leave(client);
		for (size_t k = 0; k < 5; k++)
			assert_int_equal(counted(results[k]), k <= i);
	}
}

static void
a_question_without_memory_is_503(void **state)
{
	struct fake_client *client;

	(void)state;
	fake_world->is_deaf = true;
	client = begin(0, "/up/x");
	assert_int_equal(client->status, 503);
	fake_leave(client);
	fake_world->is_deaf = false;
}

static void
what_is_granted_must_be_there(void **state)
{
	struct fake_client *client = begin(0, "/up/x");

	(void)state;
	fake_answer(200, NULL, "");
	go_on(client);
	fake_until(fake_is_answered, client);
	assert_int_equal(client->status, 502);
	assert_non_null(strstr(client->body.data, "{grant.user}"));
	fake_leave(client);
}

/* A limit of the answer's, and the status of a form of one part (the length said beforehand, or not). */
static void
check_limit(const char *line, const char *length, unsigned status, const char *limit)
{
	const char *const lines[] = { grant[0], line, NULL };
	struct fake_client *client = begin_from(0, "/up/x", length, NULL);

	fake_answer(200, lines, "");
	if (length == NULL || status == 201)
		send_form(client, PART END);
	else
		go_on(client);
	fake_until(fake_is_answered, client);
	if (client->status != status)
		fail_msg("%s: %u", line, client->status);
	if (limit != NULL)
		assert_non_null(strstr(client->body.data, limit));
	fake_leave(client);
}

static void
limits_are_narrowed(void **state)
{
	static const char form[] = PART END;
	char at[60], over[60], length[20];

	(void)state;
	snprintf(at, sizeof at, "Penstock-Limit-Body: %zu", sizeof form - 1);
	snprintf(over, sizeof over, "penstock-limit-body: %zu", sizeof form - 2);
	snprintf(length, sizeof length, "%zu", sizeof form - 1);
	check_limit(at, NULL, 201, NULL);
	check_limit(at, length, 201, NULL);
	check_limit(over, NULL, 413, "\"limit\":\"Penstock-Limit-Body\"");
	check_limit(over, length, 413, "\"limit\":\"Penstock-Limit-Body\"");
	check_limit("Penstock-Limit-Body: 99999999999", NULL, 201, NULL);
	check_limit("Penstock-Limit-Parts: 1", NULL, 201, NULL);
	check_limit("Penstock-Limit-Parts: 0", NULL, 413, "\"limit\":\"Penstock-Limit-Parts\"");
	check_limit("Penstock-Limit-Parts: -1", length, 502, "Penstock-Limit-Parts");
	check_limit("Penstock-Limit-Rate: 1000000", length, 201, NULL);
	check_limit("Penstock-Limit-Rate: 0", length, 502, "Penstock-Limit-Rate");
	check_limit("Penstock-Limit-Files: 1", length, 502, "Penstock-Limit-Files");
}

static void
whoever_leaves_stops_his_question(void **state)
{
	struct fake_client *client = begin(0, "/up/x");

	(void)state;
	assert_non_null(fake_world->asked);
	fake_leave(client);
	assert_null(fake_world->asked);
	client = begin_from(0, "/up/x", "1000000", NULL);
	request_on_hangup(client->request, false);
	assert_true(client->is_shut);
	assert_null(fake_world->asked);
	fake_leave(client);
}

static void
a_drain_stops_all_questions(void **state)
{
	struct fake_client *first = begin(0, "/up/x"), *second = begin(1, "/up/x");

	(void)state;
	intake_drain(fake_world->intake);
	assert_null(fake_world->asked);
	go_on(first);
	go_on(second);
	assert_int_equal(first->status, 503);
	assert_int_equal(second->status, 503);
	fake_leave(first);
	fake_leave(second);
}

/* limits.concurrent is one. */
static void
a_place_is_counted_after_the_yes(void **state)
{
	struct fake_client *first = begin(0, "/up/x"), *second = begin(1, "/up/x");

	(void)state;
	assert_non_null(fake_world->asked->next);
	fake_answer(200, grant, "");
	fake_answer(200, grant, "");
	send_form(second, PART END);
	assert_int_equal(second->status, 201);
	go_on(first);
	fake_until(fake_is_answered, first);
	assert_int_equal(first->status, 429);
	fake_leave(first);
	fake_leave(second);
}

static size_t count_asked(void);

/* Whom the table has no room to count waits, and asks when there is some. */
static void
who_cannot_be_counted_waits(void **state)
{
	struct client_share *shares[FAKE_CLIENTS];
	struct fake_client *client;

	(void)state;
	fake_fill_clients(shares);
	client = begin(0, "/up/x");
	turn();
	assert_int_equal(count_asked(), 0);
	fake_empty_clients(shares);
	turn();
	assert_int_equal(count_asked(), 1);
	fake_leave(client);
}

static size_t
count_asked(void)
{
	size_t n = 0;

	for (const struct asking *a = fake_world->asked; a != NULL; a = a->next)
		n++;
	return n;
}

/* Two at once, one of each client: whoever waits asks when there is room, in order. */
static void
questions_wait_in_order(void **state)
{
	struct fake_client *a = begin_from(0, "/up/a", NULL, "192.0.2.1");
	struct fake_client *b = begin_from(1, "/up/b", NULL, "192.0.2.1");
	struct fake_client *c = begin_from(2, "/up/c", NULL, "192.0.2.2");
	struct fake_client *d = begin_from(3, "/up/d", NULL, "192.0.2.3");

	(void)state;
	assert_int_equal(count_asked(), 2);
	assert_string_equal(fake_world->asked->question->target, "/may/c?");
	fake_answer(403, NULL, "");
	turn();
	assert_int_equal(count_asked(), 2);
	assert_string_equal(fake_world->asked->question->target, "/may/d?"); /* b's client has one under way */
	fake_leave(a);
	turn();
	assert_string_equal(fake_world->asked->question->target, "/may/b?");
	fake_leave(b);
	turn();
	assert_int_equal(count_asked(), 1);
	fake_leave(c);
	fake_leave(d);
}

/* Whoever comes when it is there again does not overtake whoever waits. */
static void
while_memory_is_short_questions_wait(void **state)
{
	struct pool *pool = fake_world->pool;
	struct chunk *held = NULL;
	struct fake_client *a, *b;

	(void)state;
	while (pool_shortage(pool) == 0)
		assert_true(pool_set_aside(pool, 1, &held));
	a = begin(0, "/up/a");
	turn();
	assert_int_equal(count_asked(), 0);
	assert_int_equal(a->status, 0);
	pool_take_back_some(pool, 1, &held);
	assert_int_equal(pool_shortage(pool), 0);
	b = begin(1, "/up/b");
	assert_int_equal(count_asked(), 0);
	turn();
	assert_int_equal(count_asked(), 2);
	assert_string_equal(fake_world->asked->question->target, "/may/b?");
	pool_take_back(pool, &held);
	fake_leave(a);
	fake_leave(b);
}

static bool
is_asked(const void *arg)
{
	(void)arg;
	turn();
	return count_asked() > 0;
}

/* No other client comes, and nothing else happens. */
static void
memory_that_comes_back_wakes_who_waits_to_ask(void **state)
{
	struct pool *pool = fake_world->pool;
	struct chunk *held = NULL;
	struct fake_client *client;

	(void)state;
	while (pool_shortage(pool) == 0)
		assert_true(pool_set_aside(pool, 1, &held));
	client = begin(0, "/up/a");
	fake_turn();
	assert_int_equal(count_asked(), 0);
	pool_take_back(pool, &held);
	fake_until(is_asked, NULL);
	fake_leave(client);
}

/* A client with an IPv6 address has 2^64 of them. */
static void
one_client_has_all_of_its_network(void **state)
{
	struct fake_client *a = begin_from(0, "/up/a", NULL, "2001:db8::1");
	struct fake_client *b = begin_from(1, "/up/b", NULL, "2001:db8::ffff:1:2:3");
	struct fake_client *c = begin_from(2, "/up/c", NULL, "2001:db8:0:1::1");

	(void)state;
	turn();
	assert_string_equal(fake_world->asked->question->target, "/may/c?");
	assert_int_equal(count_asked(), 2); /* a and c: b is the same client as a */
	fake_leave(c);
	fake_leave(b);
	fake_leave(a);
}

static void
a_turn_that_does_not_come_is_503(void **state)
{
	struct fake_client *first = begin(0, "/up/x"), *second = begin(1, "/up/x");

	(void)state;
	assert_int_equal(count_asked(), 1);
	go_on(second);
	fake_until(fake_is_answered, second);
	assert_int_equal(second->status, 503);
	assert_non_null(strstr(second->body.data, "\"limit\":\"questions\""));
	assert_true(first->is_paused);
	fake_leave(first);
	fake_leave(second);
}

int
main(void)
{
#define CASE(name, with) cmocka_unit_test_setup_teardown(name, with, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_yes_lets_in, set_up),
		CASE(a_no_is_the_answer, set_up),
		CASE(no_answer_lets_nobody_in, set_up),
		CASE(each_question_is_counted_with_its_result, set_up),
		CASE(a_question_without_memory_is_503, set_up),
		CASE(what_is_granted_must_be_there, set_up),
		CASE(limits_are_narrowed, set_up),
		CASE(whoever_leaves_stops_his_question, set_up),
		CASE(a_drain_stops_all_questions, set_up),
		CASE(a_place_is_counted_after_the_yes, set_up),
		CASE(who_cannot_be_counted_waits, set_up),
		CASE(questions_wait_in_order, set_up_narrow),
		CASE(while_memory_is_short_questions_wait, set_up),
		CASE(memory_that_comes_back_wakes_who_waits_to_ask, set_up),
		CASE(one_client_has_all_of_its_network, set_up_narrow),
		CASE(a_turn_that_does_not_come_is_503, set_up_short),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC)); /* a line for each request */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
