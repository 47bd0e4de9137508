// SPDX-License-Identifier: MIT
/* test_parts.c - what a kind of destination says of itself decides how much of an object waits for the commit, and what was
 * kept comes first when the rest is streamed: whole, in order, and within the room and the chunks that were made sure of. The same
 * holds where the first bytes of a part are held until a stage has judged them. */
#include "part/parts.h"

#include "lib/check.h"
#include "lib/form_head.h"
#include "lib/routes.h"

#include "config/kind.h"
#include "loop/loop.h"
#include "stage/stage.h"

#include <stdio.h>

#define MEMORY (32u << 20)
#define MAX_OBJECTS 40
#define ROUTES                                                                                                     \
	"version: 1\ndestinations: { d: { type: discard } }\n"                                                     \
	"routes:\n- { id: r, match: { path: / }, limits: { body: 64MiB }, fields: [\n"                             \
	" { name: c, concat: { to: d, key: c } }, { name: \"*\", store: { to: d, key: \"{part}\" } } ] }\n"        \
	"- { id: t, match: { path: /t }, limits: { body: 64MiB }, fields: [\n"                                     \
	" { name: c, " TYPES ", concat: { to: d, key: c } }, { name: \"*\", " TYPES                                \
	", store: { to: d, key: \"{part}\" } } ] }\n"
#define TYPES "types: { detected: [text/plain, application/x-empty, application/octet-stream] }"

/* What has come to one object. */
struct object {
	struct order *order;
	struct channel *channel;
	uint64_t bytes;
	bool was_kept;
};

static struct loop *loop;
static struct pool *pool;
static struct blocks *blocks;
static struct config *config;
static const struct route *route; /* that the form goes to */
static struct stage_tools tools;
static struct object objects[MAX_OBJECTS];
static size_t n_objects;
static size_t keep_max;

static size_t
say_keep_max(const struct destination_settings *settings)
{
	(void)settings;
	return keep_max;
}

/* -- a sink that looks at each byte ------------------------------------------------------------------- */

static char
byte_at(uint64_t at)
{
	return (char)('a' + at % 23);
}

static void
check_bytes(struct object *object, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != byte_at(object->bytes + i))
			fail_msg("byte %d is another one", (int)(object->bytes + i));
	object->bytes += len;
}

static void
take_all(struct object *object)
{
	struct chunk *chunk;

	while ((chunk = channel_pop(object->channel)) != NULL) {
		check_bytes(object, chunk->data, chunk->end);
		pool_give(pool, chunk);
	}
}

static void
take_kept(struct object *object)
{
	size_t len;

	for (uint64_t at = 0; at < object->order->kept.length; at += len) {
		const char *data = kept_at(&object->order->kept, at, &len);

		check_bytes(object, data, len);
	}
}

static void
on_orders(void *arg, unsigned orders)
{
	struct object *object = arg;

	if (orders & CHANNEL_CLOSE) {
		channel_free(object->channel);
		return;
	}
	take_all(object);
	if (orders & CHANNEL_COMMIT) {
		object->order->outcome.state = OUTCOME_COMMITTED;
		channel_report(object->channel, CHANNEL_ENDED);
	} else if (orders & CHANNEL_FINISH) {
		channel_report(object->channel, CHANNEL_PREPARED);
	}
}

static bool
open_order(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct object *object = &objects[n_objects];
	struct channel_side consumer = { .box = loop_mailbox(loop), .on_mail = on_orders, .arg = object };

	(void)arg;
	assert_true(n_objects++ < MAX_OBJECTS);
	*object = (struct object){ .order = order, .was_kept = order->is_kept };
	if (order->is_kept)
		take_kept(object);
	object->channel = order->channel = channel_new(pool, producer, &consumer, order->slots, err);
	return order->channel != NULL;
}

static size_t
cost(void *arg, const struct order *order)
{
	(void)arg;
	(void)order;
	return 0;
}

static void
pump(void *arg, struct order *order)
{
	(void)arg;
	(void)order;
}

static const struct sinks sinks = { .cost = cost, .open = open_order, .pump = pump };

static void
on_news(void *arg)
{
	(void)arg;
}

/* -- a form ------------------------------------------------------------------------------------------- */

/* Of the parts of a concat all bytes are counted on. */
static void
add_part(struct buf *body, char field, size_t size, uint64_t *concat)
{
	uint64_t first = field == 'c' ? *concat : 0;

	buf_addf(body, "--B\r\nContent-Disposition: form-data; name=%c; filename=f\r\n\r\n", field);
	for (size_t i = 0; i < size; i++)
		buf_add_char(body, byte_at(first + i));
	buf_add_text(body, "\r\n");
	if (field == 'c')
		*concat += size;
}

