// SPDX-License-Identifier: MIT
/* test_accept.c - who prefers a page over JSON, by the Accept lines that clients send. */
#include "reply/accept.h"

#include "lib/check.h"

static bool
nth_line(const void *arg, struct str name, size_t nth, struct str *value)
{
	const char *const *lines = arg;

	assert_true(str_is(name, "accept"));
	for (size_t i = 0; i <= nth; i++)
		if (lines[i] == NULL)
			return false;
	*value = str_of(lines[nth]);
	return true;
}

static const struct {
	const char *lines[3];
	bool page;
} rows[] = {
	{ { NULL }, false },
	{ { "" }, false },
	{ { "*/*" }, false }, /* curl, fetch */
	{ { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8" }, true },
	{ { "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8" }, true },
	{ { "application/json, text/plain, */*" }, false }, /* axios */
	{ { "application/json, application/problem+json" }, false },
	{ { "text/html" }, true },
	{ { "TEXT/Html" }, true },
	{ { "text/*" }, true },
	{ { "text/plain" }, false },
	{ { "text/html;q=0" }, false },
	{ { "text/html;q=0, */*" }, false },
	{ { "text/html;q=0.5, application/problem+json;q=0.4" }, true },
	{ { "text/html;q=0.5, application/problem+json;q=0.5" }, false },
	{ { "text/html;q=0.499, application/json;q=0.5" }, false },
	{ { "text/html ; q=0.5 , application/* ;q=0.1" }, true },
	{ { "text/html;level=1;q=0.3, */*;q=0.2" }, true },
	{ { "text/html;a=\"x,application/json;q=1\", */*;q=0.5" }, true },
	{ { "text/html;a=\"\\\"\";q=0.1, */*;q=0.5" }, false },
	{ { "text/html;Q=1, application/*;q=0.9" }, true },
	{ { "*/*;q=0.1", "text/html" }, true },
	{ { "text/html;q=2, */*" }, false }, /* no weight: counts for nothing */
	{ { "text/html;q=0.x, */*;q=0.1" }, false },
	{ { "text/html;q=1.001" }, false },
	{ { "text/html;q=0.1234" }, false },
	{ { "text/html;q=" }, false },
	{ { "text/html;q=-1" }, false },
	{ { "*/html" }, false },
	{ { "text" }, false },
	{ { ",,;,/,text/html" }, true },
	{ { "\"text/html" }, false },
};

static void
each_line_prefers_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head head = { .header = nth_line, .arg = rows[i].lines };

		if (accept_prefers_page(&head) != rows[i].page)
			fail_msg("%s", rows[i].lines[0]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_line_prefers_what_it_says) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
