// SPDX-License-Identifier: MIT
/* test_scan.c - what the filter makes of a body while it streams: each row at every split, and beside the form. */
#include "base/mem.h"
#include "native/scan.h"

#include "lib/agree.h"
#include "lib/check.h"

#include <stdio.h>

#define HEAD "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n"
#define PART HEAD "1\r\n"
#define END "--B--\r\n"
#define LINES_64                                                                                                   \
	"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
#define LINES_512 LINES_64 LINES_64 LINES_64 LINES_64 LINES_64 LINES_64 LINES_64 LINES_64

static const struct boundary boundary = { "B", 1 };
static const struct limits limits = { .body = 3000, .parts = 3, .part_head = 60 };

static const struct {
	const char *body, *want;
} rows[] = {
	{ "", "passed" },
	{ PART END, "passed" },
	{ PART PART PART END, "passed" },
	{ PART, "passed" }, /* the end of a body is the sidecar's to judge */
	{ PART "--B-", "passed" },
	{ "\r\n\r\n" PART END, "passed" },
	{ PART END "what is behind is not looked at -\r\n--A--b--\r\n", "passed" },
	{ PART END "--B\r\n", "malformed@57 : the boundary again behind the final one" },
	{ PART END "x--B", "malformed@58 : the boundary again behind the final one" },
	{ PART END "x\n--B--", "malformed@59 : the boundary again behind the final one" },
	{ END END, "malformed@7 : the boundary again behind the final one" },
	{ HEAD "1\n--B\r\n", "malformed@49 : the boundary within a part's content, not behind CR LF" },
	{ HEAD "1\r--B--\r\n" END, "malformed@49 : the boundary within a part's content, not behind CR LF" },
	{ HEAD "--B", "malformed@47 : a delimiter right after a part's head, without a line of its own" },
	{ HEAD "1--Bx", "malformed@48 : the boundary within a part's content, not behind CR LF" },
	{ HEAD "\r\n----B", "malformed@51 : the boundary within a part's content, not behind CR LF" },
	{ HEAD "1\r\r\n-\n-\r\n--b\r\n-B--A\r\n--\r\n" END, "passed" },
	{ "\n--B\r\n", "malformed@1 : a line before the first part begins with another boundary" },
	{ "x--B\r\n", "malformed@1 : the boundary before the first part, not behind CR LF" },
	{ "----B\r\n", "malformed@0 : a line before the first part begins with another boundary" },
	{ "text\n-A--\r\n-\r -- b\r\n" PART END, "passed" },
	{ "text\r--", "malformed@5 : a line before the first part begins with another boundary" },
	{ "--C\r\n" PART END, "malformed@0 : a line before the first part begins with another boundary" },
	{ LINES_512 LINES_512 "--C\r\n",
		"malformed@1024 : its boundary does not stand within the first 1024 bytes of the body" },
	{ "MIME-Version: 1.0\r\n\r\n" PART END, "passed" },
	{ LINES_512 LINES_512 "\r\n" PART END, "passed" },
	{ HEAD "\r\n--B \r\n--\r\n\r\r\n-\r\n--C\r\n" END,
		"malformed@52 : a delimiter is followed by something other than "
		"CRLF or \"--\"" },
	{ HEAD "\r\n--C \r\n--\r\n\r\r\n-\r\n--\r\n" END, "passed" },
	{ "--B\r\n\r\n\r\n" END, "malformed@5 : part 1: a part without Content-Disposition" },
	{ "abcd", "passed" }, /* the end of a body is the sidecar's to judge */
	{ LINES_512 LINES_512 "x\r\n" PART END,
		"malformed@1024 : its boundary does not stand within the first 1024 bytes of the body" },
	{ LINES_512 LINES_512 PART END, "passed" },
	{ LINES_512 LINES_512 "\r\n\r\n" PART END,
		"malformed@1024 : its boundary does not stand within the first 1024 bytes of the body" },
	{ "--Bx\r\n", "malformed@3 : a delimiter is followed by something other than CRLF or \"--\"" },
	{ "--B-x\r\n", "malformed@4 : a delimiter is followed by something other than CRLF or \"--\"" },
	{ PART "--B--", "passed" },
	{ PART "--B--x\r\n",
		"malformed@55 : the final boundary is followed by something other than CRLF or the end" },
	{ "--B\r\nContent-Disposition : form-data; name=a\r\n\r\n1\r\n" END,
		"malformed@5 : part 1: a blank in a header's name, or between it and its colon, in a part's head" },
	/* of two faults the first, whoever reads */
	{ PART "--B\r\nno colon\r\n\r\n1\r\n--Bx",
		"malformed@55 : part 2: a header line without a name and a colon in a part's head" },
	{ PART "--B\r\nno colon\r\n\r\n1\r\n--B\r\nX: a head that is over the limit of sixty bytes, and that by far",
		"malformed@55 : part 2: a header line without a name and a colon in a part's head" },
	{ "--B\r\nno colon, and over the limit of sixty bytes, which is seen first ..\r\n\r\n1\r\n" END,
		"too-large@65 part_head: a part's head is over part_head of 60 bytes" },
	{ PART PART PART "--B\r\nno colon\r\n\r\n1\r\n" END, "too-large@148 parts: more than 3 parts" },
	{ PART PART PART PART END, "too-large@148 parts: more than 3 parts" },
	{ "--B\r\nContent-Disposition: form-data; name=a\r\nX: 123456789 12345\r\n\r\n1\r\n" END,
		"passed" }, /* 60 bytes of head */
	{ "--B\r\nContent-Disposition: form-data; name=a\r\nX: 123456789 123456\r\n\r\n1\r\n" END,
		"too-large@65 part_head: a part's head is over part_head of 60 bytes" },
	{ "--B\r\nX: no end of a head ever comes, and so it is refused as soon as it is too long ....",
		"too-large@65 part_head: a part's head is over part_head of 60 bytes" },
};