/* The other side takes nothing before there is no room left. */
static void
feed(struct parts *parts, const char *data, size_t len)
{
	struct error err = { 0 };

	while (len > 0) {
		size_t n = len < SOURCE_FEED_MAX ? len : SOURCE_FEED_MAX;

		if (parts_prepare(parts, &n) != PARTS_READY) {
			for (size_t i = 0; i < n_objects; i++)
				take_all(&objects[i]);
			assert_int_equal(parts_prepare(parts, &n), PARTS_READY);
		}
		if (!parts_feed(parts, data, n, &err))
			fail_msg("%s", err.message);
		parts_flush(parts);
		loop_deliver_rest(loop);
		data += n;
		len -= n;
	}
}

static void
commit(struct txn *txn)
{
	while (!txn_step(txn, TXN_END))
		loop_deliver_rest(loop);
	assert_true(txn_is_whole(txn));
	txn_free(txn);
	loop_deliver_rest(loop);
	assert_int_equal(pool_available(pool), pool_total(pool));
}

static struct parts *
begin_form(size_t step, struct txn **txn)
{
	static const struct match_result match;
	static const struct naming naming = { .head = &form_head, .match = &match, .request_id = STR("id") };
	struct txn_setup setup = {
		.sinks = &sinks, .blocks = blocks, .piece = step, .box = loop_mailbox(loop), .on_news = on_news
	};
	struct error err = { 0 };
	struct parts_setup parts_setup = { .tools = &tools, .route = route, .naming = &naming };
	struct parts *parts;

	n_objects = 0;
	*txn = parts_setup.txn = txn_new(&setup, &err);
	parts = parts_new(&parts_setup, &err);
	assert_non_null(parts);
	return parts;
}

static void
send_form(const struct buf *body, size_t step)
{
	struct txn *txn;
	struct parts *parts = begin_form(step, &txn);
	struct error err = { 0 };

	for (size_t at = 0; at < body->len; at += step)
		feed(parts, body->data + at, body->len - at < step ? body->len - at : step);
	assert_true(parts_finish(parts, &err));
	parts_free(parts);
	commit(txn);
}

static int
set_up(void **state)
{
	static struct destination_kind kind;
	struct error err = { 0 };

	(void)state;
	if (!sources_start(&err))
		return -1;
	loop = loop_new(&err);
	pool = pool_new(MEMORY, &err);
	blocks = blocks_new(pool);
	config = routes_of(ROUTES);
	kind = *config->destinations[0].kind;
	kind.keep_max = say_keep_max;
	config->destinations[0].kind = &kind;
	return stage_tools_open(&tools, config, &err) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	stage_tools_close(&tools);
	config_free(config);
	blocks_free(blocks);
	pool_free(pool);
	loop_free(loop);
	sources_stop();
	return 0;
}

/* -- */

static const size_t maxima[] = { KIND_KEEP_USUAL, 64 * 1024, 256 * 1024, KIND_KEEP_MOST };
static const size_t steps[] = { 1460, 31 * 1024, 1 << 20 };

#define EACH(i, list)                                                                                              \
	size_t i = 0;                                                                                              \
	i < sizeof(list) / sizeof(list)[0];                                                                        \
	i++

static void
check_one_byte_more(size_t step, size_t more)
{
	struct buf body = { 0 };
	uint64_t concat = 0;

	add_part(&body, 'a', 500, &concat);
	add_part(&body, 'b', keep_max + more, &concat);
	buf_add_text(&body, "--B--\r\n");
	send_form(&body, step);
	assert_int_equal(n_objects, 2);
	for (size_t i = 0; i < 2; i++) {
		bool is_small = objects[i].bytes == 500;

		assert_true(is_small || objects[i].bytes == keep_max + more);
		assert_int_equal(objects[i].was_kept, is_small || more == 0);
	}
	buf_free(&body);
}

static void
one_byte_more_is_streamed(void **state)
{
	(void)state;
	for (size_t r = 0; r < 2; r++)
		for (EACH(m, maxima))
			for (EACH(s, steps)) {
				route = &config->routes[r];
				keep_max = maxima[m];
				check_one_byte_more(steps[s], 0);
				check_one_byte_more(steps[s], 1);
			}
}

/* What is too long is never kept, and what is short always. Others are, until the form keeps its share of the memory; what is
 * added then was within that share before, and its blocks are at most half empty. */
