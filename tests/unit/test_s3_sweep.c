// SPDX-License-Identifier: MIT
/* test_s3_sweep.c - what is pure of a sweep: how old is old enough, which uploads of a page are ended, where the next page
 * begins, and when it is tried again. */
#include "sink/s3/sweep_page.h"
#include "sink/sweeper.h"

#include "base/mem.h"
#include "lib/check.h"

#include <stdio.h>

#define N(array) (sizeof(array) / sizeof(array)[0])
#define HOUR_MS (UINT64_C(3600) * 1000)
#define NOON INT64_C(1764417600) /* 2025-11-29T12:00:00Z */

static void
add(struct s3_page *page, const char *key, const char *id, const char *initiated)
{
	const struct s3_answer_upload upload = { str_of(key), str_of(id), str_of(initiated) };

	s3_page_add(page, &upload);
}

/* -- ages ------------------------------------------------------------------------------------------------ */

static void
an_upload_is_old_a_second_after_its_time(void **state)
{
	static const struct {
		const char *initiated;
		uint64_t older_ms;
		bool is_old;
	} cases[] = {
		{ "2025-11-29T11:00:00.000Z", HOUR_MS, false },
		{ "2025-11-29T10:59:59.999Z", HOUR_MS, true },
		{ "2025-11-29T11:00:00Z", HOUR_MS - 1000, true },
		{ "2025-11-29T11:00:00Z", HOUR_MS - 999, false },
		{ "2025-11-29T12:00:00+01:00", HOUR_MS - 1000, true },
		{ "1970-01-01T00:00:00Z", 8760 * HOUR_MS, true },
		{ "2025-11-29T12:00:00Z", 1, false },
		{ "2025-11-29T11:59:59Z", 1, false },
		{ "2025-11-29T11:59:58Z", 1, true },
		{ "2025-11-29T13:00:00Z", 1, false },
		{ "9999-12-31T23:59:59Z", 1, false },
		{ "", 1, false },
		{ "yesterday", 1, false },
		{ "2025-11-28", 1, false },
		{ "Fri, 28 Nov 2025 12:00:00 GMT", 1, false },
	};
	struct s3_page page = { 0 };

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		s3_page_begin(&page, "a", cases[i].older_ms, NOON);
		add(&page, "a", "1", cases[i].initiated);
		if (page.n != cases[i].is_old || page.n_seen != 1)
			fail_msg("%s: %zu", cases[i].initiated, page.n);
	}
	s3_page_begin(&page, "a", 1, NOON);
	s3_page_add(&page, &(struct s3_answer_upload){ STR("a"), STR("1"), STR_NONE });
	assert_true(page.n == 0 && page.n_seen == 1);
	s3_page_free(&page);
}

static void
the_earlier_clock_counts(void **state)
{
	static const struct {
		const char *date;
		int64_t at_s;
	} cases[] = {
		{ "Sat, 29 Nov 2025 12:00:00 GMT", NOON },
		{ "Sat, 29 Nov 2025 11:00:00 GMT", NOON - 3600 },
		{ "Sat, 29 Nov 2025 13:00:00 GMT", NOON },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "", NOON },
		{ "Sat, 29 Nov 2025 11:00:00", NOON },
		{ "Sat, 29 Nov 2025 11:00:00 GMT+1", NOON },
		{ "2025-11-29T11:00:00Z", NOON },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		if (s3_page_now_s(NOON, cases[i].date) != cases[i].at_s)
			fail_msg("%s", cases[i].date);
}

/* -- a page ---------------------------------------------------------------------------------------------- */

#define OLD "2025-11-29T00:00:00Z"
#define YOUNG "2025-11-29T11:30:00Z"

