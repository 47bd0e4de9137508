// SPDX-License-Identifier: MIT
/* test_http_sink.c - a transfer to a store keeps to upload.h's life and channel.h's protocol, whatever the store does and
 * whenever it is cancelled: what the store has got, and what is said of it, fit. */
#include "sink/sink.h"

#include "lib/check.h"
#include "lib/peer.h"
#include "lib/until.h"

#include "channel/keep.h"
#include "sink/http/settings.h"
#include "sink/upload.h"

#include <stdio.h>

#define OK_ANSWER "HTTP/1.1 201 Made\r\nLocation: /there\r\nContent-Type: text/x\r\nContent-Length: 4\r\n\r\ndone"
#define TAIL 1000
#define LENGTH 100000

/* -- one order ----------------------------------------------------------------------------------------- */

static struct loop *loop;
static struct pool *pool;
static struct blocks *blocks;
static struct engine engine;

static struct sent {
	struct http_settings settings;
	struct destination to;
	struct order order;
	struct keep keep;
	struct peer *peer;
	unsigned news, n_ended;
	uint64_t pushed;
} sent;

static char name[] = "store";

static void
on_news(void *arg, unsigned news)
{
	(void)arg;
	sent.news |= news;
	sent.n_ended += (news & CHANNEL_ENDED) != 0;
}

static bool
is_told(const void *arg)
{
	return (sent.news & *(const unsigned *)arg) != 0;
}

static void
until_news(unsigned news)
{
	until(is_told, &news);
}

/* What order() opens is to go to such a server. */
static void
begin_case(peer_script script, const void *arg)
{
	sent = (struct sent){ .settings = { .hold_every_ms = LIMIT_NONE, .hold_tail = TAIL } };
	until_forget();
	sent.peer = script != NULL ? peer_start(script, arg, loop_mailbox(loop), until_mail()) : peer_start_deaf();
	sent.settings.peer = (struct http_peer){
		.url = peer_url(sent.peer), .connect_ms = LIMIT_NONE, .idle_ms = LIMIT_NONE, .total_ms = LIMIT_NONE
	};
	sent.to = (struct destination){ .name = name, .kind = &http_kind, .settings = &sent.settings.common };
	sent.order = (struct order){ .to = &sent.to,
		.method = STORE_PUT,
		.target = "/x",
		.request_id = "id",
		.length = ORDER_LENGTH_UNKNOWN,
		.slots = 16,
		.unit = 65536 };
	keep_init(&sent.keep, blocks);
}

static void
open_order(void)
{
	struct sink_place place = { .engine = &engine, .pool = pool };
	struct channel_side producer = { .box = loop_mailbox(loop), .on_mail = on_news };
	struct error err = { 0 };

	assert_true(sink_of(&sent.to)->begin(&place, &sent.order, &producer, &err));
}

static void
tell(unsigned orders)
{
	channel_tell(sent.order.channel, orders);
	until_turned();
}

/* All bytes of a case: byte n is 'a' + n % 23. */
static void
fill(char *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (char)('a' + sent.pushed++ % 23);
}

static void
push(size_t len)
{
	while (len > 0) {
		uint32_t n = len < CHUNK_SIZE ? (uint32_t)len : CHUNK_SIZE;
		struct chunk *chunk;

		assert_true(pool_reserve(pool, 1, POOL_STREAM));
		chunk = pool_draw(pool, POOL_STREAM);
		fill(chunk->data, n);
		chunk->end = n;
		channel_push(sent.order.channel, chunk);
		len -= n;
	}
	sink_of(&sent.to)->pump(&sent.order);
}

static void
keep(size_t len)
{
	char piece[1000];

	for (size_t n; len > 0; len -= n) {
		n = len < sizeof piece ? len : sizeof piece;
		fill(piece, n);
		assert_true(keep_add(&sent.keep, &sent.order.kept, piece, n));
	}
	sent.order.is_kept = true;
	sent.order.length = sent.order.kept.length;
}

