// SPDX-License-Identifier: MIT
/* test_log.c - what a line of the log looks like in both forms, and that whoever logs never waits for whoever reads: what was not
 * read in time is dropped, counted, and told of in its place. */
#include "base/log.h"

#include "base/log_queue.h"

#include "lib/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_LINES 20000 /* more than the queue and a pipe hold */

static int ends[2]; /* of the pipe that the log goes to */

static int
open_pipe(void **state)
{
	(void)state;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	log_to(ends[1]);
	return 0;
}

static int
close_pipe(void **state)
{
	(void)state;
	log_to(STDERR_FILENO);
	log_setup(LOG_INFO, LOG_TEXT);
	close(ends[0]);
	return close(ends[1]);
}

/* -- how a line looks --------------------------------------------------------------------------------- */

/* What has come, without the time: 24 bytes, behind `{"time":"` where it is JSON. */
static void
assert_came(size_t time_at, const char *before, const char *after)
{
	char text[2000];
	ssize_t n = read(ends[0], text, sizeof text - 1);

	assert_true(n > (ssize_t)time_at + 24);
	text[n] = '\0';
	assert_memory_equal(text, before, time_at);
	assert_true(text[time_at + 4] == '-' && text[time_at + 10] == 'T' && text[time_at + 23] == 'Z');
	assert_string_equal(text + time_at + 24, after);
}

static void
a_line_is_text_or_json(void **state)
{
	(void)state;
	log_setup(LOG_WARN, LOG_TEXT);
	log_line(LOG_WARN, "room", "a \"word\"", LOG_NUM("n", UINT64_MAX), LOG_TEXTVAL("text", "a\nb"),
		LOG_STR("none", STR_NONE), LOG_STR("empty", STR("")));
	assert_came(
		0, "", " warn room msg=\"a \\\"word\\\"\" n=18446744073709551615 text=\"a\\u000ab\" empty=\"\"\n");
	log_setup(LOG_WARN, LOG_JSON);
	log_line(LOG_ERROR, "room", "word", LOG_NUM("n", 0), LOG_STR("none", STR_NONE),
		LOG_STR("bad", STR("\xff\x7f")));
	assert_came(9, "{\"time\":\"",
		"\",\"level\":\"error\",\"room\":\"room\",\"msg\":\"word\",\"n\":0,\"bad\":\"\xef\xbf\xbd\\u007f\"}\n");
}

static void
a_long_text_is_cut_and_stays_utf_8(void **state)
{
	char text[1001], shown[400];

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	memset(text, 'x', sizeof text - 1);
	memcpy(text + 255, "\xc3\xa9", 2); /* across the end of what is shown */
	text[sizeof text - 1] = '\0';
	log_line(LOG_INFO, "room", "m", LOG_TEXTVAL("text", text));
	snprintf(shown, sizeof shown, " info room msg=\"m\" text=\"%.255s\xef\xbf\xbd\"\n", text);
	assert_came(0, "", shown);
}

static void
what_nobody_wants_to_know_is_not_written(void **state)
{
	(void)state;
	log_setup(LOG_WARN, LOG_TEXT);
	assert_true(log_enabled(LOG_ERROR) && log_enabled(LOG_WARN) && !log_enabled(LOG_INFO));
	log_line(LOG_INFO, "room", "not this", LOG_NUM("n", 1));
	log_line(LOG_WARN, "room", "this", LOG_NUM("n", 1));
	assert_came(0, "", " warn room msg=\"this\" n=1\n");
}

/* -- the queue ---------------------------------------------------------------------------------------- */

/* The lines that have come, until one says that it is the last. */
static size_t
read_until_last(char *text, size_t room)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(ends[0], text + len, room - len - 1);
		assert_true(n > 0);
		len += (size_t)n;
		text[len] = '\0';
	} while (strstr(text, "the last") == NULL);
	return len;
}

/* Lines "n=..." must be those from 0 on, in order; returns how many there are before a gap, and how many it says to be lost. */
static size_t
count_in_order(const char *text, size_t *lost)
{
	size_t n = 0;

	*lost = 0;
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		const char *number = strstr(line, " n="), *gap = strstr(line, " lines=");
		const char *stop = strchr(line, '\n');

		assert_non_null(stop);
		if (gap != NULL && gap < stop) {
			assert_int_equal(*lost, 0);
			*lost = strtoul(gap + 7, NULL, 10);
		} else if (number != NULL && number < stop) {
			assert_int_equal(strtoul(number + 3, NULL, 10), n + *lost);
			n++;
		}
	}
	return n;
}

static void
lines_come_in_their_order(void **state)
{
	static char text[200000];
	struct metrics metrics = { 0 };
	struct error err = { 0 };
	size_t lost;

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	assert_true(log_start(&metrics, &err));
	for (size_t i = 0; i < 1000; i++)
		log_line(LOG_INFO, "room", "m", LOG_NUM("n", i));
	log_stop(); /* all of it is less than a pipe holds */
	log_stop(); /* does no harm */
	log_line(LOG_INFO, "room", "the last", LOG_STR("s", STR_NONE));
	read_until_last(text, sizeof text);
	assert_int_equal(count_in_order(text, &lost), 1000);
	assert_int_equal(lost, 0);
	assert_int_equal(counter_read(&metrics.n[METRIC_LOG_LINES_LOST]), 0);
}

static void
what_is_not_read_in_time_is_told_in_its_place(void **state)
{
	static char text[4u << 20];
	struct metrics metrics = { 0 };
	struct error err = { 0 };
	size_t n, lost;

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	assert_true(log_start(&metrics, &err));
	for (size_t i = 0; i < N_LINES; i++)
		log_line(LOG_INFO, "room", "m", LOG_NUM("n", i));
	lost = counter_read(&metrics.n[METRIC_LOG_LINES_LOST]);
	assert_true(lost > 0 && lost < N_LINES);
	for (size_t told = 0, len = 0; told == 0;) { /* the reader goes on until it has come to the gap */
		ssize_t got = read(ends[0], text + len, sizeof text - len - 1);

		assert_true(got > 0);
		len += (size_t)got;
		text[len] = '\0';
		told = strstr(text, "lines were lost") != NULL && text[len - 1] == '\n';
	}
	n = count_in_order(text, &lost);
	assert_int_equal(n + lost, N_LINES);
	assert_int_equal(counter_read(&metrics.n[METRIC_LOG_LINES_LOST]), lost);
	log_line(LOG_INFO, "room", "the last", LOG_STR("s", STR_NONE)); /* there is room again */
	read_until_last(text, sizeof text);
	log_stop();
}

/* The last test: the queue's thread stays in its write. */
static void
the_end_does_not_wait_for_a_reader_for_ever(void **state)
{
	struct metrics metrics = { 0 };
	struct error err = { 0 };

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	assert_true(log_start(&metrics, &err));
	for (size_t i = 0; i < 5000; i++)
		log_line(LOG_INFO, "room", "m", LOG_NUM("n", i));
	log_queue_stop(10);
	for (size_t i = 0; i < 5000; i++) /* dropped, and nothing waits */
		log_line(LOG_INFO, "room", "m", LOG_NUM("n", i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_is_text_or_json, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(a_long_text_is_cut_and_stays_utf_8, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(what_nobody_wants_to_know_is_not_written, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(lines_come_in_their_order, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(
			what_is_not_read_in_time_is_told_in_its_place, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(the_end_does_not_wait_for_a_reader_for_ever, open_pipe, NULL),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