static void
only_what_is_old_and_below_the_prefix_is_ended(void **state)
{
	struct s3_page page = { 0 };

	(void)state;
	s3_page_begin(&page, "up/", HOUR_MS, NOON);
	add(&page, "up/1", "a", OLD);
	add(&page, "up/1", "b", YOUNG);
	add(&page, "up/", "c", OLD);
	add(&page, "up", "d", OLD);
	add(&page, "Up/1", "e", OLD);
	add(&page, "x/up/1", "f", OLD);
	assert_true(page.n == 2 && page.n_seen == 3 && !page.is_full && !page.failed);
	assert_string_equal(page.uploads[0].key, "up/1");
	assert_string_equal(page.uploads[0].id, "a");
	assert_string_equal(page.uploads[1].key, "up/");
	assert_string_equal(page.uploads[1].id, "c");
	s3_page_begin(&page, "x", HOUR_MS, NOON); /* what was there is forgotten */
	assert_true(page.n == 0 && page.n_seen == 0);
	s3_page_free(&page);
}

static void
a_page_has_room_for_a_hundred(void **state)
{
	struct s3_page page = { 0 };
	char key[16];

	(void)state;
	s3_page_begin(&page, "", HOUR_MS, NOON);
	for (unsigned i = 0; i < S3_PAGE_UPLOADS; i++) {
		snprintf(key, sizeof key, "%03u", i);
		add(&page, key, "id", OLD);
	}
	add(&page, "young", "id", YOUNG);
	assert_true(page.n == S3_PAGE_UPLOADS && !page.is_full);
	add(&page, "one more", "id", OLD);
	assert_true(page.n == S3_PAGE_UPLOADS && page.is_full && page.n_seen == S3_PAGE_UPLOADS + 2);
	assert_string_equal(page.uploads[S3_PAGE_UPLOADS - 1].key, "099");
	s3_page_free(&page);
}

static void
without_memory_a_page_is_not_whole(void **state)
{
	(void)state;
	for (size_t nth = 1; nth <= 2; nth++) {
		struct s3_page page = { 0 };

		s3_page_begin(&page, "", HOUR_MS, NOON);
		mem_fail(nth, 1);
		add(&page, "key", "id", OLD);
		mem_fail(0, 0);
		assert_true(page.failed);
		s3_page_free(&page);
	}
}

/* -- from one page to the next ---------------------------------------------------------------------------- */

static enum s3_marks_said
next_of(const struct s3_marks *marks, const char *inside, struct s3_marks *next)
{
	struct s3_answer *list = s3_answer_new(S3_ANSWER_UPLOADS_MAX_BYTES);
	struct buf text = { 0 };
	struct error err = { 0 };
	enum s3_marks_said said;

	buf_addf(&text, "<ListMultipartUploadsResult>%s</ListMultipartUploadsResult>", inside);
	assert_true(s3_answer_feed(list, buf_str(&text)) && s3_answer_end(list, &err));
	said = s3_marks_next(marks, list, next);
	s3_answer_free(list);
	buf_free(&text);
	return said;
}

#define MORE "<IsTruncated>true</IsTruncated>"
#define KEY(key) "<NextKeyMarker>" key "</NextKeyMarker>"
#define ID(id) "<NextUploadIdMarker>" id "</NextUploadIdMarker>"

static void
a_page_begins_behind_the_one_before(void **state)
{
	static const struct {
		const char *inside;
		enum s3_marks_said said;
	} cases[] = {
		{ "", S3_MARKS_LAST },
		{ "<IsTruncated>false</IsTruncated>" KEY("c") ID("1"), S3_MARKS_LAST },
		{ MORE KEY("c") ID("1"), S3_MARKS_ON },
		{ "<IsTruncated>True</IsTruncated>" KEY("c") ID("1"), S3_MARKS_ON },
		{ MORE KEY("bb"), S3_MARKS_ON },
		{ MORE KEY("b") ID("8"), S3_MARKS_ON },
		{ MORE KEY("b") ID("9"), S3_MARKS_STUCK },
		{ MORE KEY("a") ID("9"), S3_MARKS_ON }, /* not in the order of keys */
		{ MORE ID("9"), S3_MARKS_ON },
	};
	struct s3_marks none = { 0 }, marks = { 0 }, next = { 0 };

	(void)state;
	buf_add_text(&marks.key, "b");
	buf_add_text(&marks.id, "9");
	for (size_t i = 0; i < N(cases); i++)
		if (next_of(&marks, cases[i].inside, &next) != cases[i].said)
			fail_msg("%s", cases[i].inside);
	assert_int_equal(next_of(&none, MORE, &next), S3_MARKS_STUCK);
	assert_int_equal(next_of(&none, MORE KEY("") ID(""), &next), S3_MARKS_STUCK);
	assert_int_equal(next_of(&none, MORE KEY("") ID("1"), &next), S3_MARKS_ON);
	assert_true(next.key.len == 0);
	assert_int_equal(next_of(&marks, MORE KEY("c&amp;d") ID("+/="), &next), S3_MARKS_ON);
	assert_string_equal(next.key.data, "c&d");
	assert_string_equal(next.id.data, "+/=");
	s3_marks_free(&marks);
	s3_marks_free(&next);
}

