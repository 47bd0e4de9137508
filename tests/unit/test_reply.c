// SPDX-License-Identifier: MIT
/* test_reply.c - the answers, byte for byte: summaries, problems, headers; and that out of memory shortens an answer
 * but never makes it say less than is true. */
#include "base/mem.h"
#include "reply/reply.h"

#include "lib/check.h"

#include <stdlib.h>

static char album[] = "album";
static const struct route summary = { .id = album, .response = { .status = 201, .json = RESPONSE_SUMMARY } };
static const struct route silent = { .id = album, .response = { .status = 204, .json = RESPONSE_NONE } };
static const struct route passing = { .id = album, .response = { .status = 200, .from = RESPONSE_UPSTREAM } };

static char sum[] = "e3b0";
static struct fact found[] = { { "sha256", sum }, { "crc32c", sum } };
static const struct facts facts_found = { found, 2 };
static const struct reply_part stored = {
	.number = 1,
	.field = { "photo[]", 7 },
	.filename = { "a\"b\xff.jpg", 8 },
	.type = { "image/jpeg", 10 },
	.size = 5000000000,
	.facts = &facts_found,
	.action = ACTION_STORE,
	.destination = { "store", 5 },
	.target = { "/x/1", 4 },
	.has_outcome = true,
	.state = OUTCOME_COMMITTED,
	.upstream_status = 201,
	.location = { "/there", 6 },
};
static const struct reply_part dropped = { .number = 2, .field = { "", 0 }, .action = ACTION_DROP };

#define STORED                                                                                                        \
	"{\"part\":1,\"field\":\"photo[]\",\"filename\":\"a\\\"b\xef\xbf\xbd.jpg\",\"type\":\"image/jpeg\","          \
	"\"size\":5000000000,\"sha256\":\"e3b0\",\"crc32c\":\"e3b0\",\"action\":\"store\",\"destination\":\"store\"," \
	"\"target\":\"/x/1\""
#define DROPPED                                                                                                    \
	"{\"part\":2,\"field\":\"\",\"filename\":null,\"type\":null,\"size\":0,"                                   \
	"\"action\":\"drop\",\"destination\":null,\"target\":null"

static const char *
header(const struct reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->n_headers; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return "";
}

static struct reply_facts
facts_of(const struct route *route, const struct reply_part *parts, size_t n)
{
	return (struct reply_facts){ .route = route, .request_id = STR("id-1"), .parts = parts, .n_parts = n };
}

static void
expect(const struct reply *reply, unsigned status, const char *type, const char *body)
{
	const char *got = reply->body.data != NULL ? reply->body.data : "";

	assert_int_equal(reply->status, status);
	assert_string_equal(header(reply, "Content-Type"), type);
	assert_string_equal(header(reply, "X-Request-Id"), "id-1");
	assert_string_equal(got, body);
}

static void
a_committed_form_is_summed_up(void **state)
{
	const struct reply_part parts[] = { stored, dropped };
	struct reply_facts facts = facts_of(&summary, parts, 2);
	struct reply reply = { 0 };

	(void)state;
	reply_make(&facts, &reply);
	expect(&reply, 201, "application/json",
		"{\"status\":201,\"route\":\"album\",\"request_id\":\"id-1\",\"parts\":[" STORED
		",\"upstream_status\":201,\"location\":\"/there\"}," DROPPED "}]}\n");
	reply_free(&reply);
	facts.n_parts = 0;
	reply_make(&facts, &reply);
	expect(&reply, 201, "application/json",
		"{\"status\":201,\"route\":\"album\",\"request_id\":\"id-1\",\"parts\":[]}\n");
	reply_free(&reply);
}

/* -- links -- */

#define LINKED                                                                                                     \
	STORED ",\"upstream_status\":201,\"location\":\"/there\",\"link\":{\"url\":\"https://x/1?a=b\","           \
	       "\"expires\":\"2013-05-25T00:00:00Z\"}}"

static const struct order linked_order;
static int64_t expires_s = 1369440000;

