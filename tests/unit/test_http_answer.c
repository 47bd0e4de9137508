// SPDX-License-Identifier: MIT
/* test_http_answer.c - what of the head of a store's answer is remembered: of a 401, what it asks for, whole or not at all. */
#include "sink/http/http_priv.h"

#include "lib/check.h"

#include <stdio.h>
#include <string.h>

struct world {
	struct http_settings settings;
	struct destination to;
	struct order order;
	struct http http;
};

static void
begin(struct world *w, bool passes, unsigned status)
{
	*w = (struct world){ .settings = { .passes_errors = passes } };
	w->to.settings = &w->settings.common;
	w->order.to = &w->to;
	w->http.order = &w->order;
	http_answer_on_status(&w->http, status);
}

static void
what_a_401_asks_for_is_kept_whole_or_not_at_all(void **state)
{
	char most[OUTCOME_CHALLENGE_MAX + 1] = { 0 }, longest[800], too_long[800];
	const struct {
		unsigned status;
		bool passes;
		const char *lines[2], *want; /* NULL: none */
	} rows[] = {
		{ 401, true, { "WWW-Authenticate: Bearer\r\n", NULL }, "Bearer" },
		{ 401, false, { "WWW-Authenticate: Bearer\r\n", NULL }, NULL },
		{ 403, true, { "WWW-Authenticate: Bearer\r\n", NULL }, NULL },
		{ 401, true, { "WWW-Authenticate: Bearer a=\"b\"\r\n", "www-authenticate:Basic realm=x\r\n" },
			"Bearer a=\"b\", Basic realm=x" },
		{ 401, true, { "WWW-Authenticate:\r\n", NULL }, NULL },
		{ 401, true, { "WWW-Authenticate:\r\n", "WWW-Authenticate: Basic\r\n" }, "Basic" },
		{ 401, true, { "WWW-Authenticate: Be\x01rer\r\n", "WWW-Authenticate: Basic\r\n" }, NULL },
		{ 401, true, { "WWW-Authenticate: Bearer\r\n", " realm=\"x\"\r\n" }, NULL },
		{ 401, true, { "WWW-Authenticate: Bearer\r\n", "\trealm=\"x\"\r\n" }, NULL },
		{ 401, true, { "X-WWW-Authenticate: Bearer\r\n", NULL }, NULL },
		{ 401, true, { longest, NULL }, most },
		{ 401, true, { too_long, NULL }, NULL },
		{ 401, true, { longest, "WWW-Authenticate: B\r\n" }, NULL },
	};

	(void)state;
	memset(most, 'a', OUTCOME_CHALLENGE_MAX);
	snprintf(longest, sizeof longest, "WWW-Authenticate: %s\r\n", most);
	snprintf(too_long, sizeof too_long, "WWW-Authenticate: %sb\r\n", most);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		const struct buf *challenge = &w.order.outcome.challenge;

		begin(&w, rows[i].passes, rows[i].status);
		for (size_t k = 0; k < 2 && rows[i].lines[k] != NULL; k++)
			http_answer_on_header(&w.http, str_of(rows[i].lines[k]));
		if (rows[i].want != NULL)
			assert_string_equal(challenge->data, rows[i].want);
		else
			assert_int_equal(challenge->len, 0);
		http_answer_on_status(&w.http, 401); /* of another answer, which says nothing */
		assert_false(challenge->failed || challenge->len > 0);
	}
}

static void
an_undo_tells_nothing_of_the_object(void **state)
{
	struct world w;

	(void)state;
	begin(&w, true, 503);
	http_answer_on_header(&w.http, STR("Retry-After: 7\r\n"));
	assert_int_equal(retry_after_seconds(&w.http.later), 7);
	w.http.state = HTTP_UNDOING;
	http_answer_on_status(&w.http, 401);
	http_answer_on_header(&w.http, STR("Retry-After: 8\r\n"));
	http_answer_on_header(&w.http, STR("WWW-Authenticate: Basic\r\n"));
	assert_int_equal(retry_after_seconds(&w.http.later), 7);
	assert_int_equal(w.order.outcome.challenge.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_401_asks_for_is_kept_whole_or_not_at_all),
		cmocka_unit_test(an_undo_tells_nothing_of_the_object) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
