// SPDX-License-Identifier: MIT
/* test_must.c - a promise that is broken ends the process or, behind a fence, what runs there. */
#include "base/must.h"

#include "lib/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct walk {
	int want, reached;
	struct must_broken inner;
	bool inner_held;
};

static void
walk(void *arg)
{
	struct walk *w = arg;

	for (w->reached = 0; w->reached < 3; w->reached++)
		must(w->reached != w->want);
}

static void
walk_within(void *arg)
{
	struct walk *w = arg;

	w->inner_held = !must_fenced(walk, arg, &w->inner);
	must(w->want != 1);
}

static void
what_keeps_its_promises_comes_to_its_end(void **state)
{
	struct walk w = { .want = 9 };
	struct must_broken broken = { 0 };

	(void)state;
	assert_true(must_fenced(walk, &w, &broken));
	assert_int_equal(w.reached, 3);
	assert_null(broken.cond);
}

static void
a_broken_promise_ends_the_run_and_says_which(void **state)
{
	struct walk w = { .want = 2 };
	struct must_broken broken = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_false(must_fenced(walk, &w, &broken));
		assert_int_equal(w.reached, 2);
		assert_string_equal(broken.cond, "w->reached != w->want");
		assert_string_equal(broken.func, "walk");
		assert_non_null(strstr(broken.file, "test_must.c"));
		assert_true(broken.line > 0);
	}
}

/* Each fence takes what breaks within it, and then the one around it counts again. */
static void
a_fence_within_a_fence_takes_its_own(void **state)
{
	struct walk both = { .want = 1 }, inner_only = { .want = 0 };
	struct must_broken broken = { 0 };

	(void)state;
	assert_false(must_fenced(walk_within, &both, &broken));
	assert_true(both.inner_held);
	assert_string_equal(both.inner.func, "walk");
	assert_string_equal(broken.func, "walk_within");
	assert_true(must_fenced(walk_within, &inner_only, &broken));
	assert_true(inner_only.inner_held);
}

static void *
break_one(void *arg)
{
	struct walk w = { .want = 1 };
	struct must_broken broken;

	for (int i = 0; i < 10000; i++)
		if (must_fenced(walk, &w, &broken))
			return arg;
	return NULL;
}

static void
each_thread_has_fences_of_its_own(void **state)
{
	pthread_t threads[4];
	char failed;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, break_one, &failed), 0);
	for (size_t i = 0; i < 4; i++) {
		void *result = &failed;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
}

/* Also behind a fence that is gone. */
static void
without_a_fence_the_process_ends(void **state)
{
	struct walk fine = { .want = 9 }, broken_one = { .want = 1 };
	struct must_broken broken;
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) != NULL && must_fenced(walk, &fine, &broken))
			walk(&broken_one);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_keeps_its_promises_comes_to_its_end),
		cmocka_unit_test(a_broken_promise_ends_the_run_and_says_which),
		cmocka_unit_test(a_fence_within_a_fence_takes_its_own),
		cmocka_unit_test(each_thread_has_fences_of_its_own),
		cmocka_unit_test(without_a_fence_the_process_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
