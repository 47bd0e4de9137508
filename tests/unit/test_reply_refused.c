// SPDX-License-Identifier: MIT
/* test_reply_refused.c - the answer to a client whose object a store has refused, and how loud the log is about it. */
#include "reply/reply.h"

#include "lib/check.h"

static char album[] = "album";
static const struct route route = { .id = album };

static const char *
header(const struct reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->n_headers; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return "";
}

static void
what_a_store_refuses_has_its_status(void **state)
{
	static const struct {
		unsigned status, later;
		enum log_level level;
		const char *title, *retry_after;
	} rows[] = {
		{ 401, 0, LOG_INFO, "Unauthorized", "" },
		{ 412, 0, LOG_INFO, "Precondition Failed", "" },
		{ 413, 9, LOG_WARN, "Content Too Large", "9" },
		{ 429, 9, LOG_WARN, "Too Many Requests", "9" },
		{ 503, 0, LOG_ERROR, "Service Unavailable", "1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct reply_facts facts = { .route = &route, .request_id = STR("id-1") };
		struct reply reply = { 0 };
		struct buf want = { 0 };

		error_set(&facts.error, ERR_UPSTREAM_REFUSED, "why");
		facts.error.status = rows[i].status;
		facts.retry_after_s = rows[i].later;
		facts.challenge = STR("Basic realm=\"x\"");
		assert_int_equal(reply_level_of(&facts.error), rows[i].level);
		reply_make(&facts, &reply);
		buf_addf(&want,
			"{\"type\":\"urn:penstock:problem:upstream-refused\",\"title\":\"%s\",\"status\":%u,"
			"\"detail\":\"why\",\"route\":\"album\",\"request_id\":\"id-1\"}\n",
			rows[i].title, rows[i].status);
		assert_int_equal(reply.status, rows[i].status);
		assert_string_equal(header(&reply, "Content-Type"), "application/problem+json");
		assert_string_equal(reply.body.data, want.data);
		assert_string_equal(header(&reply, "Retry-After"), rows[i].retry_after);
		assert_string_equal(
			header(&reply, "WWW-Authenticate"), rows[i].status == 401 ? "Basic realm=\"x\"" : "");
		buf_free(&want);
		reply_free(&reply);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_store_refuses_has_its_status) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
