// SPDX-License-Identifier: MIT
/* test_s3_detach.c - an abort that outlives its order has so much time, and no more; what it could not end is left to the journal of
 * commits, however much was left before. The store owes its answers until the test lets it go. */
#include "sink/s3/s3_detach.h"

#include "lib/check.h"
#include "lib/folder.h"
#include "lib/peer.h"
#include "lib/routes.h"
#include "lib/until.h"

#include "route/table.h"
#include "sink/s3/s3_open.h"
#include "sink/sink.h"
#include "sink/sinks.h"
#include "sink/upload.h"
#include "state/state.h"

#include <stdio.h>
#include <unistd.h>

#define CREATED                                                                                                       \
	"HTTP/1.1 200 OK\r\nContent-Length: 94\r\n\r\n<InitiateMultipartUploadResult><UploadId>the-upload</UploadId>" \
	"</InitiateMultipartUploadResult>"
#define GONE "HTTP/1.1 204 No Content\r\n\r\n"
#define LONG_AGO 2000u /* more than are kept at a time */

static struct loop *loop;
static struct pool *pool;
static struct engine engine;
static int folder;

static struct world {
	struct peer *peer;
	struct state *state;
	struct table *table;
	struct order order;
	unsigned news;
} world;

/* -- an order ------------------------------------------------------------------------------------------- */

static void
on_news(void *arg, unsigned news)
{
	(void)arg;
	world.news |= news;
}

static bool
is_ended(const void *arg)
{
	(void)arg;
	return (world.news & CHANNEL_ENDED) != 0;
}

static bool
is_sending(const void *arg)
{
	const struct s3 *s3 = world.order.transfer;

	(void)arg;
	return s3->state == S3_SENDING;
}

static bool
is_alone(const void *arg)
{
	(void)arg;
	return engine.n_guests == 0;
}

static void
open_state(void)
{
	struct error err = { 0 };
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	world.state = state_open(path, &err);
	assert_string_equal(err.message, "");
	assert_true(state_start(world.state, &err));
}

static void
open_table(void)
{
	struct error err = { 0 };
	char text[512];

	snprintf(text, sizeof text,
		"version: 1\ndestinations:\n  s: { type: s3, endpoint: \"%s\", bucket: bkt, "
		"credentials: { access_key: a, secret_key: s } }\nroutes:\n"
		"  - { id: r, match: { path: /r }, fields: [ { name: f, store: { to: s, key: \"{uuid}\" } } ] }\n",
		peer_url(world.peer));
	world.table = table_new(routes_of(text), NULL, &sinks_opener, world.state, &err);
	assert_string_equal(err.message, "");
}

static const struct destination *
bucket(void)
{
	return &world.table->config->destinations[0];
}

static void
open_order(void)
{
	struct sink_place place = { .engine = &engine, .pool = pool };
	struct channel_side producer = { .box = loop_mailbox(loop), .on_mail = on_news };
	struct error err = { 0 };

	world.order = (struct order){ .to = bucket(),
		.table = world.table,
		.target = "/x",
		.request_id = "id",
		.length = ORDER_LENGTH_UNKNOWN,
		.largest = 1 << 20,
		.slots = 16,
		.unit = 65536 };
	assert_true(sink_of(bucket())->begin(&place, &world.order, &producer, &err));
}

static void
tell(unsigned orders)
{
	channel_tell(world.order.channel, orders);
}

/* An order that was cancelled when it had an upload, whose abort the store owes. */
static void
begin_case(peer_script script, uint64_t guest_ms)
{
	world = (struct world){ 0 };
	until_forget();
	engine.guest_ms = guest_ms;
	engine.cut_ms = CLOCK_NEVER;
	world.peer = peer_start(script, NULL, loop_mailbox(loop), until_mail());
	open_state();
	open_table();
	for (unsigned i = 0; i < LONG_AGO; i++)
		s3_counts_left(s3_open_counts(world.table, bucket()));
	open_order();
	tell(CHANNEL_START);
	until(is_sending, NULL);
	tell(CHANNEL_CANCEL);
	until(is_ended, NULL);
	assert_int_equal(world.order.outcome.state, OUTCOME_ABORTED);
}

static void
end_case(const char *log)
{
	until(is_alone, NULL);
	tell(CHANNEL_CLOSE);
	until_turned();
	if (log != NULL)
		assert_string_equal(peer_join(world.peer), log);
	peer_end(world.peer);
}

/* Uploads in the journal, when its thread has heard of all. */
static size_t
n_left(void)
{
	size_t n;

	state_stop(world.state);
	table_release(world.table);
	state_free(world.state);
	open_state();
	n = state_unsettled(world.state);
	state_stop(world.state);
	state_free(world.state);
	return n;
}

/* -- stores ---------------------------------------------------------------------------------------------- */

/* Answers Create, and tells that it has an abort. */
static void
read_abort(struct peer *peer)
{
	peer_read(peer);
	peer_say(peer, CREATED);
	peer_read(peer);
	peer_tell(peer);
}

static void
never(struct peer *peer, const void *arg)
{
	(void)arg;
	read_abort(peer);
	peer_read_end(peer);
}

static void
in_the_end(struct peer *peer, const void *arg)
{
	(void)arg;
	read_abort(peer);
	peer_wait(peer);
	peer_say(peer, GONE);
}

#define ASKED "1 POST /bkt/x?uploads= \n1 DELETE /bkt/x?uploadId=the-upload \n"

/* -- tests ------------------------------------------------------------------------------------------------- */

static int
set_up(void **unused)
{
	struct error err = { 0 };

	(void)unused;
	loop = until_start();
	pool = pool_new(256 * CHUNK_SIZE, &err);
	folder = folder_make();
	return folder >= 0 && upload_setup(&err) && engine_init(&engine, loop, &err) ? 0 : -1;
}

static int
tear_down(void **unused)
{
	(void)unused;
	engine_fini(&engine);
	pool_free(pool);
	until_stop();
	upload_teardown();
	return folder_remove(folder);
}

static void
an_abort_has_a_minute(void **unused)
{
	(void)unused;
	assert_int_equal(engine.guest_ms, 60000);
}

static void
when_its_time_is_over_the_upload_is_left_to_the_journal(void **unused)
{
	(void)unused;
	begin_case(never, 1);
	end_case(NULL); /* it may be over before the request is away */
	assert_int_equal(n_left(), 1);
}

static void
until_then_it_is_waited_for(void **unused)
{
	(void)unused;
	begin_case(in_the_end, CLOCK_NEVER);
	until_told(1);
	assert_int_equal(engine.n_guests, 1);
	peer_go(world.peer);
	end_case(ASKED);
	assert_int_equal(n_left(), 0);
}

static void
a_process_that_ends_takes_its_time_away(void **unused)
{
	(void)unused;
	begin_case(never, CLOCK_NEVER);
	until_told(1);
	assert_int_equal(engine.n_guests, 1);
	engine_cut_guests(&engine, loop_now_ms(loop));
	end_case(ASKED "1 closed\n");
	assert_int_equal(n_left(), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_abort_has_a_minute, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			when_its_time_is_over_the_upload_is_left_to_the_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(until_then_it_is_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_process_that_ends_takes_its_time_away, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