/* After its end: everything is given back, and the store has got this; NULL: that is not asked. */
static void
end_case(const char *log)
{
	assert_int_equal(sent.n_ended, 1);
	tell(CHANNEL_CLOSE);
	keep_fini(&sent.keep);
	buf_free(&sent.order.outcome.body);
	assert_int_equal(pool_available(pool), pool_total(pool));
	assert_int_equal(counter_read(&engine.transfers), 0);
	peer_stop(sent.peer);
	if (log != NULL)
		assert_string_equal(peer_join(sent.peer), log);
	peer_end(sent.peer);
}

static void
check_outcome(enum outcome_state state, enum error_kind kind, unsigned status)
{
	const struct outcome *outcome = &sent.order.outcome;

	if (outcome->state != state || outcome->error.kind != kind || outcome->status != status)
		fail_msg("%d, %s, %u: %s", (int)outcome->state, error_kind_name(outcome->error.kind),
			outcome->status, outcome->error.message);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	loop = until_start();
	pool = pool_new(64 * CHUNK_SIZE, &err);
	blocks = blocks_new(pool);
	return upload_setup(&err) && engine_init(&engine, loop, &err) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	engine_fini(&engine);
	blocks_free(blocks);
	pool_free(pool);
	until_stop();
	upload_teardown();
	return 0;
}

/* -- scripts --------------------------------------------------------------------------------------------- */

/* All but the tail has come: the rest, only when it is let go. */
static void
waits_for_the_tail(struct peer *peer, const void *arg)
{
	peer_read_head(peer);
	peer_read_bytes(peer, *(const size_t *)arg);
	peer_tell(peer);
	if (peer_read(peer))
		peer_say(peer, OK_ANSWER);
	else
		peer_read_end(peer);
}

/* Answers the first request and owes the second one. */
static void
owes_the_second(struct peer *peer, const void *arg)
{
	peer_read(peer);
	peer_say(peer, OK_ANSWER);
	peer_owes(peer, arg);
}

static void
answers_and_then(struct peer *peer, const void *arg)
{
	const char *then = arg;

	peer_read(peer);
	peer_say(peer, OK_ANSWER);
	peer_read(peer);
	peer_say(peer, then);
	peer_close(peer);
	while (peer_read(peer)) {
		peer_say(peer, then);
		peer_close(peer);
	}
}

/* -- life ------------------------------------------------------------------------------------------------ */

static void
start_stream(size_t len)
{
	open_order();
	tell(CHANNEL_START);
	push(len);
}

