// SPDX-License-Identifier: MIT
/* test_filter_core.c - what HAProxy's side of the filter is told: of route files, of a head, of a body. */
#include "lib/filter_core.h"

#include "base/mem.h"
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_50 "123456789 123456789 123456789 123456789 1234567890"
#define PART "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" /* 50 bytes */

static const struct core_manner closed;
static struct filter_core *core;

static int
start(void **state)
{
	core = filter_core_start(state) == 0 ? filter_core_make(&closed) : NULL;
	return core != NULL ? 0 : -1;
}

static int
stop(void **state)
{
	core_free(core);
	return filter_core_stop(state);
}

/* -- route files ---------------------------------------------------------------------------------- */

static void
problems_are_told_with_file_and_line(void **state)
{
	char *problems;

	(void)state;
	filter_core_write(
		"c.yaml", "version: 1\nroutes:\n  - { id: album, match: { path: \"/x\" }, fieldz: [] }\n");
	assert_null(filter_core_read(3, &closed, &problems));
	assert_non_null(problems);
	assert_non_null(strstr(problems, "c.yaml:3:"));
	assert_non_null(strstr(problems, "fieldz"));
	free(problems);
}

static void
a_file_that_is_not_there_is_a_problem(void **state)
{
	char *const names[] = { (char[]){ "/nowhere/routes.yaml" } };
	char *problems;

	(void)state;
	assert_null(core_new(names, 1, &closed, &problems));
	assert_non_null(strstr(problems, "/nowhere/routes.yaml"));
	free(problems);
}

/* What only the sidecar's machine has need not be here. */
static void
secrets_of_destinations_are_not_looked_at(void **state)
{
	struct filter_core *other;
	char *problems;

	(void)state;
	filter_core_write("c.yaml",
		"version: 1\ndestinations:\n"
		"  store: { type: http, url: \"http://127.0.0.1:1\", headers: { a: { file: /nowhere/secret } } }\n"
		"routes:\n"
		"  - { id: other, match: { path: \"/other\" }, fields: [ { name: a, store: { to: store, key: \"{uuid}\" } "
		"} ] }\n");
	other = filter_core_read(3, &closed, &problems);
	if (other == NULL)
		fail_msg("%s", problems);
	core_free(other);
}

/* -- heads ---------------------------------------------------------------------------------------- */

#define ASKS "origin: https://b.example\naccess-control-request-method: POST\n"

static const struct {
	const char *method, *target, *headers;
	unsigned status;
	const char *route, *allow, *reason;
} rows[] = {
	{ "POST", "/album/1", H FORM TE, 200, "album", "", "" },
	{ "PUT", "/album/1?x=1", H FORM "content-length: 300\n", 200, "album", "", "" },
	{ "POST", "http://h/open", H FORM TE, 200, "open", "", "" },
	{ "PUT", "/raw", H TE, 200, "raw", "", "" },
	{ "POST", "/told?photos=1", H FORM TE, 200, "told", "", "" },
	{ "POST", "/told?a=1&%70hoto%5b%5d=1", H FORM TE, 400, "told", "",
		"a query parameter has the name of a file that the application is told of" },
	{ "PUT", "/raw", H FORM TE, 415, "raw", "",
		"Content-Type: this route takes the bytes of one file, no form; send the file alone (curl -T)" },
	{ "POST", "/album/1", H "content-type: application/x-www-form-urlencoded\n" TE, 415, "album", "",
		"Content-Type: application/x-www-form-urlencoded brings no files; send multipart/form-data (curl -F, or enctype of an HTML form)" },
	{ "POST", "/album/1", FORM TE, 400, "", "", "no Host" },
	{ "POST", "/album/1", H FORM TE "content-length: 1\n", 400, "", "",
		"both Content-Length and Transfer-Encoding" },
	{ "POST", "/nowhere", H FORM TE, 404, "", "", "no route takes this host and path" },
	{ "DELETE", "/album/1", H FORM TE, 405, "", "POST, PUT", "this path does not take the method DELETE" },
	{ "POST", "/sized", H FORM TE, 411, "sized", "", "this route wants a Content-Length" },
	{ "POST", "/album/1", H FORM "content-length: 301\n", 413, "album", "",
		"the body is over the limit of 300 bytes" },
	{ "POST", "/album/1", H "content-type: text/plain\n" TE, 415, "album", "",
		"Content-Type: not multipart/form-data" },
	{ "POST", "/album/1", H FORM TE "content-encoding: gzip\n", 415, "album", "",
		"a Content-Encoding other than identity: send the body as it is, not compressed" },
	{ "OPTIONS", "/page", H ASKS, 200, "page", "", "" },
	{ "OPTIONS", "/page", H ASKS "content-length: 1\n", 405, "", "POST",
		"this path does not take the method OPTIONS" },
	{ "OPTIONS", "/open", H ASKS, 405, "", "POST", "this path does not take the method OPTIONS" },
	{ "POST", "/album/1", H FORM TE "expect: a miracle\n", 417, "", "", "an Expect other than 100-continue" },
};

