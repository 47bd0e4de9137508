// SPDX-License-Identifier: MIT
/* test_reply_cors.c - what an answer says to the browser of a page of another origin. */
#include "reply/reply.h"

#include "lib/check.h"

static char album[] = "album";
static const struct route summary = { .id = album, .response = { .status = 201, .json = RESPONSE_SUMMARY } };

static const char *
header(const struct reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->n_headers; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return "";
}

static char names[] = "content-type, x-a", exposed[] = "location";
static const struct cors open_cors = {
	.headers = names, .expose = exposed, .max_age_ms = 90999, .credentials = true
};

static void
expect_cors(const struct reply *reply, const char *vary, const char *origin, const char *credentials,
	const char *expose)
{
	assert_string_equal(header(reply, "Vary"), vary);
	assert_string_equal(header(reply, "Access-Control-Allow-Origin"), origin);
	assert_string_equal(header(reply, "Access-Control-Allow-Credentials"), credentials);
	assert_string_equal(header(reply, "Access-Control-Expose-Headers"), expose);
}

static void
a_page_of_an_allowed_origin_may_read_every_answer(void **state)
{
	struct reply_facts facts = { .route = &summary, .request_id = STR("id-1") };
	struct reply reply = { 0 };

	(void)state;
	facts.cors = (struct reply_cors){ .cors = &open_cors, .origin = STR("https://a.example") };
	reply_make(&facts, &reply);
	expect_cors(&reply, "Origin", "https://a.example", "true", "location");
	assert_string_equal(header(&reply, "Access-Control-Allow-Methods"), "");
	reply_free(&reply);
	/* the most lines that an answer can have */
	error_set(&facts.error, ERR_BUSY, "busy");
	facts.wants_page = true;
	reply_make(&facts, &reply);
	expect_cors(&reply, "Accept, Origin", "https://a.example", "true", "location");
	assert_string_equal(header(&reply, "X-Request-Id"), "id-1");
	assert_string_equal(header(&reply, "Retry-After"), "1");
	reply_free(&reply);
	facts.cors.origin = STR_NONE;
	reply_make(&facts, &reply);
	expect_cors(&reply, "Accept, Origin", "", "", "");
	reply_free(&reply);
	facts.cors.cors = NULL;
	reply_make(&facts, &reply);
	expect_cors(&reply, "Accept", "", "", "");
	reply_free(&reply);
}

static void
a_preflight_is_answered_with_what_may_be_sent(void **state)
{
	struct reply_facts facts = { .route = &summary, .request_id = STR("id-1") };
	struct reply reply = { 0 };

	(void)state;
	facts.cors =
		(struct reply_cors){ .cors = &open_cors, .origin = STR("https://a.example"), .method = STR("PUT") };
	reply_make(&facts, &reply);
	assert_int_equal(reply.status, 204);
	assert_int_equal(reply.body.len, 0);
	expect_cors(&reply, "Origin", "https://a.example", "true", "");
	assert_string_equal(header(&reply, "Access-Control-Allow-Methods"), "PUT");
	assert_string_equal(header(&reply, "Access-Control-Allow-Headers"), "content-type, x-a");
	assert_string_equal(header(&reply, "Access-Control-Max-Age"), "90");
	reply_free(&reply);
	facts.cors.origin = STR_NONE;
	reply_make(&facts, &reply);
	assert_int_equal(reply.status, 204);
	assert_int_equal(reply.body.len, 0);
	expect_cors(&reply, "Origin", "", "", "");
	assert_string_equal(header(&reply, "Access-Control-Allow-Methods"), "");
	reply_free(&reply);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_an_allowed_origin_may_read_every_answer),
		cmocka_unit_test(a_preflight_is_answered_with_what_may_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
