// SPDX-License-Identifier: MIT
/* test_judge_faults.c - what becomes of a request inside HAProxy when memory runs out at any place, or a must() of ours
 * fails: it is refused, or let alone under `fail open`, and nothing else happens. */
#include "lib/judging.h"

#include "base/mem.h"
#include "lib/check.h"

#include <stdio.h>

#define PIECES 5

static struct judge_bug last_bug;
static size_t n_bugs;

static void
count_bug(void *arg, const struct judge_bug *bug)
{
	assert_ptr_equal(arg, &n_bugs);
	last_bug = *bug;
	n_bugs++;
}

static const struct judge_manner manners[] = {
	{ .fail_open = false, .on_bug = count_bug, .arg = &n_bugs },
	{ .fail_open = true, .on_bug = count_bug, .arg = &n_bugs },
};
static struct judge *closed, *open_one;

static int
start(void **state)
{
	if (judging_start(state) != 0)
		return -1;
	closed = judging_judge(&manners[0]);
	open_one = judging_judge(&manners[1]);
	return closed != NULL && open_one != NULL ? 0 : -1;
}

static int
stop(void **state)
{
	judge_free(closed);
	judge_free(open_one);
	return judging_stop(state);
}

/* -- memory --------------------------------------------------------------------------------------- */

/* How a request went, and with it whatever HAProxy's side would do. */
struct course {
	unsigned status; /* 200: all of it passed */
	size_t fed;      /* pieces of its body */
	bool has_problem;
};

static const char *const good[PIECES] = { "--B\r\nContent-Disposition: form-", "data; name=a\r\n\r\n1",
	"2\r\n--B\r\n",
	"Content-Disposition: form-data; name=\"a field with a longer head than all before it, of 110 bytes\"\r\n\r\n",
	"\r\n--B--\r\n" };
static const char *const bad[PIECES] = { "--B\r\nContent-Disposition: form-", "data; name=a\r\n\r\n1", "\r\n--Bx",
	"", "" };

/* As glue/stream.c has it; the pieces are blocks of one call or of several, which is no difference. */
static void
run_body(struct judge_request *request, const char *const *body, struct course *course)
{
	for (size_t i = 0; i < PIECES && judge_follows(request); i++) {
		const struct judge_verdict *verdict = judge_feed(request, body[i], strlen(body[i]));

		course->fed++;
		if (verdict == NULL)
			continue;
		course->status = verdict->status;
		return;
	}
}

static struct course
run(const struct judge *judge, const char *method, const char *const *body)
{
	struct judge_head head = judging_head(method, "/album/1", H FORM TE);
	struct judge_request *request = judge_request_new(judge);
	struct course course = { .status = 200 };
	const struct judge_verdict *verdict = request != NULL ? judge_decide(request, &head)
							      : judge_without_memory(judge);
	size_t len = 0;

	course.status = verdict->allow ? 200 : verdict->status;
	if (request != NULL && verdict->allow)
		run_body(request, body, &course);
	if (request != NULL && course.status != 200)
		judge_problem(request, &len);
	course.has_problem = len > 0;
	judge_request_free(request);
	return course;
}

static const struct {
	const char *method;
	const char *const *body;
	unsigned status;
} courses[] = { { "POST", good, 200 }, { "POST", bad, 400 }, { "DELETE", good, 405 } };

/* Every n-th allocation, alone and with all that follow it: under `closed` it is 503 or what it would have been, under
 * `open` it passes or is what it would have been. */
static void
sweep(const struct judge *judge, bool is_open, size_t row, size_t count)
{
	unsigned status = courses[row].status, fault = is_open ? 200 : 503;
	size_t needed, hits = 0;

	mem_fail(0, 0);
	assert_int_equal(run(judge, courses[row].method, courses[row].body).status, status);
	needed = mem_fail(0, 0);
	assert_true(needed >= 1);
	for (size_t nth = 1; nth <= needed; nth++) {
		struct course course;

		mem_fail(nth, count);
		course = run(judge, courses[row].method, courses[row].body);
		mem_fail(0, 0);
		if (course.status != status && course.status != fault)
			fail_msg("status %u at allocation %zu", course.status, nth);
		hits += course.status == fault;
	}
	assert_true(hits > 0);
	assert_int_equal(run(judge, courses[row].method, courses[row].body).status, status);
}

static void
memory_that_runs_out_anywhere_ends_or_frees_that_request(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof courses / sizeof courses[0]; row++)
		for (size_t all = 0; all < 2; all++) {
			sweep(closed, false, row, all ? SIZE_MAX : 1);
			sweep(open_one, true, row, all ? SIZE_MAX : 1);
		}
	assert_int_equal(n_bugs, 0);
}

/* What HAProxy still holds of the same call is fed all the same: the loop over its blocks need not know. */
static void
what_follows_a_fault_under_fail_open_passes(void **state)
{
	struct judge_request *request = judging_admitted(open_one);

	(void)state;
	mem_fail(1, 1);
	assert_null(judge_feed(request, good[0], strlen(good[0])));
	mem_fail(0, 0);
	assert_false(judge_follows(request));
	assert_null(judge_feed(request, "not what a form looks like", 26));
	assert_true(judge_verdict(request)->allow);
	judge_request_free(request);
	assert_int_equal(n_bugs, 0);
}

