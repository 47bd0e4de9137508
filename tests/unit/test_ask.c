// SPDX-License-Identifier: MIT
/* test_ask.c - a question to an application, against a server that does what each case says: an answer is told whole or not at all. */
#include "lib/questions.h"

#include "lib/check.h"
#include "lib/until.h"

/* -- how it ends ---------------------------------------------------------------------------------------- */

static void
drips(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na");
	peer_tell(peer);
	peer_read_end(peer);
}

static void
floods_lines(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_say(peer, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n");
	for (int i = 0; i < 40; i++) {
		peer_say(peer, "Set-Cookie: ");
		peer_say_many(peer, 'x', 1000);
		peer_say(peer, "\r\n");
	}
	peer_say(peer, "\r\n");
	peer_read_end(peer);
}

static void
floods_body(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		peer_say_many(peer, 'x', 100000);
	peer_read_end(peer);
}

#define SAYS(name, text, status, body)                                                                             \
	{                                                                                                          \
		name, peer_says, text, status, body, ERR_NONE, NULL, NULL                                          \
	}
#define FAILS(name, script, text, why)                                                                             \
	{                                                                                                          \
		name, script, text, 0, NULL, ERR_UPSTREAM, "destination \"app\": " why, NULL                       \
	}
/* Newer libcurls refuse the line before they show it to anybody: then that it is wrong is known, but not which. */
#define FAILS_OR_UNSEEN(name, text, why)                                                                           \
	{                                                                                                          \
		name, peer_says, text, 0, NULL, ERR_UPSTREAM, "destination \"app\": " why,                         \
			"destination \"app\": its answer is not HTTP/1.1"                                          \
	}
#define TWICE "a line in the head of its answer stands twice, which may stand once"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static const struct end {
	const char *name;
	peer_script script;
	const char *arg;
	unsigned status;
	const char *body;
	enum error_kind kind;
	const char *why, *or_why; /* NULL: no other */
} ends[] = {
	SAYS("yes", "HTTP/1.1 204 No\r\n\r\n", 204, ""),
	SAYS("yes, with a body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, "ab"),
	SAYS("no", "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", 403, "no"),
	SAYS("who are you", "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 401, ""),
	SAYS("broken", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 500, ""),
	SAYS("a redirect, that is not followed",
		"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", 302, ""),
	SAYS("until the end", "HTTP/1.1 200 OK\r\n\r\nall", 200, "all"),
	SAYS("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nall", 200, "all"),
	SAYS("chunks", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, "abc"),
	SAYS("100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", 200, "a"),
	SAYS("103 first",
		"HTTP/1.1 103 Early Hints\r\nLocation: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", 200,
		"a"),
	SAYS("not encoded", "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\na", 200,
		"a"),
	SAYS("204 with content", "HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nab", 204, ""),
	SAYS("304 with content", "HTTP/1.1 304 No\r\n" CHUNKED "\r\n2\r\nab\r\n0\r\n\r\n", 304, ""),
	SAYS("205", "HTTP/1.1 205 No\r\nContent-Length: 0\r\n\r\n", 205, ""),
	SAYS("205 with content", "HTTP/1.1 205 No\r\nContent-Length: 2\r\n\r\nab", 205, ""),
	SAYS("205 with chunks", "HTTP/1.1 205 No\r\n" CHUNKED "\r\n2\r\nab\r\n0\r\n\r\n", 205, ""),
	SAYS("two tags, which nobody gets",
		"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nETag: \"b\"\r\nContent-Length: 1\r\n\r\na", 200, "a"),
	SAYS("an odd line", "HTTP/1.1 200 OK\r\nX: y\r\n folded\r\nX Y: z\r\nContent-Length: 1\r\n\r\na", 200, "a"),
	FAILS("100 alone", peer_says, "HTTP/1.1 100 Continue\r\n\r\n",
		"it closed the connection without an answer"),
	FAILS("none", peer_says, "", "it closed the connection without an answer"),
	FAILS("a reset", peer_resets, NULL, "it cut the connection"),
	FAILS("a short body", peer_says, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
		"its answer was cut short"),
	FAILS("chunks that break off", peer_says, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n5\r\nab",
		"its answer was cut short"),
	FAILS("no chunks", peer_says, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\nzz\r\n", "it cut the connection"),
	FAILS("a head that breaks off", peer_says, "HTTP/1.1 200 OK\r\nX: y\r\n", "its answer was cut short"),
	FAILS("no HTTP", peer_says, "SSH-2.0-x\r\n\r\n", "its answer is not HTTP/1.1"),
	FAILS("no such status", peer_says, "HTTP/1.1 600 Hm\r\nContent-Length: 0\r\n\r\n",
		"it answered 600, which means nothing"),
	FAILS("no line", peer_says, "HTTP/1.1 200 OK\r\nX y\r\nContent-Length: 0\r\n\r\n",
		"its answer is not HTTP/1.1"),
	FAILS("encoded", peer_says, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na",
		"its answer is encoded, for which it was not asked"),
	FAILS("folded", peer_says, "HTTP/1.1 200 OK\r\nLocation: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"a line in the head of its answer is folded"),
	FAILS("control", peer_says, "HTTP/1.1 200 OK\r\nLocation: a\x01\r\nContent-Length: 0\r\n\r\n",
		"a line in the head of its answer holds a control byte"),
	FAILS("two types", peer_says,
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\ncontent-type: a/b\r\nContent-Length: 0\r\n\r\n", TWICE),
	FAILS("two lengths", peer_says, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 2\r\n\r\nab",
		TWICE),
	FAILS("two lengths, of which both are true", peer_says,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", TWICE),
	FAILS("two lengths in one", peer_says, "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab",
		"the length of its answer is no number"),
	FAILS_OR_UNSEEN("a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
		"the length of its answer is no number"),
	FAILS("a length and chunks", peer_says,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" CHUNKED "\r\n2\r\nab\r\n0\r\n\r\n",
		"its answer says in two ways how long it is"),
	FAILS("two places", peer_says,
		"HTTP/1.1 303 No\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", TWICE),
	FAILS("two times to wait", peer_says,
		"HTTP/1.1 503 No\r\nRetry-After: 1\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n", TWICE),
	FAILS("a long head", peer_floods, NULL, "the head of its answer is too long"),
	FAILS("long lines", floods_lines, NULL, "the head of its answer is too long"),
	FAILS("a long body", floods_body, NULL, "its answer has more than 1000 bytes"),
};

static bool
is_as_said(const struct end *end, const struct app_answer *answer)
{
	const char *why = answer->error.message;

	if (answer->status != end->status || answer->error.kind != end->kind)
		return false;
	if (end->why == NULL)
		return strcmp(buf_str(&answer->body).data, end->body) == 0;
	return answer->may_have_arrived && answer->body.data == NULL &&
		(strcmp(why, end->why) == 0 || (end->or_why != NULL && strcmp(why, end->or_why) == 0));
}

/* What is charged is given back also where it fails: the other tests have the same budget. */
static void
check_end(const struct end *end, const char *method)
{
	struct peer *peer = questions_peer(end->script, end->arg);
	struct question question = questions_of(peer_url(peer), method);
	struct error error;
	struct told told;
	unsigned status;
	bool ok;

	questions_ask(&question, &told);
	ok = is_as_said(end, &told.answer);
	status = told.answer.status;
	error = told.answer.error;
	questions_forget(&told);
	peer_end(peer);
	if (!ok)
		fail_msg("%s, %s: %u, %s", end->name, method, status, error.message);
}

static void
each_end_is_whole_or_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		check_end(&ends[i], "GET");
		check_end(&ends[i], "POST");
	}
}

static void
a_body_may_be_as_long_as_is_said(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct buf text = { 0 };
		struct end end = { "", peer_says, NULL, over ? 0 : 200, NULL, over ? ERR_UPSTREAM : ERR_NONE, NULL,
			NULL };
		struct peer *peer;
		struct question question;
		struct told told;

		buf_addf(&text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", QUESTIONS_ANSWER_MAX + over);
		for (size_t i = 0; i < QUESTIONS_ANSWER_MAX + over; i++)
			buf_add_char(&text, 'b');
		peer = questions_peer(end.script, text.data);
		question = questions_of(peer_url(peer), "GET");
		questions_ask(&question, &told);
		assert_int_equal(told.answer.status, end.status);
		assert_int_equal(told.answer.error.kind, end.kind);
		assert_int_equal(told.answer.body.len, over ? 0 : QUESTIONS_ANSWER_MAX);
		questions_forget(&told);
		peer_end(peer);
		buf_free(&text);
	}
}

/* A libcurl takes it or not: a handle that was used before must bear it. */
static void
a_first_line_that_is_folded_does_no_harm(void **state)
{
	static const char *const answers[] = { "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 1\r\n\r\na",
		"HTTP/1.1 200 OK\r\n X: folded\r\nContent-Length: 1\r\n\r\na" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct peer *peer = questions_peer(peer_says, answers[i % 2]);
		struct question question = questions_of(peer_url(peer), "GET");
		struct told told;

		questions_ask(&question, &told);
		assert_true(told.answer.status == 200 || (i % 2 == 1 && told.answer.error.kind == ERR_UPSTREAM));
		questions_forget(&told);
		peer_end(peer);
	}
}

static void
lines_that_are_wanted_are_kept_in_their_order(void **state)
{
	static const char text[] =
		"HTTP/1.1 103 Hints\r\nSet-Cookie: no=1\r\n\r\n"
		"HTTP/1.1 200 OK\r\nset-cookie:  a=b; Path=/ \r\nX: y\r\nPenstock-Grant-User: 42\r\nSET-COOKIE: c=\r\n"
		"Penstock-Limit-Body: 1\r\nLocation:\r\n" CHUNKED "\r\n0\r\nSet-Cookie: trailer\r\n\r\n";
	struct peer *peer = questions_peer(peer_says, text);
	struct question question = questions_of(peer_url(peer), "GET");
	struct told told;

	(void)state;
	questions_ask(&question, &told);
	assert_int_equal(told.answer.n_lines, 4);
	assert_string_equal(told.answer.lines[0].name, "set-cookie");
	assert_string_equal(app_answer_value(&told.answer, "Set-Cookie", 0), "a=b; Path=/");
	assert_string_equal(app_answer_value(&told.answer, "Set-Cookie", 1), "c=");
	assert_null(app_answer_value(&told.answer, "Set-Cookie", 2));
	assert_string_equal(app_answer_value(&told.answer, "penstock-grant-user", 0), "42");
	assert_string_equal(app_answer_value(&told.answer, "location", 0), "");
	assert_null(app_answer_value(&told.answer, "penstock-limit-body", 0));
	questions_forget(&told);
	peer_end(peer);
}

/* -- time, and nobody there ------------------------------------------------------------------------------ */

/* On a machine that is slow the time may be over before the question is away: then it is asked once more. */
static void
check_slow(peer_script script)
{
	bool has_arrived = false;

	while (!has_arrived) {
		struct peer *peer = questions_peer(script, NULL);
		struct question question = questions_of(peer_url(peer), "GET");
		struct told told;

		question.timeout_ms = 50;
		questions_ask(&question, &told);
		has_arrived = told.answer.may_have_arrived;
		assert_int_equal(told.answer.error.kind, ERR_UPSTREAM_TIMEOUT);
		assert_string_equal(
			told.answer.error.message, "destination \"app\": it did not answer within timeout");
		assert_int_equal(told.answer.status, 0);
		questions_forget(&told);
		peer_end(peer);
	}
}

static void
silence_and_drip_have_an_end(void **state)
{
	(void)state;
	check_slow(peer_owes);
	check_slow(drips);
}

static void
who_is_not_there_has_got_nothing(void **state)
{
	struct peer *peer = peer_start_deaf();
	struct question question = questions_of(peer_url(peer), "GET");
	struct told told;

	(void)state;
	questions_ask(&question, &told);
	assert_int_equal(told.answer.error.kind, ERR_UPSTREAM);
	assert_string_equal(told.answer.error.message, "destination \"app\": it refused the connection");
	assert_false(told.answer.may_have_arrived);
	questions_forget(&told);
	peer_end(peer);
}

static void
a_question_that_is_stopped_has_no_answer(void **state)
{
	struct peer *peer = questions_peer(peer_owes, NULL);
	struct question question = questions_of(peer_url(peer), "GET");
	struct told told;
	struct asking *asking = questions_begin(&question, &told);

	(void)state;
	assert_non_null(asking);
	until_told(1);
	ask_stop(asking);
	peer_stop(peer);
	assert_string_equal(peer_join(peer), "1 GET /a \n1 closed\n");
	until_turned();
	assert_int_equal(told.n, 0);
	questions_forget(&told);
	peer_end(peer);
}

/* -- a connection that was kept -------------------------------------------------------------------------- */

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"

static void
drops_the_second(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_say(peer, OK);
	peer_read(peer);
	peer_close(peer);
	while (peer_read(peer))
		peer_say(peer, OK);
}

static void
one_that_has_died_is_no_failure(void **state)
{
	struct peer *peer = questions_peer(drops_the_second, NULL);
	struct question question = questions_of(peer_url(peer), "GET");
	struct told told;

	(void)state;
	for (int i = 0; i < 2; i++) {
		questions_ask(&question, &told);
		assert_int_equal(told.answer.status, 200);
		assert_string_equal(told.answer.body.data, "yes");
		app_answer_free(&told.answer);
	}
	peer_stop(peer);
	assert_string_equal(peer_join(peer), "1 GET /a \n1 GET /a \n2 GET /a \n");
	questions_forget(&told);
	peer_end(peer);
}

/* It never goes over one that was kept, so nothing has to be sent again. */
static void
a_post_is_sent_once(void **state)
{
	struct peer *peer = questions_peer(drops_the_second, NULL);
	struct question question = questions_of(peer_url(peer), "GET");
	struct told told;

	(void)state;
	questions_ask(&question, &told);
	app_answer_free(&told.answer);
	question.method = "POST";
	questions_ask(&question, &told);
	assert_int_equal(told.answer.error.kind, ERR_UPSTREAM);
	assert_true(told.answer.may_have_arrived);
	peer_stop(peer);
	assert_string_equal(peer_join(peer), "1 GET /a \n2 POST /a \n");
	questions_forget(&told);
	peer_end(peer);
}

/* -- memory ----------------------------------------------------------------------------------------------- */

static void
what_it_costs_is_charged(void **state)
{
	struct peer *peer = questions_peer(peer_says, OK);
	struct question question = questions_of(peer_url(peer), "GET");
	size_t taken = 0;
	struct told told;

	(void)state;
	while (blocks_charge(questions_blocks(), ASK_COST))
		taken += ASK_COST;
	assert_null(questions_begin(&question, &told));
	blocks_discharge(questions_blocks(), taken);
	questions_ask(&question, &told);
	assert_true(told.answer.charge >= ASK_COST + 3);
	questions_forget(&told);
	peer_end(peer);
}

/* Room is left for the question, and not for what comes. */
static void
an_answer_without_room_names_its_limit(void **state)
{
	struct buf text = { 0 };
	struct peer *peer;
	struct question question;
	struct told told;
	size_t taken = 0;

	(void)state;
	buf_addf(&text, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", 4 * ASK_COST);
	for (size_t i = 0; i < 4 * ASK_COST; i++)
		buf_add_char(&text, 'b');
	peer = questions_peer(peer_says, text.data);
	question = questions_of(peer_url(peer), "GET");
	question.answer_max = 4 * ASK_COST;
	while (blocks_charge(questions_blocks(), ASK_COST))
		taken += ASK_COST;
	blocks_discharge(questions_blocks(), 2 * ASK_COST);
	questions_ask(&question, &told);
	blocks_discharge(questions_blocks(), taken - 2 * ASK_COST);
	assert_int_equal(told.answer.error.kind, ERR_BUSY);
	assert_string_equal(told.answer.error.limit, "memory");
	assert_string_equal(
		told.answer.error.message, "destination \"app\": no memory left for its answer; try again later");
	questions_forget(&told);
	peer_end(peer);
	buf_free(&text);
}

/* Its lines are held three times, and are as long as a client's head may be. */
static void
its_lines_are_charged(void **state)
{
	static char cookie[60001];
	static const struct question_line line = { "Cookie", cookie };
	struct peer *peer = questions_peer(peer_owes, NULL);
	struct question question = questions_of(peer_url(peer), "GET");
	const size_t needs = 3 * sizeof cookie + ASK_COST;
	size_t taken = 0;
	struct asking *asking;
	struct told told;

	(void)state;
	memset(cookie, 'c', sizeof cookie - 1);
	question.lines = &line;
	question.n_lines = 1;
	while (blocks_charge(questions_blocks(), ASK_COST))
		taken += ASK_COST;
	for (size_t room = 0; room <= needs + ASK_COST; room += ASK_COST) {
		asking = questions_begin(&question, &told);
		assert_int_equal(asking != NULL, room >= needs);
		if (asking != NULL)
			ask_stop(asking);
		blocks_discharge(questions_blocks(), ASK_COST);
		taken -= ASK_COST;
	}
	blocks_discharge(questions_blocks(), taken);
	questions_forget(&told);
	peer_stop(peer);
	peer_end(peer);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, questions_begin_case, questions_end_case)
	const struct CMUnitTest tests[] = {
		CASE(each_end_is_whole_or_an_error),
		CASE(a_body_may_be_as_long_as_is_said),
		CASE(a_first_line_that_is_folded_does_no_harm),
		CASE(lines_that_are_wanted_are_kept_in_their_order),
		CASE(silence_and_drip_have_an_end),
		CASE(who_is_not_there_has_got_nothing),
		CASE(a_question_that_is_stopped_has_no_answer),
		CASE(one_that_has_died_is_no_failure),
		CASE(a_post_is_sent_once),
		CASE(what_it_costs_is_charged),
		CASE(an_answer_without_room_names_its_limit),
		CASE(its_lines_are_charged),
	};

	return cmocka_run_group_tests(tests, questions_set_up, questions_tear_down);
}