static bool
make_link(void *arg, const struct order *order, struct order_link *link)
{
	unsigned *left = arg;

	assert_ptr_equal(order, &linked_order);
	buf_add_text(&link->url, *left > 0 ? "https://x/1?a=b" : "half of");
	link->expires_s = expires_s;
	return !link->url.failed && *left > 0 && (*left)-- > 0;
}

/* Only of parts that want one; and what cannot be made is null. */
static void
a_summary_tells_links_and_nobody_may_keep_it(void **state)
{
	struct reply_part parts[] = { stored, stored, dropped, stored };
	struct reply_facts facts = facts_of(&summary, parts, 4);
	unsigned left = 1;
	struct reply_links links = { make_link, &left };
	struct reply reply = { 0 };

	(void)state;
	facts.links = &links;
	parts[0].linked = parts[3].linked = &linked_order;
	reply_make(&facts, &reply);
	expect(&reply, 201, "application/json",
		"{\"status\":201,\"route\":\"album\",\"request_id\":\"id-1\",\"parts\":[" LINKED "," STORED
		",\"upstream_status\":201,\"location\":\"/there\"}," DROPPED "}," STORED
		",\"upstream_status\":201,\"location\":\"/there\",\"link\":null}]}\n");
	assert_string_equal(header(&reply, "Cache-Control"), "no-store");
	reply_free(&reply);
}

/* A link of which nobody can say how long it lives is not told, and the form stays what it is. */
static void
a_link_beyond_all_years_is_not_told(void **state)
{
	struct reply_part part = stored;
	struct reply_facts facts = facts_of(&summary, &part, 1);
	unsigned left = 1;
	struct reply_links links = { make_link, &left };
	struct reply reply = { 0 };

	(void)state;
	facts.links = &links;
	part.linked = &linked_order;
	expires_s = INT64_MAX;
	reply_make(&facts, &reply);
	expires_s = 1369440000;
	assert_int_equal(reply.status, 201);
	assert_null(strstr(buf_str(&reply.body).data, "https://x/1"));
	reply_free(&reply);
}

/* Nobody asks for one where no summary is: what else is told of a part is told to others, too. */
static void
nothing_but_a_summary_tells_a_link(void **state)
{
	static const struct route *const silents[] = { &silent, &passing };
	struct outcome upstream = { .status = 201 };
	unsigned left = 0;
	struct reply_links links = { make_link, &left };
	struct reply_part part = stored;
	json_t *json;

	(void)state;
	part.linked = &linked_order;
	for (size_t i = 0; i < 3; i++) {
		struct reply_facts facts = facts_of(i < 2 ? silents[i] : &summary, &part, 1);
		struct reply reply = { 0 };

		facts.links = &links;
		facts.upstream = i == 1 ? &upstream : NULL;
		if (i == 2)
			error_set(&facts.error, ERR_UPSTREAM, "store: reset");
		reply_make(&facts, &reply);
		assert_null(strstr(reply.body.data != NULL ? reply.body.data : "", "link"));
		reply_free(&reply);
	}
	json = reply_part_json(&part);
	assert_null(json_object_get(json, "link"));
	json_decref(json);
}

/* What is not sent anywhere has nothing to be committed, also where the caller knows of outcomes. */
static void
a_dropped_part_of_a_run_has_no_state(void **state)
{
	struct reply_part part = dropped;
	json_t *json;
	char *text;

	(void)state;
	part.has_outcome = true;
	json = reply_part_json(&part);
	text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(text, DROPPED ",\"upstream_status\":null,\"location\":null}");
	free(text);
	json_decref(json);
}

static void
without_json_the_body_is_empty_and_has_no_type(void **state)
{
	struct reply_facts facts = facts_of(&silent, NULL, 0);
	struct route route = silent;
	struct reply reply = { 0 };

	(void)state;
	reply_make(&facts, &reply);
	expect(&reply, 204, "", "");
	reply_free(&reply);
	route.response.status = 201;
	facts.route = &route;
	reply_make(&facts, &reply);
	expect(&reply, 201, "", "");
	reply_free(&reply);
	route.response.json = RESPONSE_SUMMARY;
	route.response.status = 205; /* RFC 9110 section 15.3.6: no content, whatever the file says */
	reply_make(&facts, &reply);
	expect(&reply, 205, "", "");
	reply_free(&reply);
}