static void
a_page_knows_whether_it_ends_where_something_is_ended(void **state)
{
	struct s3_page page = { 0 };
	struct s3_marks next = { 0 };

	(void)state;
	s3_page_begin(&page, "", HOUR_MS, NOON);
	add(&page, "a", "1", OLD);
	add(&page, "b", "2", YOUNG);
	buf_add_text(&next.key, "a");
	buf_add_text(&next.id, "1");
	assert_true(s3_page_has_mark(&page, &next));
	buf_clear(&next.key);
	assert_true(s3_page_has_mark(&page, &next)); /* the id alone */
	buf_add_text(&next.key, "b");
	assert_false(s3_page_has_mark(&page, &next));
	buf_clear(&next.id);
	assert_false(s3_page_has_mark(&page, &next));
	buf_add_text(&next.id, "2");
	assert_false(s3_page_has_mark(&page, &next));
	s3_page_free(&page);
	s3_marks_free(&next);
}

static void
what_is_asked_for_is_escaped(void **state)
{
	struct s3_marks marks = { 0 };
	struct buf query = { 0 };

	(void)state;
	s3_marks_query(&marks, "up/a b&c", &query);
	assert_string_equal(query.data, "uploads=&max-uploads=100&prefix=up%2Fa%20b%26c");
	buf_clear(&query);
	buf_add_text(&marks.key, "up/\xe2\x98\x83");
	buf_add_text(&marks.id, "x+/=");
	s3_marks_query(&marks, "up/", &query);
	assert_string_equal(query.data,
		"uploads=&max-uploads=100&prefix=up%2F&key-marker=up%2F%E2%98%83&upload-id-marker=x%2B%2F%3D");
	buf_free(&query);
	s3_marks_free(&marks);
}

/* -- when ------------------------------------------------------------------------------------------------- */

static void
it_rests_for_a_day_and_less_after_a_failure(void **state)
{
	(void)state;
	assert_true(sweeper_rest_ms(0) == 24 * HOUR_MS);
	assert_true(sweeper_rest_ms(1) == 1000);
	assert_true(sweeper_rest_ms(2) == 2000);
	assert_true(sweeper_rest_ms(12) == 2048000);
	assert_true(sweeper_rest_ms(13) == HOUR_MS);
	assert_true(sweeper_rest_ms(14) == HOUR_MS);
	assert_true(sweeper_rest_ms(1000000) == HOUR_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upload_is_old_a_second_after_its_time),
		cmocka_unit_test(the_earlier_clock_counts),
		cmocka_unit_test(only_what_is_old_and_below_the_prefix_is_ended),
		cmocka_unit_test(a_page_has_room_for_a_hundred),
		cmocka_unit_test(without_memory_a_page_is_not_whole),
		cmocka_unit_test(a_page_begins_behind_the_one_before),
		cmocka_unit_test(a_page_knows_whether_it_ends_where_something_is_ended),
		cmocka_unit_test(what_is_asked_for_is_escaped),
		cmocka_unit_test(it_rests_for_a_day_and_less_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
