// SPDX-License-Identifier: MIT
/* test_filter_core_faults.c - what becomes of a request inside HAProxy when memory runs out at any place, or a must() of ours
 * fails: it is refused, or let alone under `fail open`, and nothing else happens. */
#include "lib/filter_core.h"

#include "base/mem.h"
#include "lib/check.h"

#include <stdio.h>

#define PIECES 5

static struct core_bug last_bug;
static size_t n_bugs;

static void
count_bug(void *arg, const struct core_bug *bug)
{
	assert_ptr_equal(arg, &n_bugs);
	last_bug = *bug;
	n_bugs++;
}

static const struct core_manner manners[] = {
	{ .fail_open = false, .on_bug = count_bug, .arg = &n_bugs },
	{ .fail_open = true, .on_bug = count_bug, .arg = &n_bugs },
};
static struct filter_core *closed, *open_one;

static int
start(void **state)
{
	if (filter_core_start(state) != 0)
		return -1;
	closed = filter_core_make(&manners[0]);
	open_one = filter_core_make(&manners[1]);
	return closed != NULL && open_one != NULL ? 0 : -1;
}

static int
stop(void **state)
{
	core_free(closed);
	core_free(open_one);
	return filter_core_stop(state);
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
run_body(struct core_request *request, const char *const *body, struct course *course)
{
	for (size_t i = 0; i < PIECES && core_follows(request); i++) {
		const struct core_verdict *verdict = core_feed(request, body[i], strlen(body[i]));

		course->fed++;
		if (verdict == NULL)
			continue;
		course->status = verdict->status;
		return;
	}
}

static struct course
run(const struct filter_core *core, const char *method, const char *const *body)
{
	struct core_head head = filter_core_head(method, "/album/1", H FORM TE);
	struct core_request *request = core_request_new(core);
	struct course course = { .status = 200 };
	const struct core_verdict *verdict = request != NULL ? core_decide(request, &head)
							     : core_without_memory(core);
	size_t len = 0;

	course.status = verdict->allow ? 200 : verdict->status;
	if (request != NULL && verdict->allow)
		run_body(request, body, &course);
	if (request != NULL && course.status != 200)
		core_problem(request, &len);
	course.has_problem = len > 0;
	core_request_free(request);
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
sweep(const struct filter_core *core, bool is_open, size_t row, size_t count)
{
	unsigned status = courses[row].status, fault = is_open ? 200 : 503;
	size_t needed, hits = 0;

	mem_fail(0, 0);
	assert_int_equal(run(core, courses[row].method, courses[row].body).status, status);
	needed = mem_fail(0, 0);
	assert_true(needed >= 1);
	for (size_t nth = 1; nth <= needed; nth++) {
		struct course course;

		mem_fail(nth, count);
		course = run(core, courses[row].method, courses[row].body);
		mem_fail(0, 0);
		if (course.status != status && course.status != fault)
			fail_msg("status %u at allocation %zu", course.status, nth);
		hits += course.status == fault;
	}
	assert_true(hits > 0);
	assert_int_equal(run(core, courses[row].method, courses[row].body).status, status);
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
	struct core_request *request = filter_core_admitted(open_one);

	(void)state;
	mem_fail(1, 1);
	assert_null(core_feed(request, good[0], strlen(good[0])));
	mem_fail(0, 0);
	assert_false(core_follows(request));
	assert_null(core_feed(request, "not what a form looks like", 26));
	assert_true(core_verdict(request)->allow);
	core_request_free(request);
	assert_int_equal(n_bugs, 0);
}

/* -- bugs: HAProxy's side breaks the rules of core.h ------------------------------------------------- */

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
decide_twice(struct core_request *request)
{
	struct core_head head = filter_core_head("POST", "/album/1", H FORM TE);

	core_decide(request, &head);
}

static void
a_bug_refuses_the_request_and_no_other(void **state)
{
	struct core_request *request = filter_core_admitted(closed), *other = filter_core_admitted(closed);
	const char *problem;
	size_t len;

	(void)state;
	assert_null(core_feed(request, good[0], strlen(good[0])));
	decide_twice(request);
	expect_bug("may_become");
	assert_false(core_follows(request));
	assert_int_equal(core_verdict(request)->status, 500);
	assert_false(core_verdict(request)->allow);
	assert_true(core_verdict(request)->is_fault);
	assert_ptr_equal(core_feed(request, "x", 1), core_verdict(request));
	problem = core_problem(request, &len);
	assert_true(len == strlen(problem) && strstr(problem, "urn:penstock:problem:internal") != NULL);
	core_stop(request);
	core_request_free(request);
	for (size_t i = 0; i < PIECES; i++)
		assert_null(core_feed(other, good[i], strlen(good[i])));
	core_request_free(other);
	assert_int_equal(n_bugs, 0);
}

static void
a_bug_under_fail_open_lets_the_rest_pass(void **state)
{
	struct core_request *request = filter_core_admitted(open_one);

	(void)state;
	assert_null(core_feed(request, good[0], strlen(good[0])));
	decide_twice(request);
	expect_bug("may_become");
	assert_false(core_follows(request));
	assert_true(core_verdict(request)->allow);
	assert_string_equal(core_verdict(request)->route, "album");
	assert_null(core_feed(request, "text", 4));
	core_request_free(request);
	assert_int_equal(n_bugs, 0);
}

/* Before anything was said of it. */
static void
a_bug_at_a_new_request_is_its_verdict(void **state)
{
	struct core_request *shut = core_request_new(closed), *let = core_request_new(open_one);
	const struct core_verdict *verdict = core_feed(shut, "x", 1);

	(void)state;
	expect_bug("REQUEST_FOLLOWED");
	assert_true(verdict != NULL && verdict->status == 500 && verdict->reason[0] != '\0');
	assert_null(core_feed(let, "x", 1));
	expect_bug("REQUEST_FOLLOWED");
	assert_true(core_verdict(let)->allow);
	assert_int_equal(core_verdict(let)->status, 200);
	assert_string_equal(core_verdict(let)->id, "");
	core_request_free(shut);
	core_request_free(let);
}

/* The refusal stands: it was good. */
static void
a_bug_after_a_refusal_changes_nothing(void **state)
{
	const struct filter_core *both[] = { closed, open_one };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct core_request *request = filter_core_admitted(both[i]);
		size_t len = 1;

		assert_int_equal(core_feed(request, "--C\r", 4)->status, 400);
		assert_int_equal(core_feed(request, "--C\r", 4)->status, 400);
		expect_bug("REQUEST_FOLLOWED");
		assert_false(core_verdict(request)->allow);
		core_problem(request, &len);
		assert_int_equal(len, 0); /* what it would be made of is not trusted */
		core_request_free(request);
	}
}

static void
a_problem_of_one_who_has_none_is_a_bug_too(void **state)
{
	struct core_request *request = filter_core_admitted(closed);
	size_t len = 0;

	(void)state;
	core_problem(request, &len);
	expect_bug("REQUEST_REFUSED");
	assert_true(len > 0);
	assert_int_equal(core_verdict(request)->status, 500);
	core_request_free(request);
}

static void
nobody_need_hear_of_bugs(void **state)
{
	struct filter_core *deaf = filter_core_make(&(struct core_manner){ 0 });
	struct core_request *request = filter_core_admitted(deaf);

	(void)state;
	decide_twice(request);
	assert_int_equal(core_verdict(request)->status, 500);
	core_request_free(request);
	core_free(deaf);
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
