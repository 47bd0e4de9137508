// SPDX-License-Identifier: MIT
/* test_request.c - a request from its head to its answer, with a client that is played and real discards: what is let in, what
 * is refused and by which of the two ways the client hears of it, and that nothing of it is left in the end. */
#include "lib/fake_client.h"

#include "base/log.h"
#include "base/mem.h"
#include "lib/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define ROUTES                                                                                                     \
	"version: 1\n"                                                                                             \
	"destinations: { d: { type: discard } }\n"                                                                 \
	"routes:\n"                                                                                                \
	"  - id: up\n"                                                                                             \
	"    match: { path: /up }\n"                                                                               \
	"    limits: { body: 8MiB, discard: 4KiB, concurrent: 2 }\n"                                               \
	"    fields:\n"                                                                                            \
	"      - { name: f, kind: file, max_size: 6MiB, store: { to: d, key: \"{uuid}\" } }\n"                     \
	"      - { name: v, kind: value, max_size: 10B, store: { to: d, key: \"{uuid}\" } }\n"

#define PART "--B\r\nContent-Disposition: form-data; name=f; filename=a.txt\r\n\r\n"
#define END "\r\n--B--\r\n"
#define SMALL PART "hello" END

static struct fake_client client;

static int
set_up(void **state)
{
	(void)state;
	fake_world_start(ROUTES, 4 << 20);
	return 0;
}

static const char *
length_of(const char *text)
{
	static char number[24];

	snprintf(number, sizeof number, "%zu", strlen(text));
	return number;
}

static void
assert_says(const char *what)
{
	char text[2048];

	snprintf(text, sizeof text, "%.*s", STR_ARG(buf_str(&client.body)));
	if (strstr(text, what) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", text, what);
}

/* -- good ones ------------------------------------------------------------------------------------------ */

static void
a_form_is_accepted_and_summed_up(void **state)
{
	(void)state;
	fake_client(&client, "/up", length_of(SMALL));
	assert_true(fake_begin(&client));
	assert_int_equal(client.status, 0); /* so the body may be asked for */
	fake_send_text(&client, SMALL);
	assert_int_equal(client.status, 0); /* nothing is settled before the end has come */
	fake_end(&client);
	assert_int_equal(client.status, 201);
	assert_false(client.is_early);
	assert_says("\"filename\":\"a.txt\"");
	assert_says("\"size\":5");
	assert_says("\"destination\":\"d\"");
	fake_leave(&client);
	assert_int_equal(counter_read(&fake_world->metrics.n[METRIC_PARTS]), 1);
	assert_int_equal(counter_read(&fake_world->metrics.n[METRIC_BODY_BYTES]), strlen(SMALL));
}

/* However it is cut, and more than the pool has. */
static void
a_large_file_streams_through(void **state)
{
	static const size_t pieces[] = { 1460, 64 * 1024, 2 << 20 };
	static char data[64 * 1024];

	(void)state;
	memset(data, 'x', sizeof data);
	for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
		fake_client(&client, "/up", NULL);
		client.piece = pieces[p];
		assert_true(fake_begin(&client));
		fake_send_text(&client, PART);
		for (size_t i = 0; i < 80; i++)
			fake_send(&client, data, sizeof data);
		fake_send_text(&client, END);
		fake_end(&client);
		assert_int_equal(client.status, 201);
		assert_says("\"size\":5242880");
		fake_leave(&client);
	}
}

/* The answer stands after HELD, whether somebody is there to hear it or not. */
static void
who_leaves_after_the_end_does_not_undo_it(void **state)
{
	(void)state;
	fake_client(&client, "/up", length_of(SMALL));
	assert_true(fake_begin(&client));
	fake_send_text(&client, SMALL);
	request_end(client.request);
	assert_true(client.is_paused);
	fake_leave(&client);
	assert_int_equal(
		counter_read(&fake_world->requests), 1); /* its order is not told to commit yet, or has not ended */
}

/* -- refused with the head ---------------------------------------------------------------------------------- */

struct refusal {
	const char *method, *target, *type, *length, *more[2];
	unsigned status;
	const char *says, *allow;
};

static const struct refusal refusals[] = {
	{ .status = 415, .type = "text/plain", .says = "urn:penstock:problem:media-type" },
	{ .status = 411, .length = "", .says = "urn:penstock:problem:length-required" },
	{ .status = 413, .length = "8388609", .says = "\"limit\":\"body\"" },
	{ .status = 404, .target = "/elsewhere", .says = "urn:penstock:problem:no-route" },
	{ .status = 405, .method = "DELETE", .says = "urn:penstock:problem:method", .allow = "POST" },
	{ .status = 400, .length = "1x", .says = "urn:penstock:problem:bad-request" },
	{ .status = 400, .more = { "host", "other.example" }, .says = "urn:penstock:problem:bad-request" },
	{ .status = 417, .more = { "expect", "a-miracle" }, .says = "urn:penstock:problem:expectation" },
	{ .status = 429, .more = { "x-penstock-refuse", "429" }, .says = "urn:penstock:problem:too-many" },
};

