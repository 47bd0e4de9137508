// SPDX-License-Identifier: MIT
/* one_order.c - see one_order.h. */
#include "lib/one_order.h"

#include "lib/check.h"
#include "lib/until.h"

#include "sink/sink.h"
#include "sink/upload.h"

struct sent sent;
struct pool *one_pool;
struct engine one_engine;

static struct loop *loop;
static struct blocks *blocks;

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

void
one_until_news(unsigned news)
{
	until(is_told, &news);
}

void
one_begin_case(peer_script script, const void *arg)
{
	sent = (struct sent){ .settings = { .hold_every_ms = LIMIT_NONE, .hold_tail = ONE_TAIL } };
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

void
one_open(void)
{
	struct sink_place place = { .engine = &one_engine, .pool = one_pool };
	struct channel_side producer = { .box = loop_mailbox(loop), .on_mail = on_news };
	struct error err = { 0 };

	assert_true(sink_of(&sent.to)->begin(&place, &sent.order, &producer, &err));
}

void
one_tell(unsigned orders)
{
	channel_tell(sent.order.channel, orders);
	until_turned();
}

static void
fill(char *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (char)('a' + sent.pushed++ % 23);
}

void
one_push(size_t len)
{
	while (len > 0) {
		uint32_t n = len < CHUNK_SIZE ? (uint32_t)len : CHUNK_SIZE;
		struct chunk *chunk;

		assert_true(pool_reserve(one_pool, 1, POOL_STREAM));
		chunk = pool_draw(one_pool, POOL_STREAM);
		fill(chunk->data, n);
		chunk->end = n;
		channel_push(sent.order.channel, chunk);
		len -= n;
	}
	sink_of(&sent.to)->pump(&sent.order);
}

void
one_keep(size_t len)
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

void
one_end_case(const char *log)
{
	assert_int_equal(sent.n_ended, 1);
	one_tell(CHANNEL_CLOSE);
	keep_fini(&sent.keep);
	buf_free(&sent.order.outcome.body);
	assert_int_equal(pool_available(one_pool), pool_total(one_pool));
	assert_int_equal(counter_read(&one_engine.transfers), 0);
	peer_stop(sent.peer);
	if (log != NULL)
		assert_string_equal(peer_join(sent.peer), log);
	peer_end(sent.peer);
}

void
one_check(enum outcome_state state, enum error_kind kind, unsigned status)
{
	const struct outcome *outcome = &sent.order.outcome;

	if (outcome->state != state || outcome->error.kind != kind || outcome->status != status)
		fail_msg("%d, %s, %u: %s", (int)outcome->state, error_kind_name(outcome->error.kind),
			outcome->status, outcome->error.message);
}

void
one_until_committed(void)
{
	one_until_news(CHANNEL_ENDED);
	one_check(OUTCOME_COMMITTED, ERR_NONE, 201);
}

int
one_set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	loop = until_start();
	one_pool = pool_new(64 * CHUNK_SIZE, &err);
	blocks = blocks_new(one_pool);
	return upload_setup(&err) && engine_init(&one_engine, loop, &err) ? 0 : -1;
}

int
one_tear_down(void **state)
{
	(void)state;
	engine_fini(&one_engine);
	blocks_free(blocks);
	pool_free(one_pool);
	until_stop();
	upload_teardown();
	return 0;
}

/* All but the tail has come: the rest, only when it is let go. */
void
one_waits_for_the_tail(struct peer *peer, const void *arg)
{
	peer_read_head(peer);
	peer_read_bytes(peer, *(const size_t *)arg);
	peer_tell(peer);
	if (peer_read(peer))
		peer_say(peer, ONE_OK_ANSWER);
	else
		peer_read_end(peer);
}

void
one_stream(size_t len)
{
	one_open();
	one_tell(CHANNEL_START);
	one_push(len);
}

size_t
one_large_sends(void)
{
	return 65536 / CHUNK_SIZE * one_engine.n_copies;
}