static void
an_upstreams_answer_is_passed_on_as_it_is(void **state)
{
	struct outcome upstream = { .status = 202, .location = "http://s/1", .type = "text/x" };
	struct reply_facts facts = facts_of(&passing, &stored, 1);
	struct reply reply = { 0 };

	(void)state;
	facts.upstream = &upstream;
	buf_add_text(&upstream.body, "taken\n");
	reply_make(&facts, &reply);
	expect(&reply, 202, "text/x", "taken\n");
	assert_string_equal(header(&reply, "Location"), "http://s/1");
	reply_free(&reply);
	upstream.status = 0; /* a folder answers nothing */
	upstream.location[0] = upstream.type[0] = '\0';
	buf_clear(&upstream.body);
	reply_make(&facts, &reply);
	expect(&reply, 200, "", "");
	reply_free(&reply);
	buf_free(&upstream.body);
}

static void
a_committed_form_is_sent_to_another_page(void **state)
{
	struct route route = { .id = album, .response = { .status = 303, .json = RESPONSE_NONE } };
	struct reply_facts facts = facts_of(&route, NULL, 0);
	struct reply reply = { 0 };

	(void)state;
	facts.location = STR("/thanks?id=1");
	reply_make(&facts, &reply);
	expect(&reply, 303, "", "");
	assert_string_equal(header(&reply, "Location"), "/thanks?id=1");
	reply_free(&reply);
	error_set(&facts.error, ERR_RULE, "no");
	reply_make(&facts, &reply);
	assert_string_equal(header(&reply, "Location"), "");
	assert_int_equal(reply.status, 422);
	reply_free(&reply);
}

static const struct {
	enum error_kind kind;
	unsigned status;
	const char *title;
} kinds[] = {
	{ ERR_BAD_REQUEST, 400, "Bad Request" },
	{ ERR_UNAUTHORIZED, 401, "Unauthorized" },
	{ ERR_FORBIDDEN, 403, "Forbidden" },
	{ ERR_NO_ROUTE, 404, "Not Found" },
	{ ERR_METHOD, 405, "Method Not Allowed" },
	{ ERR_LENGTH_REQUIRED, 411, "Length Required" },
	{ ERR_HEADERS, 431, "Request Header Fields Too Large" },
	{ ERR_MEDIA_TYPE, 415, "Unsupported Media Type" },
	{ ERR_EXPECTATION, 417, "Expectation Failed" },
	{ ERR_TOO_MANY, 429, "Too Many Requests" },
	{ ERR_MALFORMED, 400, "Bad Request" },
	{ ERR_TRUNCATED, 400, "Bad Request" },
	{ ERR_TOO_LARGE, 413, "Content Too Large" },
	{ ERR_RULE, 422, "Unprocessable Content" },
	{ ERR_EXISTS, 409, "Conflict" },
	{ ERR_CLIENT_SLOW, 408, "Request Timeout" },
	{ ERR_CLIENT_GONE, 499, "Client Closed Request" },
	{ ERR_BUSY, 503, "Service Unavailable" },
	{ ERR_DRAINING, 503, "Service Unavailable" },
	{ ERR_NOMEM, 503, "Service Unavailable" },
	{ ERR_INTERNAL, 500, "Internal Server Error" },
	{ ERR_UPSTREAM, 502, "Bad Gateway" },
	{ ERR_UPSTREAM_TIMEOUT, 504, "Gateway Timeout" },
	{ ERR_UPSTREAM_FULL, 507, "Insufficient Storage" },
	{ ERR_UPSTREAM_REFUSED, 502, "Bad Gateway" },
	{ ERR_CONFIG, 500, "Internal Server Error" },
	{ ERR_SYSTEM, 500, "Internal Server Error" },
};