static void
make_refused(const struct refusal *r)
{
	fake_client(&client, r->target != NULL ? r->target : "/up", NULL);
	client.method = r->method != NULL ? r->method : "POST";
	client.lines[1].value = r->type != NULL ? r->type : client.lines[1].value;
	if (r->length != NULL)
		client.lines[2] = (struct fake_line){ "content-length", r->length };
	if (r->length != NULL && r->length[0] == '\0')
		client.lines[2] = (struct fake_line){ 0 };
	if (r->more[0] != NULL)
		fake_add_line(&client, r->more[0], r->more[1]);
}

/* While its body comes, or is on its way: at once, and the body is read so that the answer arrives. Before a body that is not
 * there: in the usual way. */
static void
a_head_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		const struct refusal *r = &refusals[i];
		bool has_body = r->length == NULL || r->length[0] != '\0';

		make_refused(r);
		assert_true(fake_begin(&client));
		assert_int_equal(client.status, r->status);
		assert_says(r->says);
		assert_int_equal(client.is_early, has_body);
		if (r->allow != NULL)
			assert_true(str_is(client.allow, r->allow));
		if (has_body) {
			fake_send_text(&client, "whatever comes");
			fake_end(&client);
			assert_true(client.is_closed);
		}
		fake_leave(&client);
	}
}

/* It has sent nothing yet, and would hear 100 behind an answer that went past whoever says 100. */
static void
who_waits_for_100_is_refused_before_the_body(void **state)
{
	(void)state;
	make_refused(&refusals[0]);
	fake_add_line(&client, "expect", "100-continue");
	assert_true(fake_begin(&client));
	assert_int_equal(client.status, 415);
	assert_false(client.is_early);
	fake_leave(&client);
}

static void
a_flaw_of_the_head_is_the_answer(void **state)
{
	(void)state;
	fake_client(&client, "/up", "10");
	client.flaw = "two parsers could read it differently";
	assert_true(fake_begin(&client));
	assert_int_equal(client.status, 400);
	assert_says(client.flaw);
	fake_leave(&client);
}

static void
the_answer_to_head_has_no_body(void **state)
{
	(void)state;
	fake_client(&client, "/up", "10");
	client.method = "HEAD";
	assert_true(fake_begin(&client));
	assert_int_equal(client.status, 405);
	assert_true(client.is_early && client.without_body);
	fake_leave(&client);
}

static void
places_are_counted_and_come_back(void **state)
{
	static struct fake_client others[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fake_client(&others[i], "/up", NULL);
		assert_true(fake_begin(&others[i]));
	}
	fake_client(&client, "/up", NULL);
	assert_true(fake_begin(&client));
	assert_int_equal(client.status, 429);
	assert_true(str_is(client.retry_after, "1"));
	fake_leave(&client);
	fake_leave(&others[0]);
	fake_client(&client, "/up", NULL);
	assert_true(fake_begin(&client));
	assert_int_equal(client.status, 0);
	fake_leave(&client);
	fake_leave(&others[1]);
}

/* -- refused while the body comes ---------------------------------------------------------------------------- */

#define LONG_VALUE "--B\r\nContent-Disposition: form-data; name=v\r\n\r\n12345678901\r\n" PART

static void
begin_long_value(void)
{
	assert_true(fake_begin(&client));
	fake_send_text(&client, LONG_VALUE);
	fake_until(fake_is_answered, &client);
	assert_int_equal(client.status, 413);
	assert_true(client.is_early);
	assert_says("\"field\":\"v\"");
}

static void
a_refusal_in_the_middle_is_told_at_once(void **state)
{
	(void)state;
	fake_client(&client, "/up", NULL);
	begin_long_value();
	fake_send_text(&client, "the rest is read, and thrown away");
	assert_false(client.is_shut);
	fake_end(&client);
	assert_true(client.is_closed);
	fake_leave(&client);
}

static void
more_than_the_budget_is_not_read_after_it(void **state)
{
	char more[1000] = { 0 };

	(void)state;
	fake_client(&client, "/up", NULL);
	begin_long_value();
	for (size_t i = 0; i < 4; i++)
		fake_send(&client, more, sizeof more);
	assert_false(client.is_shut);
	fake_send(&client, more, sizeof more);
	assert_true(client.is_shut);
	fake_leave(&client);
}

/* Who does not read its answer is not read from either, beyond the budget; and is not closed before it has read. */
static void
an_answer_waits_for_room(void **state)
{
	char more[5000] = { 0 };

	(void)state;
	fake_client(&client, "/up", NULL);
	client.is_slow_reader = true;
	begin_long_value();
	assert_int_equal(fake_show(&client, more, sizeof more), sizeof more);
	assert_true(client.is_paused);
	assert_false(client.is_shut);
	fake_read_answer(&client);
	assert_false(client.is_paused);
	fake_send(&client, more, 1);
	assert_true(client.is_shut);
	fake_leave(&client);
}

