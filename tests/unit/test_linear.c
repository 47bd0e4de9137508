// SPDX-License-Identifier: MIT
/* What a byte of a form costs does not depend on what it is: nothing costs more than twelve times what random
 * data costs when fed in the same pieces.
 *
 * A busy machine makes a round dearer and never cheaper, so each cost is the cheapest of many short rounds, and
 * rounds of random data alternate with those of the pattern. A ratio that is good ends its row at once; one that is
 * not gets more rounds, up to a number that no noise outlasts. */
#include "base/mem.h"
#include "source/multipart/form.h"

#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SIZE (1u << 20)
#define ROUNDS_MIN 3
#define ROUNDS_MAX 200
#define WORST 12.0

static struct boundary boundary;

static bool
on_begin(void *arg, const struct part_head *head)
{
	(void)arg;
	(void)head;
	return true;
}

static bool
on_data(void *arg, const char *data, size_t len)
{
	uint64_t *sum = arg;

	*sum += len + (unsigned char)data[0];
	return true;
}

static bool
on_end(void *arg, uint64_t size)
{
	(void)arg;
	(void)size;
	return true;
}

static const struct source_events events = { .on_begin = on_begin, .on_data = on_data, .on_end = on_end };

static double
cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* CPU seconds for one byte of content. */
static double
feed_once(const char *content, size_t piece)
{
	static const char head[] = "Content-Disposition: form-data; name=\"a\"\r\n\r\n";
	struct form_limits limits = { .parts = 10, .part_head = 1000 };
	struct error err = { 0 };
	uint64_t sum = 0;
	size_t size = piece > 1 ? SIZE : SIZE / 8;
	struct form *form = form_new(&boundary, &limits, &events, &sum, &err);
	char first[200];
	int n = snprintf(first, sizeof first, "--%s\r\n%s", boundary.text, head);
	double start;

	assert_non_null(form);
	assert_true(form_feed(form, first, (size_t)n, &err));
	start = cpu();
	for (size_t at = 0; at < size; at += piece)
		assert_true(form_feed(form, content + at, piece, &err));
	start = cpu() - start;
	form_free(form);
	return start / (double)size;
}

struct costs {
	double random, pattern;
};

static void
keep_cheapest(double *cheapest, double cost)
{
	if (*cheapest == 0 || cost < *cheapest)
		*cheapest = cost;
}

static struct costs
measure(const char *random, const char *pattern, size_t piece)
{
	struct costs costs = { 0 };

	for (int i = 0; i < ROUNDS_MAX; i++) {
		keep_cheapest(&costs.random, feed_once(random, piece));
		keep_cheapest(&costs.pattern, feed_once(pattern, piece));
		if (i >= ROUNDS_MIN && costs.pattern < costs.random * WORST)
			break;
	}
	return costs;
}

static void
fill(char *content, const char *pattern, size_t len)
{
	for (size_t i = 0; i < SIZE; i++)
		content[i] = pattern[i % len];
}

static void
fill_random(char *content)
{
	uint32_t x = 1;

	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		content[i] = (char)(x >> 24);
	}
}

static void
nothing_costs_much_more_than_random_data(void **state)
{
	static const struct {
		const char *name, *pattern;
		size_t len;
	} rows[] = {
		{ "carriage returns", "\r", 1 },
		{ "line feeds", "\n", 1 },
		{ "empty lines", "\r\n", 2 },
		{ "dashes", "-", 1 },
		{ "lines of dashes", "\r\n--", 4 },
		{ "almost the boundary", "\r\n--AaB03xAaB03xAaB03xAaB03", 28 },
		{ "the beginning of the boundary", "\r\n--AaB0", 8 },
		{ "almost the boundary, without its start", "\n--AaB03xAaB03xAaB03xAaB03y", 28 },
		{ "short lines", "a\r\nb", 4 },
		{ "the end of the boundary", "3xAaB03x", 8 },
		{ "almost the boundary, but for its end", "--AaB03xAaB03xAaB03xAaB03", 25 },
		{ "sparser carriage returns", "\r1234567890123456", 17 },
		{ "sparser almost the boundary", "\r\n--AaB03x12345678", 18 },
		{ "almost the boundary, not dense", "\r\n--AaB03x12345678901234567890123", 33 },
	};
	static const size_t pieces[] = { 65536, 4096, 512, 1 };
	char *content = mem_alloc(SIZE), *random = mem_alloc(SIZE);

	(void)state;
	assert_non_null(content);
	assert_non_null(random);
	fill_random(random);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fill(content, rows[i].pattern, rows[i].len);
		for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
			struct costs costs = measure(random, content, pieces[p]);

			print_message("pieces of %zu: %s: %.1f times random data (%.2f s/GB)\n", pieces[p],
				rows[i].name, costs.pattern / costs.random, costs.random * 1e9);
			assert_true(costs.pattern < costs.random * WORST);
		}
	}
	mem_free(content);
	mem_free(random);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	return boundary_read(STR("multipart/form-data; boundary=AaB03xAaB03xAaB03xAaB03x"), &boundary, &err) &&
			form_setup(&err)
		? 0
		: -1;
}

static int
tear_down(void **state)
{
	(void)state;
	form_teardown();
	return 0;
}

/* Sanitizers make some instructions far dearer than others: ratios mean nothing there. */
static bool
is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_costs_much_more_than_random_data) };

	if (is_sanitized())
		return 77;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