static void
each_kind_of_error_has_its_status_and_headers(void **state)
{
	(void)state;
	assert_int_equal(reply_status(ERR_NONE), 200);
	for (enum error_kind kind = ERR_NONE; kind < ERROR_KINDS; kind++) {
		assert_in_range(reply_status(kind), 200, 599);
		assert_int_equal(reply_level(kind) == LOG_ERROR, reply_status(kind) >= 500);
	}
	assert_int_equal(reply_level(ERR_TOO_LARGE), LOG_WARN);
	assert_int_equal(reply_level(ERR_MALFORMED), LOG_INFO);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct reply_facts facts = facts_of(NULL, NULL, 0);
		struct reply reply = { 0 };
		struct buf want = { 0 };

		error_set(&facts.error, kinds[i].kind, "why");
		facts.allow = STR("POST, PUT");
		reply_make(&facts, &reply);
		buf_addf(&want,
			"{\"type\":\"urn:penstock:problem:%s\",\"title\":\"%s\",\"status\":%u,\"detail\":\"why\","
			"\"request_id\":\"id-1\"}\n",
			error_kind_name(kinds[i].kind), kinds[i].title, kinds[i].status);
		expect(&reply, kinds[i].status, "application/problem+json", want.data);
		assert_string_equal(header(&reply, "Cache-Control"), "no-store");
		assert_string_equal(header(&reply, "Vary"), "Accept");
		assert_string_equal(header(&reply, "Allow"), kinds[i].kind == ERR_METHOD ? "POST, PUT" : "");
		assert_string_equal(
			header(&reply, "Retry-After"), kinds[i].status == 503 || kinds[i].status == 429 ? "1" : "");
		buf_free(&want);
		reply_free(&reply);
	}
}

static void
a_refusal_tells_all_that_is_known_in_one_order(void **state)
{
	struct reply_facts facts = facts_of(&summary, NULL, 0);
	struct reply reply = { 0 };

	(void)state;
	error_set(&facts.error, ERR_TOO_LARGE, "field \"x\xfe\" is over 5 bytes");
	facts.error.offset = 4096;
	strncpy(facts.error.field, "x\xfe", sizeof facts.error.field - 1);
	strncpy(facts.error.limit, "max_size", sizeof facts.error.limit - 1);
	reply_make(&facts, &reply);
	expect(&reply, 413, "application/problem+json",
		"{\"type\":\"urn:penstock:problem:too-large\",\"title\":\"Content Too Large\",\"status\":413,"
		"\"detail\":\"field \\\"x\xef\xbf\xbd\\\" is over 5 bytes\",\"route\":\"album\","
		"\"field\":\"x\xef\xbf\xbd\",\"limit\":\"max_size\",\"offset\":4096,\"request_id\":\"id-1\"}\n");
	reply_free(&reply);
	facts.error = (struct error){ 0 };
	error_set(&facts.error, ERR_BUSY, "later");
	facts.retry_after_s = 7;
	reply_make(&facts, &reply);
	assert_string_equal(header(&reply, "Retry-After"), "7");
	reply_free(&reply);
}