/* The head that a body's refusal goes by is gone then. */
static void
what_is_refused_says_which_page_may_read_it(void **state)
{
	static const struct {
		const char *headers, *origin, *expose;
		bool credentials;
	} pages[] = {
		{ H FORM TE "origin: https://a.example\n", "https://a.example",
			"location, x-request-id, retry-after", true },
		{ H FORM TE "origin: https://c.example\n", "", "", false },
		{ H FORM TE, "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		for (int of_the_body = 0; of_the_body < 2; of_the_body++) {
			struct core_head head = filter_core_head(
				of_the_body ? "POST" : "PUT", "/page", pages[i].headers);
			struct core_request *request = core_request_new(core);
			const struct core_verdict *verdict = core_decide(request, &head);

			if (of_the_body) {
				head = (struct core_head){ 0 };
				verdict = core_feed(request, "--other\r\n", 9);
			}
			assert_true(verdict != NULL && !verdict->allow && verdict->page.varies);
			assert_string_equal(verdict->page.origin, pages[i].origin);
			assert_string_equal(verdict->page.expose, pages[i].expose);
			assert_int_equal(verdict->page.credentials, pages[i].credentials);
			core_request_free(request);
		}
}

static void
what_no_page_may_send_says_nothing_of_pages(void **state)
{
	struct core_head head = filter_core_head("PUT", "/open", H FORM TE "origin: https://a.example\n");
	struct core_request *request = core_request_new(core);

	(void)state;
	assert_false(core_decide(request, &head)->page.varies);
	core_request_free(request);
}

/* It is penstock's to answer. */
static void
of_a_preflight_nothing_is_followed(void **state)
{
	struct core_head head = filter_core_head("OPTIONS", "/page", H ASKS);
	struct core_request *request = core_request_new(core);

	(void)state;
	assert_true(core_decide(request, &head)->allow);
	assert_false(core_follows(request));
	assert_null(core_feed(request, "x", 1));
	core_stop(request);
	core_request_free(request);
}

static void
every_head_gets_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct core_head head = filter_core_head(rows[i].method, rows[i].target, rows[i].headers);
		struct core_request *request = core_request_new(core);
		const struct core_verdict *verdict;

		assert_null(core_verdict(request));
		verdict = core_decide(request, &head);
		assert_ptr_equal(core_verdict(request), verdict);
		assert_int_equal(verdict->status, rows[i].status);
		assert_int_equal(verdict->allow, rows[i].status == 200);
		assert_string_equal(verdict->route, rows[i].route);
		assert_string_equal(verdict->limit,
			rows[i].status == 413           ? "body"
				: rows[i].status == 411 ? "length"
							: "");
		assert_string_equal(verdict->allow_methods, rows[i].allow);
		assert_string_equal(verdict->reason, rows[i].reason);
		assert_string_equal(verdict->id, "id-1");
		assert_false(verdict->is_fault);
		core_request_free(request);
	}
}