static void
what_is_kept_is_sent_at_the_commit(void **state)
{
	static const size_t sizes[] = { 0, 3, 16384, 60000, 65536, 200000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (int at_once = 0; at_once < 2; at_once++) {
			char log[100];

			begin_case(peer_answers, OK_ANSWER);
			keep(sizes[i]);
			open_order();
			if (!at_once) {
				tell(CHANNEL_START | CHANNEL_FINISH);
				until_news(CHANNEL_PREPARED);
				tell(CHANNEL_COMMIT);
			} else {
				tell(CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
			}
			until_news(CHANNEL_ENDED);
			check_outcome(OUTCOME_COMMITTED, ERR_NONE, 201);
			assert_string_equal(sent.order.outcome.location, "/there");
			assert_string_equal(sent.order.outcome.type, "text/x");
			if (sizes[i] > 40)
				snprintf(log, sizeof log, "1 PUT /x %d good bytes\n", (int)sizes[i]);
			else
				snprintf(log, sizeof log, "1 PUT /x %.*s\n", (int)sizes[i], "abcd");
			end_case(log);
		}
}

/* What would be gathered is read as it lies. */
static void
without_room_to_gather_it_is_sent_all_the_same(void **state)
{
	struct chunk *all = NULL;
	size_t n;

	(void)state;
	begin_case(peer_answers, OK_ANSWER);
	keep(60000);
	n = pool_keepable(pool);
	assert_true(pool_set_aside(pool, n, &all));
	open_order();
	tell(CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
	until_news(CHANNEL_ENDED);
	check_outcome(OUTCOME_COMMITTED, ERR_NONE, 201);
	pool_take_back(pool, &all);
	end_case("1 PUT /x 60000 good bytes\n");
}

static void
a_stream_has_no_end_before_the_commit(void **state)
{
	static const size_t length = LENGTH;

	(void)state;
	begin_case(waits_for_the_tail, &length);
	start_stream(50000);
	push(LENGTH - 50000);
	until_told(1);
	assert_int_equal(sent.news & ~(unsigned)CHANNEL_SPACE, 0);
	tell(CHANNEL_FINISH);
	until_news(CHANNEL_PREPARED);
	assert_int_equal(pool_available(pool), pool_total(pool));
	tell(CHANNEL_COMMIT);
	until_news(CHANNEL_ENDED);
	check_outcome(OUTCOME_COMMITTED, ERR_NONE, 201);
	end_case("1 PUT /x 100000 good bytes\n");
}

static void
the_tail_waits_for_the_commit(void **state)
{
	static const size_t but_the_tail = LENGTH - TAIL;

	(void)state;
	begin_case(waits_for_the_tail, &but_the_tail);
	sent.settings.hold_every_ms = YEAR_MS;
	start_stream(LENGTH);
	tell(CHANNEL_FINISH);
	until_news(CHANNEL_PREPARED);
	until_told(1);
	assert_int_equal(pool_available(pool), pool_total(pool)); /* it lies in no chunk */
	tell(CHANNEL_COMMIT);
	until_news(CHANNEL_ENDED);
	check_outcome(OUTCOME_COMMITTED, ERR_NONE, 201);
	end_case("1 PUT /x 100000 good bytes\n");
}

/* The tail is let out to its last byte, and the end waits all the same. */
static void
the_tail_drips(void **state)
{
	static const size_t nearly_all = LENGTH - TAIL + 20;

	(void)state;
	begin_case(waits_for_the_tail, &nearly_all);
	sent.settings.hold_every_ms = 1;
	start_stream(LENGTH);
	tell(CHANNEL_FINISH);
	until_told(1);
	assert_int_equal(sent.n_ended, 0);
	tell(CHANNEL_COMMIT);
	until_news(CHANNEL_ENDED);
	check_outcome(OUTCOME_COMMITTED, ERR_NONE, 201);
	end_case("1 PUT /x 100000 good bytes\n");
}

static void
a_stream_that_is_committed_goes_on(void **state)
{
	(void)state;
	begin_case(peer_answers, OK_ANSWER);
	start_stream(50000);
	tell(CHANNEL_COMMIT);
	push(50000);
	tell(CHANNEL_FINISH);
	until_news(CHANNEL_ENDED);
	check_outcome(OUTCOME_COMMITTED, ERR_NONE, 201);
	end_case("1 PUT /x 100000 good bytes\n");
}

/* -- cancelled ------------------------------------------------------------------------------------------ */

static void
cancel(enum outcome_state state, enum error_kind kind)
{
	tell(CHANNEL_CANCEL);
	until_news(CHANNEL_ENDED);
	check_outcome(state, kind, 0);
	tell(CHANNEL_CANCEL); /* crosses the end */
}

static void
what_has_not_begun_leaves_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		begin_case(peer_answers, OK_ANSWER);
		if (i == 2)
			keep(60000);
		open_order();
		if (i == 1)
			push(50000);
		if (i == 2) {
			tell(CHANNEL_START | CHANNEL_FINISH);
			until_news(CHANNEL_PREPARED);
		}
		cancel(OUTCOME_ABORTED, ERR_NONE);
		end_case("");
	}
}

static void
a_stream_that_is_cancelled_never_becomes_whole(void **state)
{
	static const size_t some = 50000;

	(void)state;
	for (int is_held = 0; is_held < 2; is_held++) {
		begin_case(waits_for_the_tail, &some);
		start_stream(LENGTH / 2);
		if (is_held) {
			tell(CHANNEL_FINISH);
			until_news(CHANNEL_PREPARED);
		}
		until_told(1);
		cancel(OUTCOME_ABORTED, ERR_NONE);
		peer_join(sent.peer);
		end_case("1 PUT /x 50000 good bytes...\n1 closed\n");
	}
}

static void
an_answer_that_is_owed_leaves_it_open(void **state)
{
	(void)state;
	for (int is_kept = 0; is_kept < 2; is_kept++) {
		begin_case(peer_owes, NULL);
		if (is_kept)
			keep(60000);
		open_order();
		tell(CHANNEL_START | CHANNEL_COMMIT);
		if (!is_kept)
			push(60000);
		tell(CHANNEL_FINISH);
		until_told(1);
		cancel(OUTCOME_UNKNOWN, ERR_UPSTREAM_TIMEOUT);
		peer_join(sent.peer);
		end_case("1 PUT /x 60000 good bytes\n1 closed\n");
	}
}

/* -- outcomes -------------------------------------------------------------------------------------------- */

#define EMPTY "\r\nContent-Length: 0\r\n\r\n"

static void
the_answer_decides(void **state)
{
	static const struct {
		peer_script script; /* NULL: nobody is there */
		const char *answer;
		unsigned status;
		enum outcome_state state;
		enum error_kind kind;
		const char *why;
	} rows[] = {
		{ peer_says, "HTTP/1.1 204 Made\r\n\r\n", 204, OUTCOME_COMMITTED, ERR_NONE, "" },
		{ peer_says, "HTTP/1.1 404 No" EMPTY, 404, OUTCOME_ABORTED, ERR_UPSTREAM, "answered 404" },
		{ peer_says, "HTTP/1.1 503 No\r\nRetry-After: 7" EMPTY, 503, OUTCOME_ABORTED, ERR_UPSTREAM,
			"answered 503" },
		{ peer_says, "HTTP/1.1 507 Full" EMPTY, 507, OUTCOME_ABORTED, ERR_UPSTREAM_FULL, "answered 507" },
		{ peer_says, "HTTP/1.1 502 Bad" EMPTY, 502, OUTCOME_UNKNOWN, ERR_UPSTREAM, "answered 502" },
		{ peer_says, "HTTP/1.1 504 Late" EMPTY, 504, OUTCOME_UNKNOWN, ERR_UPSTREAM_TIMEOUT,
			"answered 504" },
		{ peer_says, "", 0, OUTCOME_UNKNOWN, ERR_UPSTREAM, "it closed the connection without an answer" },
		{ peer_says, "HTTP/1.1 201 Made\r\nContent-Length: 9\r\n\r\nx", 201, OUTCOME_UNKNOWN, ERR_UPSTREAM,
			"its answer was cut short" },
		{ NULL, NULL, 0, OUTCOME_ABORTED, ERR_UPSTREAM, "it refused the connection" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int is_kept = 0; is_kept < 2; is_kept++) {
			begin_case(rows[i].script, rows[i].answer);
			if (is_kept)
				keep(60000);
			open_order();
			tell(CHANNEL_START | CHANNEL_COMMIT);
			if (!is_kept)
				push(60000);
			tell(CHANNEL_FINISH);
			until_news(CHANNEL_ENDED);
			check_outcome(rows[i].state, rows[i].kind, rows[i].status);
			assert_non_null(strstr(sent.order.outcome.error.message, rows[i].why));
			assert_int_equal(sent.order.outcome.retry_after_s, rows[i].status == 503 ? 7 : 0);
			end_case(rows[i].script != NULL ? "1 PUT /x 60000 good bytes\n" : "");
		}
}

static void
an_early_answer_is_no_success(void **state)
{
	(void)state;
	for (int is_good = 0; is_good < 2; is_good++) {
		begin_case(peer_says_early, is_good ? OK_ANSWER : "HTTP/1.1 413 Long" EMPTY);
		start_stream(10);
		until_news(CHANNEL_ENDED);
		check_outcome(is_good ? OUTCOME_UNKNOWN : OUTCOME_ABORTED, ERR_UPSTREAM, is_good ? 201 : 413);
		peer_join(sent.peer);
		end_case("1 PUT /x abcdefghij...\n1 closed\n");
	}
}

static void
the_answers_body_is_kept_where_it_is_wanted(void **state)
{
	(void)state;
	for (int wanted = 0; wanted < 2; wanted++) {
		begin_case(peer_answers, OK_ANSWER);
		sent.order.want_body = wanted;
		keep(3);
		open_order();
		tell(CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
		until_news(CHANNEL_ENDED);
		assert_true(str_is(buf_str(&sent.order.outcome.body), wanted ? "done" : ""));
		end_case("1 PUT /x abc\n");
	}
}

/* -- taken back ------------------------------------------------------------------------------------------ */

static void
commit_one(peer_script script, const void *arg)
{
	begin_case(script, arg);
	keep(3);
	open_order();
	tell(CHANNEL_START | CHANNEL_FINISH | CHANNEL_COMMIT);
	until_news(CHANNEL_ENDED);
	check_outcome(OUTCOME_COMMITTED, ERR_NONE, 201);
	channel_tell(sent.order.channel, CHANNEL_UNDO);
}

static void
what_is_committed_can_be_taken_back(void **state)
{
	static const struct {
		const char *answer;
		enum outcome_state state;
		const char *why;
	} rows[] = {
		{ "HTTP/1.1 204 Gone\r\n\r\n", OUTCOME_UNDONE, "" },
		{ "HTTP/1.1 404 None" EMPTY, OUTCOME_UNDONE, "" },
		{ "HTTP/1.1 410 None" EMPTY, OUTCOME_UNDONE, "" },
		{ "HTTP/1.1 500 No" EMPTY, OUTCOME_COMMITTED, "DELETE was answered 500" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx", OUTCOME_COMMITTED, "DELETE was answered 200" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		commit_one(answers_and_then, rows[i].answer);
		until_news(CHANNEL_UNDONE);
		assert_int_equal(sent.order.outcome.state, rows[i].state);
		assert_non_null(strstr(sent.order.outcome.undo_error.message, rows[i].why));
		assert_string_equal(sent.order.outcome.location, "/there"); /* of the object, not of its end */
		end_case("1 PUT /x abc\n1 DELETE /x \n");
	}
}

static void
nobody_waits_for_an_undo_that_is_cancelled(void **state)
{
	(void)state;
	commit_one(owes_the_second, NULL);
	until_told(1);
	tell(CHANNEL_CANCEL);
	until_news(CHANNEL_UNDONE);
	assert_int_equal(sent.order.outcome.state, OUTCOME_COMMITTED);
	assert_int_equal(sent.order.outcome.undo_error.kind, ERR_UPSTREAM);
	peer_join(sent.peer);
	end_case("1 PUT /x abc\n1 DELETE /x \n1 closed\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_sent_at_the_commit),
		cmocka_unit_test(without_room_to_gather_it_is_sent_all_the_same),
		cmocka_unit_test(a_stream_has_no_end_before_the_commit),
		cmocka_unit_test(the_tail_waits_for_the_commit),
		cmocka_unit_test(the_tail_drips),
		cmocka_unit_test(a_stream_that_is_committed_goes_on),
		cmocka_unit_test(what_has_not_begun_leaves_nothing),
		cmocka_unit_test(a_stream_that_is_cancelled_never_becomes_whole),
		cmocka_unit_test(an_answer_that_is_owed_leaves_it_open),
		cmocka_unit_test(the_answer_decides),
		cmocka_unit_test(an_early_answer_is_no_success),
		cmocka_unit_test(the_answers_body_is_kept_where_it_is_wanted),
		cmocka_unit_test(what_is_committed_can_be_taken_back),
		cmocka_unit_test(nobody_waits_for_an_undo_that_is_cancelled),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