static void
check_kept(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n_objects; i++) {
		assert_true(!objects[i].was_kept || objects[i].bytes <= keep_max);
		assert_true(objects[i].was_kept || objects[i].bytes > KIND_KEEP_USUAL);
		sum += objects[i].was_kept ? objects[i].bytes : 0;
		assert_true(objects[i].was_kept || objects[i].bytes > keep_max || keep_max * 12 > MEMORY / 32);
	}
	assert_true(sum <= MEMORY / 16 + 12 * KIND_KEEP_USUAL + 2 * keep_max);
}

/* Of several of each, in any order: no bytes are lost and no chunk is missing. */
static void
check_many_streams(size_t step, size_t unit)
{
	struct buf body = { 0 };
	uint64_t concat = 0, sum = 0, total = 0;

	for (size_t i = 0; i < 12; i++) {
		size_t size = (i * 7 % 12) * unit + i;

		total += size;
		add_part(&body, i % 3 == 1 ? 'c' : 's', size, &concat);
	}
	buf_add_text(&body, "--B--\r\n");
	send_form(&body, step);
	for (size_t i = 0; i < n_objects; i++)
		sum += objects[i].bytes;
	assert_int_equal(sum, total);
	check_kept();
	buf_free(&body);
}

static void
many_streams_begin_in_one_feed(void **state)
{
	(void)state;
	for (size_t r = 0; r < 2; r++)
		for (EACH(m, maxima))
			for (EACH(s, steps)) {
				route = &config->routes[r];
				keep_max = maxima[m];
				check_many_streams(steps[s], keep_max / 8);
			}
}

/* -- what is held --------------------------------------------------------------------------------------- */

static const size_t lengths[] = { 0, 1, 2, 100, STAGE_FIRST_MAX - 1, STAGE_FIRST_MAX, STAGE_FIRST_MAX + 1,
	STAGE_FIRST_MAX + 40000, 3 * STAGE_FIRST_MAX };

/* Parts of a store and of a concat that streams already, one byte at a time. */
static void
what_is_held_goes_on_whole_however_it_comes(void **state)
{
	static const size_t pieces[] = { 1, 7, 4096, STAGE_FIRST_MAX };

	(void)state;
	route = &config->routes[1];
	keep_max = KIND_KEEP_USUAL;
	for (EACH(l, lengths))
		for (EACH(p, pieces)) {
			struct buf body = { 0 };
			uint64_t concat = 0, sum = 0;

			add_part(&body, 'c', 20000, &concat);
			add_part(&body, 's', lengths[l], &concat);
			add_part(&body, 'c', lengths[l], &concat);
			buf_add_text(&body, "--B--\r\n");
			send_form(&body, pieces[p]);
			for (size_t i = 0; i < n_objects; i++)
				sum += objects[i].bytes;
			assert_int_equal(n_objects, 2);
			assert_int_equal(sum, 20000 + 2 * lengths[l]);
			buf_free(&body);
		}
}

/* Until it is judged a part has no delivery, and what is held of it is in the budget. */
static void
nothing_goes_on_before_it_is_judged(void **state)
{
	struct buf body = { 0 };
	struct error err = { 0 };
	uint64_t concat = 0;
	size_t head, fed;
	struct txn *txn;
	struct parts *parts;

	(void)state;
	route = &config->routes[1];
	keep_max = KIND_KEEP_USUAL;
	add_part(&body, 's', STAGE_FIRST_MAX + 1000, &concat);
	head = body.len - 2 - (STAGE_FIRST_MAX + 1000);
	parts = begin_form(1, &txn);
	feed(parts, body.data, head + STAGE_FIRST_MAX - 1);
	assert_null(txn_first(txn));
	assert_true(parts_held(parts) >= STAGE_FIRST_MAX - 1000);
	buf_add_text(&body, "--B--\r\n");
	fed = head + STAGE_FIRST_MAX - 1;
	feed(parts, body.data + fed, 1000); /* some of it may be part of a delimiter */
	assert_non_null(txn_first(txn));
	feed(parts, body.data + fed + 1000, body.len - fed - 1000);
	assert_true(parts_finish(parts, &err));
	parts_free(parts);
	commit(txn);
	assert_int_equal(objects[0].bytes, STAGE_FIRST_MAX + 1000);
	buf_free(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_byte_more_is_streamed),
		cmocka_unit_test(many_streams_begin_in_one_feed),
		cmocka_unit_test(what_is_held_goes_on_whole_however_it_comes),
		cmocka_unit_test(nothing_goes_on_before_it_is_judged),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