static void
the_limit_of_a_body_is_told_where_there_is_one(void **state)
{
	static const char *const targets[] = { "/album/1", "/open" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct core_head head = filter_core_head("POST", targets[i], H FORM TE);
		struct core_request *request = core_request_new(core);
		const struct core_verdict *verdict = core_decide(request, &head);

		assert_true(verdict->allow);
		assert_int_equal(verdict->has_max_body, i == 0);
		assert_int_equal(verdict->max_body, i == 0 ? 300 : UINT64_MAX);
		core_request_free(request);
	}
}

static void
an_id_is_cut_and_may_be_missing(void **state)
{
	struct core_request *request = core_request_new(core), *without = core_request_new(core);
	struct core_head head = filter_core_head("POST", "/album/1", H FORM TE);
	char id[300];

	(void)state;
	memset(id, 'i', sizeof id);
	head.id = id;
	head.id_len = sizeof id;
	assert_int_equal(strlen(core_decide(request, &head)->id), 128);
	head.id = NULL;
	head.id_len = 0;
	assert_string_equal(core_decide(without, &head)->id, "");
	core_request_free(request);
	core_request_free(without);
}

/* -- bodies --------------------------------------------------------------------------------------- */

static void
a_body_is_followed_to_its_end(void **state)
{
	struct core_request *request = filter_core_admitted(core);

	(void)state;
	for (const char *p = PART "--B--\r\n"; *p != '\0'; p++)
		assert_null(core_feed(request, p, 1));
	assert_true(core_verdict(request)->allow);
	core_request_free(request);
}

static void
a_body_that_is_one_file_is_followed_to_its_limit(void **state)
{
	struct core_request *request = core_request_new(core);
	struct core_head head = filter_core_head("PUT", "/raw", H TE);
	const struct core_verdict *verdict;

	(void)state;
	assert_true(core_decide(request, &head)->allow && core_follows(request));
	for (int i = 0; i < 300; i++)
		assert_null(core_feed(request, "-", 1));
	verdict = core_feed(request, "-", 1);
	assert_non_null(verdict);
	assert_int_equal(verdict->status, 413);
	assert_string_equal(verdict->reason, "the body is over the limit of 300 bytes");
	core_request_free(request);
}

static const struct {
	const char *body, *kind, *rest; /* rest: of the problem, behind its type */
} problems_of_bodies[] = {
	{ PART LINE_50 LINE_50 LINE_50 LINE_50 LINE_50 "x", "too-large",
		"\"title\":\"Content Too Large\",\"status\":413,\"detail\":\"the body is over the limit of 300 "
		"bytes\",\"route\":\"album\",\"limit\":\"body\",\"offset\":300,\"request_id\":\"id-1\"}\n" },
	{ PART PART PART, "too-large",
		"\"title\":\"Content Too Large\",\"status\":413,\"detail\":\"more than 2 "
		"parts\",\"route\":\"album\",\"limit\":\"parts\",\"offset\":98,\"request_id\":\"id-1\"}\n" },
	{ "--B\r\n" LINE_50 LINE_50 LINE_50 LINE_50 LINE_50 LINE_50, "too-large",
		"\"title\":\"Content Too Large\",\"status\":413,\"detail\":\"a part's head is over part_head of 256 "
		"bytes\",\"route\":\"album\",\"limit\":\"part_head\",\"offset\":261,\"request_id\":\"id-1\"}\n" },
	{ "text--B", "malformed",
		"\"title\":\"Bad Request\",\"status\":400,\"detail\":\"the boundary before the first part, not behind CR "
		"LF\",\"route\":\"album\",\"offset\":4,\"request_id\":\"id-1\"}\n" },
};

