// SPDX-License-Identifier: MIT
/* test_exchange_head.c - the head of a request: where it goes, and its lines. */
#include "lib/asked.h"

#include "base/mem.h"
#include "lib/check.h"
#include "sink/exchange_priv.h"

#include <stdio.h>

/* -- where --------------------------------------------------------------------------------------------- */

/* What a server gets to see of a target behind a URL with this prefix; NULL: nothing was sent. */
static const char *
asked_for(const char *prefix, const char *target)
{
	static char log[300], url[100];
	struct peer *peer = asked_start(peer_answers, ASKED_OK);
	struct asked asked = { .url = url, .request.target = target };

	snprintf(url, sizeof url, "%s%s", peer_url(peer), prefix);
	asked_ask(&asked, peer, "PUT", EXCHANGE_NO_BODY);
	exchange_free(asked.exchange);
	peer_stop(peer);
	snprintf(log, sizeof log, "%s", peer_join(peer));
	peer_end(peer);
	return asked.result.status == 201 ? log : NULL;
}

static void
a_target_is_sent_as_it_is(void **state)
{
	static const struct {
		const char *prefix, *target, *seen;
	} rows[] = {
		{ "", "/a", "/a" },
		{ "", "/a/../b//%2e./c", "/a/../b//%2e./c" },
		{ "", "/a?b=/c&d", "/a?b=/c&d" },
		{ "", "", "/" },
		{ "", "?list", "/?list" },
		{ "/pre", "/a?b", "/pre/a?b" },
		{ "/pre", "", "/pre" },
	};
	char want[100];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(want, sizeof want, "1 PUT %s \n", rows[i].seen);
		assert_string_equal(asked_for(rows[i].prefix, rows[i].target), want);
	}
}

static void
a_target_that_would_end_the_line_is_sent_to_nobody(void **state)
{
	(void)state;
	assert_null(asked_for("", "/a b"));
	assert_null(asked_for("", "/a HTTP/1.1\r\nX: y"));
	assert_string_equal(asked_for("", "/a#b"), "1 PUT /a \n");
}

/* -- lines --------------------------------------------------------------------------------------------- */

static char of_peer[] = "X-Of-Peer", one[] = "1", none[] = "X-None";
static struct header_line more[] = { { .name = of_peer, .value = one }, { .name = none } };
static const struct exchange_line own[] = { { "Content-Type", "text/plain" }, { "X-None", NULL } };
static const struct exchange_line of_agent[] = { { "user-agent", "ours" } };

static void
check_lines(const struct exchange_request *request, const char *const want[])
{
	struct curl_slist *lines = exchange_head_lines(request), *line = lines;

	assert_non_null(lines);
	for (size_t i = 0; want[i] != NULL; i++, line = line->next) {
		assert_non_null(line);
		assert_string_equal(line->data, want[i]);
	}
	assert_null(line);
	mem_free(lines);
}

static void
lines_are_all_there_once(void **state)
{
	struct http_peer to = { .headers = { more, 2 } };
	struct exchange_request request = {
		.to = &to, .lines = own, .n_lines = 2, .body = EXCHANGE_STREAM, .length = EXCHANGE_LENGTH_UNKNOWN
	};

	(void)state;
	check_lines(&request,
		(const char *const[]){ "Expect: ", "Transfer-Encoding: chunked", "Content-Type: text/plain",
			"X-Of-Peer: 1", "User-Agent: penstock/" PENSTOCK_VERSION, NULL });
	request = (struct exchange_request){ .to = &to, .lines = of_agent, .n_lines = 1 };
	check_lines(&request, (const char *const[]){ "Expect: ", "user-agent: ours", "X-Of-Peer: 1", NULL });
	mem_fail(1, 1);
	assert_null(exchange_head_lines(&request));
	mem_fail(0, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, asked_begin_case, asked_end_case)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_target_is_sent_as_it_is),
		TEST(a_target_that_would_end_the_line_is_sent_to_nobody),
		TEST(lines_are_all_there_once),
	};

	return cmocka_run_group_tests(tests, asked_set_up, asked_tear_down);
}