static void
the_end_waits_for_room_too(void **state)
{
	(void)state;
	fake_client(&client, "/up", NULL);
	client.is_slow_reader = true;
	begin_long_value();
	assert_true(request_end(client.request));
	assert_true(client.is_paused);
	fake_read_answer(&client);
	assert_false(client.is_paused);
	assert_false(request_end(client.request)); /* all has been said and read */
	fake_leave(&client);
}

static void
a_form_that_is_not_whole_is_refused_at_its_end(void **state)
{
	(void)state;
	fake_client(&client, "/up", NULL);
	assert_true(fake_begin(&client));
	fake_send_text(&client, PART "hello");
	fake_end(&client);
	assert_int_equal(client.status, 400);
	assert_says("urn:penstock:problem:");
	fake_leave(&client);
}

/* -- clients that leave ---------------------------------------------------------------------------------------- */

static uint64_t
n_gone(void)
{
	return counter_read(&fake_world->metrics.errors[ERR_CLIENT_GONE]);
}

static void
a_client_that_leaves_in_the_middle_takes_its_form_along(void **state)
{
	(void)state;
	fake_client(&client, "/up", NULL);
	assert_true(fake_begin(&client));
	fake_send_text(&client, PART "hello");
	fake_leave(&client);
	assert_int_equal(counter_read(&fake_world->requests), 0);
	assert_int_equal(n_gone(), 1);
}

static bool
is_counted(const void *arg)
{
	(void)arg;
	return n_gone() == 1;
}

/* The request is there until the transfer has ended that it had begun. */
static void
a_transfer_ends_after_its_client_has_left(void **state)
{
	static char data[64 * 1024];

	(void)state;
	fake_client(&client, "/up", NULL);
	assert_true(fake_begin(&client));
	fake_send_text(&client, PART);
	fake_send(&client, data, sizeof data);
	fake_leave(&client);
	assert_int_equal(counter_read(&fake_world->requests), 1);
	fake_until(is_counted, NULL);
	assert_int_equal(counter_read(&fake_world->requests), 0);
}

/* Nobody knows what it wanted: nothing is counted. */
static void
a_client_that_leaves_before_its_head_was_nobody(void **state)
{
	(void)state;
	fake_client(&client, "/up", NULL);
	client.request = request_new(fake_world->intake, &client.client, "/up");
	assert_non_null(client.request);
	assert_int_equal(counter_read(&fake_world->requests), 1);
	fake_leave(&client);
	assert_int_equal(counter_read(&fake_world->requests), 0);
	assert_int_equal(counter_read(&fake_world->metrics.n[METRIC_REQUEST_MS]), 0);
}

/* Of one that is read, the reader will see it. */
static void
a_hangup_of_one_that_is_read_changes_nothing(void **state)
{
	(void)state;
	fake_client(&client, "/up", "1000");
	assert_true(fake_begin(&client));
	fake_send_text(&client, PART);
	request_on_hangup(client.request, true);
	assert_false(client.is_shut);
	fake_leave(&client);
}

/* -- out of memory --------------------------------------------------------------------------------------------- */

/* Whichever allocation fails: there is an answer or none, and nothing is left; fake_world_tear_down() looks. */
static void
no_failed_allocation_leaves_anything(void **state)
{
	(void)state;
	for (size_t nth = 1;; nth++) {
		size_t made;

		fake_client(&client, "/up", length_of(SMALL));
		mem_fail(nth, 1);
		if (fake_begin(&client)) {
			fake_send_text(&client, SMALL);
			fake_end(&client);
			assert_true(client.status == 201 || client.status == 500 || client.status == 503);
		}
		made = mem_fail(0, 0);
		fake_leave(&client);
		if (made < nth)
			break;
	}
	assert_int_equal(counter_read(&fake_world->requests), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fake_world_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_form_is_accepted_and_summed_up),
		TEST(a_large_file_streams_through),
		TEST(who_leaves_after_the_end_does_not_undo_it),
		TEST(a_head_is_refused),
		TEST(who_waits_for_100_is_refused_before_the_body),
		TEST(a_flaw_of_the_head_is_the_answer),
		TEST(the_answer_to_head_has_no_body),
		TEST(places_are_counted_and_come_back),
		TEST(a_refusal_in_the_middle_is_told_at_once),
		TEST(more_than_the_budget_is_not_read_after_it),
		TEST(an_answer_waits_for_room),
		TEST(the_end_waits_for_room_too),
		TEST(a_form_that_is_not_whole_is_refused_at_its_end),
		TEST(a_client_that_leaves_in_the_middle_takes_its_form_along),
		TEST(a_transfer_ends_after_its_client_has_left),
		TEST(a_client_that_leaves_before_its_head_was_nobody),
		TEST(a_hangup_of_one_that_is_read_changes_nothing),
		TEST(no_failed_allocation_leaves_anything),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC)); /* refusals are what most of this is about */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