static void
a_body_that_cannot_be_is_ended_with_a_problem(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof problems_of_bodies / sizeof problems_of_bodies[0]; i++) {
		struct core_request *request = filter_core_admitted(core);
		const char *body = problems_of_bodies[i].body, *problem;
		const struct core_verdict *verdict = core_feed(request, body, strlen(body));
		char want[400];
		size_t len;

		assert_non_null(verdict);
		assert_false(verdict->allow);
		assert_ptr_equal(core_verdict(request), verdict);
		problem = core_problem(request, &len);
		snprintf(want, sizeof want, "{\"type\":\"urn:penstock:problem:%s\",%s", problems_of_bodies[i].kind,
			problems_of_bodies[i].rest);
		assert_int_equal(len, strlen(want));
		assert_memory_equal(problem, want, len);
		core_request_free(request);
	}
}

static void
what_is_left_alone_passes(void **state)
{
	struct core_request *request = filter_core_admitted(core), *fresh = core_request_new(core);

	(void)state;
	core_stop(request);
	core_stop(request);
	assert_null(core_feed(request, "text", 4));
	assert_true(core_verdict(request)->allow);
	core_stop(fresh); /* nothing to be left alone yet */
	core_request_free(request);
	core_request_free(fresh);
}

/* -- out of memory -------------------------------------------------------------------------------- */

static void
a_core_without_memory_is_none(void **state)
{
	size_t needed;
	char *problems;

	(void)state;
	mem_fail(0, 0);
	core_free(filter_core_read(2, &closed, &problems));
	needed = mem_fail(0, 0);
	for (size_t nth = 1; nth <= needed; nth++) {
		struct filter_core *none;

		mem_fail(nth, SIZE_MAX);
		none = filter_core_read(2, &closed, &problems);
		mem_fail(0, 0);
		assert_null(none);
		free(problems);
	}
	core_free(NULL);
}

static void
no_memory_for_a_head_of_a_part_is_a_fault_and_503(void **state)
{
	struct core_request *request = filter_core_admitted(core);
	const struct core_verdict *verdict;

	(void)state;
	mem_fail(1, SIZE_MAX);
	verdict = core_feed(request, PART, sizeof PART - 1);
	mem_fail(0, 0);
	assert_true(verdict != NULL && verdict->is_fault && !verdict->allow);
	assert_int_equal(verdict->status, 503);
	assert_int_equal(verdict->retry_after, 1);
	core_request_free(request);
}

static void
no_memory_for_the_answer_leaves_its_status(void **state)
{
	struct core_head head = filter_core_head("DELETE", "/album/1", H FORM TE);
	struct core_request *request = core_request_new(core);
	const struct core_verdict *verdict;
	size_t len = 1;

	(void)state;
	mem_fail(1, SIZE_MAX);
	assert_null(core_request_new(core));
	verdict = core_decide(request, &head);
	core_problem(request, &len);
	mem_fail(0, 0);
	assert_int_equal(verdict->status, 405);
	assert_string_equal(verdict->allow_methods, "");
	assert_int_equal(len, 0);
	core_request_free(request);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(problems_are_told_with_file_and_line),
		cmocka_unit_test(a_file_that_is_not_there_is_a_problem),
		cmocka_unit_test(secrets_of_destinations_are_not_looked_at),
		cmocka_unit_test(every_head_gets_its_verdict),
		cmocka_unit_test(what_is_refused_says_which_page_may_read_it),
		cmocka_unit_test(what_no_page_may_send_says_nothing_of_pages),
		cmocka_unit_test(of_a_preflight_nothing_is_followed),
		cmocka_unit_test(the_limit_of_a_body_is_told_where_there_is_one),
		cmocka_unit_test(an_id_is_cut_and_may_be_missing),
		cmocka_unit_test(a_body_is_followed_to_its_end),
		cmocka_unit_test(a_body_that_is_one_file_is_followed_to_its_limit),
		cmocka_unit_test(a_body_that_cannot_be_is_ended_with_a_problem),
		cmocka_unit_test(what_is_left_alone_passes),
		cmocka_unit_test(a_core_without_memory_is_none),
		cmocka_unit_test(no_memory_for_a_head_of_a_part_is_a_fault_and_503),
		cmocka_unit_test(no_memory_for_the_answer_leaves_its_status),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