static void
expect_verdict(const char *body, const char *want, struct cut cut)
{
	struct str text = str_of(body);
	struct buf verdict = { 0 }, why = { 0 };

	agree_scan(&boundary, &limits, text, cut, &verdict);
	if (strcmp(verdict.data, want) != 0)
		fail_msg("%s\n cut at %zu, then every %zu\n got  %s\n want %s", body, cut.first, cut.step,
			verdict.data, want);
	if (!agree(&boundary, &limits, text, cut, &why))
		fail_msg("%s\n cut at %zu, then every %zu\n%s", body, cut.first, cut.step, why.data);
	buf_free(&verdict);
	buf_free(&why);
}

static void
every_row_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].body);

		for (size_t at = 0; at <= len; at++)
			expect_verdict(rows[i].body, rows[i].want, (struct cut){ at, len + 1 });
		for (size_t step = 1; step <= 61; step += 3)
			expect_verdict(rows[i].body, rows[i].want, (struct cut){ 0, step });
	}
}

static void
a_body_is_cut_at_its_limit_whatever_is_in_it(void **state)
{
	const char *want = "too-large@90 body: the body is over the limit of 90 bytes";
	struct limits few = { .body = 90, .parts = 3, .part_head = 60 };
	char body[200];

	(void)state;
	memset(body, 'x', sizeof body);
	memcpy(body, HEAD, sizeof HEAD - 1);
	for (size_t at = 0; at <= sizeof body; at++) {
		struct buf verdict = { 0 }, why = { 0 };
		struct cut cut = { at, 7 };

		agree_scan(&boundary, &few, (struct str){ body, 90 }, cut, &verdict);
		assert_string_equal(verdict.data, "passed");
		buf_clear(&verdict);
		agree_scan(&boundary, &few, (struct str){ body, at > 91 ? at : 91 }, cut, &verdict);
		assert_string_equal(verdict.data, want);
		assert_true(agree(&boundary, &few, (struct str){ body, sizeof body }, cut, &why));
		buf_free(&verdict);
		buf_free(&why);
	}
}

/* Contents are looked at in blocks: whatever is before a delimiter, and wherever it is cut, it is found. */
static void
a_delimiter_is_found_behind_contents_of_any_length(void **state)
{
	static const char almost[] = "\r\n--C\r\n-\r-\r\n--";

	(void)state;
	for (size_t len = 0; len <= 300; len++) {
		char body[400], want[120];
		struct str text = { body, sizeof HEAD - 1 + len + 6 };
		struct buf verdict = { 0 };

		memcpy(body, HEAD, sizeof HEAD - 1);
		for (size_t i = 0; i < len; i++)
			body[sizeof HEAD - 1 + i] = len % 2 == 0 ? 'x' : almost[i % (sizeof almost - 1)];
		memcpy(body + sizeof HEAD - 1 + len, "\r\n--Bx", 6);
		snprintf(want, sizeof want,
			"malformed@%zu : a delimiter is followed by something other than CRLF or \"--\"",
			text.len - 1);
		for (size_t step = 1; step <= text.len; step += step < 3 ? 1 : 61) {
			buf_clear(&verdict);
			agree_scan(&boundary, &limits, text, (struct cut){ len % 90, step }, &verdict);
			assert_string_equal(verdict.data, want);
		}
		buf_free(&verdict);
	}
}