static void
a_failed_commit_tells_of_each_part_what_is_where(void **state)
{
	static const struct {
		enum outcome_state state;
		const char *name;
	} states[] = {
		{ OUTCOME_COMMITTED, "committed" },
		{ OUTCOME_NONE, "aborted" },
		{ OUTCOME_ABORTED, "aborted" },
		{ OUTCOME_UNKNOWN, "unknown" },
		{ OUTCOME_UNDONE, "undone" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct reply_part parts[] = { stored, dropped };
		struct reply_facts facts = facts_of(&summary, parts, 2);
		struct reply reply = { 0 };
		struct buf want = { 0 };

		parts[0].state = states[i].state;
		parts[0].upstream_status = 0;
		parts[0].location = STR("");
		parts[0].problem = i > 0 ? STR("reset") : STR_NONE;
		error_set(&facts.error, ERR_UPSTREAM, "store: reset");
		reply_make(&facts, &reply);
		buf_addf(&want,
			"{\"type\":\"urn:penstock:problem:upstream\",\"title\":\"Bad Gateway\",\"status\":502,"
			"\"detail\":\"store: reset\",\"route\":\"album\",\"request_id\":\"id-1\",\"parts\":[" STORED
			",\"upstream_status\":null,\"location\":null,\"state\":\"%s\"%s}," DROPPED "}]}\n",
			states[i].name, i > 0 ? ",\"problem\":\"reset\"" : "");
		expect(&reply, 502, "application/problem+json", want.data);
		buf_free(&want);
		reply_free(&reply);
	}
}

static void
a_page_tells_a_refusal_with_its_status_and_headers(void **state)
{
	struct reply_part parts[] = { stored, dropped };
	struct reply_facts facts = facts_of(&summary, parts, 2);
	struct reply reply = { 0 };
	const char *body;

	(void)state;
	facts.wants_page = true;
	parts[0].filename = STR("<script>.jpg");
	error_set(&facts.error, ERR_BUSY, "field \"<b>&'\xff\": later");
	strncpy(facts.error.field, "<b>", sizeof facts.error.field - 1);
	reply_make(&facts, &reply);
	body = reply.body.data;
	assert_int_equal(reply.status, 503);
	assert_string_equal(header(&reply, "Content-Type"), "text/html; charset=utf-8");
	assert_string_equal(header(&reply, "Retry-After"), "1");
	assert_string_equal(header(&reply, "Vary"), "Accept");
	assert_string_equal(header(&reply, "X-Request-Id"), "id-1");
	assert_non_null(strstr(header(&reply, "Content-Security-Policy"), "default-src 'none'"));
	assert_non_null(strstr(body, "<h1>Service Unavailable</h1>"));
	assert_non_null(strstr(body, "field &#34;&#60;b&#62;&#38;&#39;\xef\xbf\xbd&#34;: later"));
	assert_non_null(strstr(body, "<dt>Field</dt><dd>&#60;b&#62;</dd>"));
	assert_non_null(strstr(body, "part 1, &#60;script&#62;.jpg: committed"));
	assert_non_null(strstr(body, "<dt>Request</dt><dd>id-1</dd>"));
	assert_null(strstr(body, "<script"));
	assert_null(strstr(body, "<b>"));
	reply_free(&reply);
}

/* The body has room for usual parts, and grows by doubling: each of its allocations is one of those that fail. */
static void
expect_whole_or_plain(const struct reply_facts *facts, const char *plain)
{
	struct reply whole = { 0 };
	size_t nth, shorter = 0;

	reply_make(facts, &whole);
	for (nth = 1;; nth++) {
		struct reply reply = { 0 };
		const char *body;

		mem_fail(nth, 1);
		reply_make(facts, &reply);
		if (mem_fail(0, 0) < nth) {
			reply_free(&reply);
			break;
		}
		body = reply.body.data != NULL ? reply.body.data : "";
		assert_int_equal(reply.status, whole.status);
		assert_string_equal(header(&reply, "X-Request-Id"), "id-1");
		if (strcmp(body, whole.body.data) != 0) {
			shorter++;
			assert_true(strcmp(body, plain) == 0 || body[0] == '\0');
			assert_string_equal(header(&reply, "Content-Type"), body[0] != '\0' ? "text/plain" : "");
		}
		reply_free(&reply);
	}
	assert_true(nth > 5 && shorter > 4);
	reply_free(&whole);
}

static void
any_failed_allocation_leaves_the_status_and_no_half_truth(void **state)
{
	struct reply_part parts[] = { stored, dropped, stored };
	struct reply_facts facts = facts_of(&summary, parts, 3);
	unsigned left = 0;
	struct reply_links links = { make_link, &left };
	json_malloc_t old_alloc;
	json_free_t old_free;
	char quotes[4000];

	(void)state;
	memset(quotes, '"', sizeof quotes); /* each is added by itself */
	parts[2].filename = (struct str){ quotes, sizeof quotes };
	parts[2].linked = &linked_order;
	facts.links = &links;
	json_get_alloc_funcs(&old_alloc, &old_free);
	json_set_alloc_funcs(mem_alloc, mem_free);
	expect_whole_or_plain(&facts, "201 Created\n"); /* without a link */
	error_set(&facts.error, ERR_UPSTREAM, "store: reset");
	expect_whole_or_plain(&facts, "502 Bad Gateway\n");
	mem_fail(3, 1);
	assert_null(reply_part_json(&stored));
	mem_fail(0, 0);
	json_set_alloc_funcs(old_alloc, old_free);
}

/* The body of another server's answer is passed on whole, or not at all. */
static void
an_upstreams_answer_that_finds_no_memory_keeps_its_status(void **state)
{
	struct outcome upstream = { .status = 418 };
	size_t n_whole = 0, n_without = 0;

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		buf_add_char(&upstream.body, 'x');
	for (size_t nth = 1; n_whole == 0; nth++) {
		struct reply_facts facts = facts_of(&passing, NULL, 0);
		struct reply reply = { 0 };

		facts.upstream = &upstream;
		mem_fail(nth, 1);
		reply_make(&facts, &reply);
		n_whole += mem_fail(0, 0) < nth;
		assert_int_equal(reply.status, 418);
		assert_true(reply.body.len == upstream.body.len || reply.body.len == 0);
		n_without += reply.body.len == 0;
		reply_free(&reply);
	}
	assert_true(n_without > 0);
	buf_free(&upstream.body);
}

static void
a_page_that_is_not_whole_is_none(void **state)
{
	size_t nth, shorter = 0;

	(void)state;
	for (nth = 1;; nth++) {
		struct reply_facts facts = facts_of(&summary, NULL, 0);
		struct reply reply = { 0 };

		facts.wants_page = true;
		error_set(&facts.error, ERR_BUSY, "later");
		mem_fail(nth, 1);
		reply_make(&facts, &reply);
		if (mem_fail(0, 0) < nth) {
			reply_free(&reply);
			break;
		}
		assert_int_equal(reply.status, 503);
		assert_string_equal(header(&reply, "X-Request-Id"), "id-1");
		if (strstr(reply.body.data != NULL ? reply.body.data : "", "</html>") == NULL) {
			shorter++;
			assert_string_not_equal(header(&reply, "Content-Type"), "text/html; charset=utf-8");
		}
		reply_free(&reply);
	}
	assert_true(shorter > 0);
}

static void
statuses_have_reasons(void **state)
{
	(void)state;
	assert_string_equal(reply_reason(201), "Created");
	assert_string_equal(reply_reason(299), "Unknown");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		assert_string_equal(reply_reason(kinds[i].status), kinds[i].title);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_committed_form_is_summed_up),
		cmocka_unit_test(a_summary_tells_links_and_nobody_may_keep_it),
		cmocka_unit_test(a_link_beyond_all_years_is_not_told),
		cmocka_unit_test(nothing_but_a_summary_tells_a_link),
		cmocka_unit_test(a_dropped_part_of_a_run_has_no_state),
		cmocka_unit_test(without_json_the_body_is_empty_and_has_no_type),
		cmocka_unit_test(an_upstreams_answer_is_passed_on_as_it_is),
		cmocka_unit_test(a_committed_form_is_sent_to_another_page),
		cmocka_unit_test(a_page_tells_a_refusal_with_its_status_and_headers),
		cmocka_unit_test(a_page_that_is_not_whole_is_none),
		cmocka_unit_test(each_kind_of_error_has_its_status_and_headers),
		cmocka_unit_test(a_refusal_tells_all_that_is_known_in_one_order),
		cmocka_unit_test(a_failed_commit_tells_of_each_part_what_is_where),
		cmocka_unit_test(any_failed_allocation_leaves_the_status_and_no_half_truth),
		cmocka_unit_test(an_upstreams_answer_that_finds_no_memory_keeps_its_status),
		cmocka_unit_test(statuses_have_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
