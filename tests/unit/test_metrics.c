// SPDX-License-Identifier: MIT
/* test_metrics.c - what is counted, and how Prometheus reads it: each name has one HELP and one TYPE, and all its samples
 * behind them. */
#include "base/metrics.h"

#include "lib/check.h"

#include <stdio.h>

static void
requests_count_by_class_and_by_error(void **state)
{
	static const struct {
		unsigned status;
		enum metric class;
	} rows[] = { { 200, METRIC_REQUESTS_2XX }, { 299, METRIC_REQUESTS_2XX }, { 303, METRIC_REQUESTS_OTHER },
		{ 400, METRIC_REQUESTS_4XX }, { 499, METRIC_REQUESTS_4XX }, { 500, METRIC_REQUESTS_5XX },
		{ 599, METRIC_REQUESTS_5XX }, { 600, METRIC_REQUESTS_OTHER }, { 0, METRIC_REQUESTS_OTHER } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct metrics metrics = { 0 };
		size_t sum = 0;

		metrics_request(&metrics, rows[i].status, rows[i].status == 400 ? ERR_MALFORMED : ERR_NONE);
		for (size_t n = 0; n < N_METRICS; n++)
			sum += counter_read(&metrics.n[n]);
		assert_int_equal(sum, 1);
		assert_int_equal(counter_read(&metrics.n[rows[i].class]), 1);
		assert_int_equal(counter_read(&metrics.errors[ERR_MALFORMED]), rows[i].status == 400);
	}
	metrics_request(NULL, 200, ERR_NONE); /* nobody counts */
	metrics_add(NULL, METRIC_PARTS, 1);
}

static void
each_name_has_one_head_and_its_samples_behind_it(void **state)
{
	struct metrics metrics = { 0 };
	struct buf out = { 0 };
	char head[200] = "", *rest;

	(void)state;
	metrics_add(&metrics, METRIC_BODY_BYTES, 5);
	metrics_write(&metrics, &out);
	assert_non_null(strstr(buf_str(&out).data, "\npenstock_body_bytes_total 5\n"));
	assert_non_null(strstr(buf_str(&out).data, "\npenstock_requests_total{status=\"2xx\"} 0\n"));
	for (char *line = strtok_r(out.data, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "# HELP ", 7) == 0)
			snprintf(head, sizeof head, "%.*s", (int)strcspn(line + 7, " "), line + 7);
		else if (strncmp(line, "# TYPE ", 7) == 0)
			assert_memory_equal(line + 7, head, strlen(head));
		else
			assert_memory_equal(line, head, strcspn(line, "{ "));
	}
	buf_free(&out);
}

static void
a_sample_has_as_many_labels_as_it_is_given(void **state)
{
	static const struct metrics_label labels[] = { { "a", "1" }, { "b", "2" } };
	struct buf out = { 0 };

	(void)state;
	metrics_write_sample(&out, "x", NULL, NULL, 1);
	metrics_write_sample(&out, "x", "a", "b", UINT64_MAX);
	metrics_write_labelled(&out, "x", labels, 2, 0);
	assert_string_equal(out.data, "x 1\nx{a=\"b\"} 18446744073709551615\nx{a=\"1\",b=\"2\"} 0\n");
	buf_free(&out);
}

static void
a_counter_takes_no_more_than_is_allowed(void **state)
{
	struct counter counter = { 0 };

	(void)state;
	assert_false(counter_take(&counter, 0));
	assert_true(counter_take(&counter, 2) && counter_take(&counter, 2));
	assert_false(counter_take(&counter, 2));
	counter_sub(&counter, 1);
	assert_true(counter_take(&counter, 2));
	assert_int_equal(counter_read(&counter), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_count_by_class_and_by_error),
		cmocka_unit_test(each_name_has_one_head_and_its_samples_behind_it),
		cmocka_unit_test(a_sample_has_as_many_labels_as_it_is_given),
		cmocka_unit_test(a_counter_takes_no_more_than_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
