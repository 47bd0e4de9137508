// SPDX-License-Identifier: MIT
/* test_ask_sent.c - a question arrives at the application as it was given, and its signature is over what arrives. */
#include "lib/questions.h"

#include "lib/check.h"
#include "lib/endpoint.h"
#include "sink/app/sign.h"

#include <stdio.h>
#include <stdlib.h>

static char seen[4000]; /* by the endpoint */

/* -- what is sent --------------------------------------------------------------------------------------- */

static void
shows(void *arg, const char *request, struct buf *answer)
{
	(void)arg;
	snprintf(seen, sizeof seen, "%s", request);
	endpoint_say(answer, 200, "yes");
}

static void
ask_endpoint(struct question *question, const char *prefix, const struct sign *sign)
{
	struct endpoint *endpoint = endpoint_start(shows, NULL);
	struct told told;
	struct question all;
	struct buf url = { 0 };

	assert_non_null(endpoint);
	buf_addf(&url, "%s%s", endpoint_url(endpoint), prefix);
	all = questions_of(url.data, question->method);
	all.target = question->target;
	all.lines = question->lines;
	all.n_lines = question->n_lines;
	all.type = question->type;
	all.body = question->body;
	all.traceparent = question->traceparent;
	all.for_signature = sign;
	questions_ask(&all, &told);
	assert_int_equal(told.answer.status, 200);
	assert_string_equal(told.answer.body.data, "yes");
	questions_forget(&told);
	buf_free(&url);
	endpoint_stop(endpoint);
}

static void
the_lines_go_as_they_are_given(void **state)
{
	static const struct question_line lines[] = { { "Cookie", "a=b" }, { "Cookie", "c=d" },
		{ "X-Penstock-Route", "album" } };
	struct question question = {
		.method = "GET", .target = "/may?x=%20", .lines = lines, .n_lines = 3, .traceparent = "00-1-2-00"
	};

	(void)state;
	ask_endpoint(&question, "/in", NULL);
	assert_memory_equal(seen, "GET /in/may?x=%20 HTTP/1.1\r\n", 28);
	assert_non_null(strstr(seen,
		"\r\nX-Request-Id: r-1\r\ntraceparent: 00-1-2-00\r\nCookie: a=b\r\nCookie: c=d\r\n"
		"X-Penstock-Route: album\r\n"));
	assert_null(strcasestr(seen, "content-"));
	assert_null(strcasestr(seen, "transfer-"));
	assert_null(strcasestr(seen, "expect"));
	assert_null(strcasestr(seen, "penstock-signature"));
}

static void
a_post_without_a_body_says_so(void **state)
{
	struct question question = { .method = "POST", .target = "" };

	(void)state;
	ask_endpoint(&question, "", NULL);
	assert_memory_equal(seen, "POST / HTTP/1.1\r\n", 17);
	assert_non_null(strstr(seen, "\r\nContent-Length: 0\r\n"));
	assert_null(strstr(seen, "Content-Type"));
}

/* The signature is over what arrives, the path of the URL in front. */
static void
check_signed(struct question *question, const char *prefix, const char *target)
{
	static char one[] = "one", two[] = "two";
	struct sign sign = { .keys = { one, two } };
	struct buf want = { 0 };
	struct error err = { 0 };
	const char *line;

	ask_endpoint(question, prefix, &sign);
	line = strstr(seen, "\r\nPenstock-Signature: t=");
	assert_non_null(line);
	assert_true(app_sign(&sign,
		&(struct app_signed){ "authorize", strtoll(line + 24, NULL, 10), question->method, str_of(target),
			"r-1", question->body },
		&want, &err));
	assert_memory_equal(line + 22, want.data, want.len);
	assert_memory_equal(line + 22 + want.len, "\r\n", 2);
	buf_free(&want);
}

static void
what_arrives_is_signed(void **state)
{
	struct question question = {
		.method = "POST", .target = "/a%2Fb/../c?q=1&q=%00", .type = "a/b", .body = STR("x=y")
	};

	(void)state;
	check_signed(&question, "/in", "/in/a%2Fb/../c?q=1&q=%00");
	assert_memory_equal(seen, "POST /in/a%2Fb/../c?q=1&q=%00 HTTP/1.1\r\n", 40);
	assert_non_null(strstr(seen, "\r\nContent-Type: a/b\r\n"));
	assert_non_null(strstr(seen, "\r\nContent-Length: 3\r\n"));
	assert_string_equal(strstr(seen, "\r\n\r\n"), "\r\n\r\nx=y");
	question = (struct question){ .method = "GET", .target = "" };
	check_signed(&question, "", "/");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, questions_begin_case, questions_end_case)
	const struct CMUnitTest tests[] = {
		CASE(the_lines_go_as_they_are_given),
		CASE(a_post_without_a_body_says_so),
		CASE(what_arrives_is_signed),
	};

	return cmocka_run_group_tests(tests, questions_set_up, questions_tear_down);
}