/* -- bugs: HAProxy's side breaks the rules of judge.h ------------------------------------------------- */

static void
expect_bug(const char *cond)
{
	assert_int_equal(n_bugs, 1);
	assert_non_null(strstr(last_bug.cond, cond));
	assert_non_null(strstr(last_bug.file, "request.c"));
	assert_true(last_bug.line > 0);
	n_bugs = 0;
}

static void
decide_twice(struct judge_request *request)
{
	struct judge_head head = judging_head("POST", "/album/1", H FORM TE);

	judge_decide(request, &head);
}

static void
a_bug_refuses_the_request_and_no_other(void **state)
{
	struct judge_request *request = judging_admitted(closed), *other = judging_admitted(closed);
	const char *problem;
	size_t len;

	(void)state;
	assert_null(judge_feed(request, good[0], strlen(good[0])));
	decide_twice(request);
	expect_bug("may_become");
	assert_false(judge_follows(request));
	assert_int_equal(judge_verdict(request)->status, 500);
	assert_false(judge_verdict(request)->allow);
	assert_true(judge_verdict(request)->is_fault);
	assert_ptr_equal(judge_feed(request, "x", 1), judge_verdict(request));
	problem = judge_problem(request, &len);
	assert_true(len == strlen(problem) && strstr(problem, "urn:penstock:problem:internal") != NULL);
	judge_stop(request);
	judge_request_free(request);
	for (size_t i = 0; i < PIECES; i++)
		assert_null(judge_feed(other, good[i], strlen(good[i])));
	judge_request_free(other);
	assert_int_equal(n_bugs, 0);
}

static void
a_bug_under_fail_open_lets_the_rest_pass(void **state)
{
	struct judge_request *request = judging_admitted(open_one);

	(void)state;
	assert_null(judge_feed(request, good[0], strlen(good[0])));
	decide_twice(request);
	expect_bug("may_become");
	assert_false(judge_follows(request));
	assert_true(judge_verdict(request)->allow);
	assert_string_equal(judge_verdict(request)->route, "album");
	assert_null(judge_feed(request, "text", 4));
	judge_request_free(request);
	assert_int_equal(n_bugs, 0);
}

/* Before anything was said of it. */
static void
a_bug_at_a_new_request_is_its_verdict(void **state)
{
	struct judge_request *shut = judge_request_new(closed), *let = judge_request_new(open_one);
	const struct judge_verdict *verdict = judge_feed(shut, "x", 1);

	(void)state;
	expect_bug("REQUEST_FOLLOWED");
	assert_true(verdict != NULL && verdict->status == 500 && verdict->reason[0] != '\0');
	assert_null(judge_feed(let, "x", 1));
	expect_bug("REQUEST_FOLLOWED");
	assert_true(judge_verdict(let)->allow);
	assert_int_equal(judge_verdict(let)->status, 200);
	assert_string_equal(judge_verdict(let)->id, "");
	judge_request_free(shut);
	judge_request_free(let);
}

/* The refusal stands: it was good. */
static void
a_bug_after_a_refusal_changes_nothing(void **state)
{
	const struct judge *both[] = { closed, open_one };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct judge_request *request = judging_admitted(both[i]);
		size_t len = 1;

		assert_int_equal(judge_feed(request, "text", 4)->status, 400);
		assert_int_equal(judge_feed(request, "text", 4)->status, 400);
		expect_bug("REQUEST_FOLLOWED");
		assert_false(judge_verdict(request)->allow);
		judge_problem(request, &len);
		assert_int_equal(len, 0); /* what it would be made of is not trusted */
		judge_request_free(request);
	}
}

static void
a_problem_of_one_who_has_none_is_a_bug_too(void **state)
{
	struct judge_request *request = judging_admitted(closed);
	size_t len = 0;

	(void)state;
	judge_problem(request, &len);
	expect_bug("REQUEST_REFUSED");
	assert_true(len > 0);
	assert_int_equal(judge_verdict(request)->status, 500);
	judge_request_free(request);
}

static void
nobody_need_hear_of_bugs(void **state)
{
	struct judge *deaf = judging_judge(&(struct judge_manner){ 0 });
	struct judge_request *request = judging_admitted(deaf);

	(void)state;
	decide_twice(request);
	assert_int_equal(judge_verdict(request)->status, 500);
	judge_request_free(request);
	judge_free(deaf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_runs_out_anywhere_ends_or_frees_that_request),
		cmocka_unit_test(what_follows_a_fault_under_fail_open_passes),
		cmocka_unit_test(a_bug_refuses_the_request_and_no_other),
		cmocka_unit_test(a_bug_under_fail_open_lets_the_rest_pass),
		cmocka_unit_test(a_bug_at_a_new_request_is_its_verdict),
		cmocka_unit_test(a_bug_after_a_refusal_changes_nothing),
		cmocka_unit_test(a_problem_of_one_who_has_none_is_a_bug_too),
		cmocka_unit_test(nobody_need_hear_of_bugs),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