/* Malformed before the limit is malformed, also where one piece holds both. */
static void
the_first_fault_in_the_body_is_the_one_that_is_told(void **state)
{
	struct limits few = { .body = 10, .parts = 3, .part_head = 60 };
	const char *body = "--Bxxxxxxxxxxxxx";

	(void)state;
	for (size_t at = 0; at <= strlen(body); at++) {
		struct buf verdict = { 0 };

		agree_scan(&boundary, &few, str_of(body), (struct cut){ at, 100 }, &verdict);
		assert_string_equal(verdict.data,
			"malformed@3 : a delimiter is followed by something other than CRLF or \"--\"");
		buf_free(&verdict);
	}
}

/* Whatever it looks like, at and one over the limit. */
static void
of_a_body_without_delimiters_only_the_length_is_looked_at(void **state)
{
	struct limits few = { .body = 10, .parts = 1, .part_head = 60 };
	struct error err = { 0 };
	struct scan scan;

	(void)state;
	scan_init(&scan, &few, NULL);
	assert_true(scan_feed(&scan, "--B\r\n", 5, &err) && scan_feed(&scan, "--Bx-", 5, &err));
	assert_false(scan_feed(&scan, "x", 1, &err));
	assert_true(err.kind == ERR_TOO_LARGE && err.offset == 10);
	assert_string_equal(err.limit, "body");
	scan_fini(&scan);
}

static void
no_limit_is_none(void **state)
{
	struct limits none = { .body = LIMIT_NONE, .parts = LIMIT_NONE, .part_head = 60 };
	struct scan scan;
	struct error err = { 0 };

	(void)state;
	scan_init(&scan, &none, &boundary);
	for (int i = 0; i < 10000; i++)
		assert_true(scan_feed(&scan, PART, sizeof PART - 1, &err));
	assert_int_equal(scan.reader.n_parts, 10000);
	scan_fini(&scan);
}

static void
it_allocates_for_the_longest_head_and_for_nothing_else(void **state)
{
	struct limits large = { .body = LIMIT_NONE, .parts = LIMIT_NONE, .part_head = 60 };
	struct error err = { 0 };
	struct scan scan;
	char piece[4096];

	(void)state;
	memset(piece, 'x', sizeof piece);
	scan_init(&scan, &large, &boundary);
	assert_true(scan_feed(&scan, PART, sizeof PART - 1, &err));
	mem_fail(0, 0);
	for (int i = 0; i < 1000; i++) {
		assert_true(scan_feed(&scan, HEAD, sizeof HEAD - 1, &err));
		assert_true(scan_feed(&scan, piece, sizeof piece, &err));
		assert_true(scan_feed(&scan, "\r\n", 2, &err));
	}
	assert_int_equal(mem_fail(0, 0), 0);
	assert_true(scan.guard.head.cap <= 256);
	scan_fini(&scan);
}

static void
out_of_memory_is_no_fault_of_the_body(void **state)
{
	struct error err = { 0 };
	struct scan scan;

	(void)state;
	scan_init(&scan, &limits, &boundary);
	mem_fail(1, SIZE_MAX);
	assert_false(scan_feed(&scan, PART, sizeof PART - 1, &err));
	mem_fail(0, 0);
	assert_int_equal(err.kind, ERR_NOMEM);
	scan_fini(&scan);
}

static int
setup(void **state)
{
	struct error err = { 0 };

	(void)state;
	return form_setup(&err) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	form_teardown();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_at_every_split),
		cmocka_unit_test(a_body_is_cut_at_its_limit_whatever_is_in_it),
		cmocka_unit_test(a_delimiter_is_found_behind_contents_of_any_length),
		cmocka_unit_test(the_first_fault_in_the_body_is_the_one_that_is_told),
		cmocka_unit_test(of_a_body_without_delimiters_only_the_length_is_looked_at),
		cmocka_unit_test(no_limit_is_none),
		cmocka_unit_test(it_allocates_for_the_longest_head_and_for_nothing_else),
		cmocka_unit_test(out_of_memory_is_no_fault_of_the_body),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
