// SPDX-License-Identifier: MIT
/* test_participants.c - a part that goes to a real folder and to a real discard beside it: the file is right, however fast
 * the other one takes its bytes and whichever of the two was there first; and when a form is given up, or one of them fails,
 * nothing is in the folder and every chunk is back. The folder's thread runs, and in some cases one for the discard. */
#include "part/parts.h"

#include "lib/folder.h"
#include "lib/form_head.h"
#include "lib/routes.h"
#include "loop/loop_thread.h"
#include "sink/directory/disk.h"
#include "sink/sink.h"
#include "sink/sinks.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NAME "the-file"
#define SMALL 5000u
#define LARGE (1500u * 1024 + 7)
#define HANG_SECONDS 120

enum pace {
	PACE_FAST,   /* the discard lives on the producer's loop */
	PACE_SLOW,   /* it takes something only when the producer cannot go on */
	PACE_BESIDE, /* it has a thread of its own */
	N_PACES
};

struct a_case {
	enum pace pace;
	bool discard_first; /* it is the writer, the folder beside it */
	size_t size, piece, memory;
};

static const struct a_case cases[] = {
	{ PACE_FAST, false, SMALL, 1460, 8 << 20 }, { PACE_FAST, true, SMALL, 1460, 8 << 20 },
	{ PACE_FAST, false, LARGE, 65536, 8 << 20 }, { PACE_SLOW, false, LARGE, 65536, 8 << 20 },
	{ PACE_SLOW, true, LARGE, 1460, 8 << 20 }, { PACE_BESIDE, false, LARGE, 65536, 8 << 20 },
	{ PACE_BESIDE, true, LARGE, 1460, 8 << 20 },
	{ PACE_BESIDE, false, LARGE, 65536, 0 }, /* the smallest pool that there is */
};

#define EACH_CASE                                                                                                  \
	const struct a_case *c = cases;                                                                            \
	c < cases + sizeof cases / sizeof cases[0];                                                                \
	c++

static struct loop *loop, *other; /* the producer's, and the discard's where it has one */
static struct loop_thread thread;
static struct mail stop;
static struct engine engine;
static struct pool *pool;
static struct pool_waiter waiter;
static struct mail chunks_are_back;
static struct blocks *blocks;
static struct disk *disk;
static int folder;
static struct table *table;
static enum pace pace;
static struct txn *txn;
static struct parts *parts;

/* -- who takes the bytes -------------------------------------------------------------------------------- */

static bool
open_order(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct sink_place place = { .engine = &engine, .pool = pool, .disk = disk };

	(void)arg;
	order->sink = sink_of(order->to);
	return order->sink->begin(&place, order, producer, err);
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
	order->sink->pump(order);
}

static const struct sinks sinks = { .cost = cost, .open = open_order, .pump = pump };

static void
on_stop(struct mail *mail, unsigned bits)
{
	(void)mail;
	(void)bits;
	loop_stop(other);
}

/* -- the producer waits --------------------------------------------------------------------------------- */

static void
on_news(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
on_chunks(struct mail *mail, unsigned bits)
{
	(void)mail;
	(void)bits;
	loop_stop(loop);
}

static void
wait_for_news(void)
{
	if (pace == PACE_SLOW)
		loop_deliver_rest(other);
	loop_run(loop);
}

/* False: one of them has failed. */
static bool
make_ready(size_t *len)
{
	for (;;) {
		enum parts_readiness readiness = parts_prepare(parts, len);

		if (readiness == PARTS_WAIT_CHUNKS) {
			pool_wait(pool, &waiter);
			readiness = parts_prepare(parts, len);
		}
		if (readiness == PARTS_READY)
			return true;
		wait_for_news();
		if (txn_failure(txn) != NULL)
			return false;
	}
}

/* -- a form of one part --------------------------------------------------------------------------------- */

static char
byte_at(size_t at)
{
	return (char)('a' + at % 23);
}

static bool
feed(const char *data, size_t len)
{
	struct error err = { 0 };

	while (len > 0) {
		size_t n = len;

		if (!make_ready(&n))
			return false;
		if (!parts_feed(parts, data, n, &err))
			fail_msg("%s", err.message);
		parts_flush(parts);
		data += n;
		len -= n;
	}
	return true;
}

static bool
feed_content(size_t size, size_t piece)
{
	char data[65536];

	for (size_t at = 0; at < size;) {
		size_t n = size - at < piece ? size - at : piece;

		for (size_t i = 0; i < n; i++)
			data[i] = byte_at(at + i);
		if (!feed(data, n))
			return false;
		at += n;
	}
	return true;
}

static void
begin_part(const struct a_case *c)
{
	const char *head = c->discard_first ? "--B\r\nContent-Disposition: form-data; name=d; filename=f\r\n\r\n"
					    : "--B\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n";
	struct delivery *beside;

	assert_true(feed(head, strlen(head)));
	assert_non_null(txn_first(txn)); /* the part is known, and has got no byte */
	beside = txn_add_beside(txn_first(txn), &table->config->destinations[c->discard_first ? 0 : 1]);
	assert_non_null(beside);
	buf_add_text(&beside->target, NAME);
}

static bool
end_part(void)
{
	static const char end[] = "\r\n--B--\r\n";
	struct error err = { 0 };

	return feed(end, sizeof end - 1) && parts_finish(parts, &err);
}

/* True: all is visible. */
static bool
settle(enum txn_goal goal)
{
	while (!txn_step(txn, goal))
		wait_for_news();
	return txn_is_whole(txn);
}

/* -- before and after ----------------------------------------------------------------------------------- */

static void
open_table(void)
{
	char link[32], path[64];
	struct buf text = { 0 };
	struct error err = { 0 };
	ssize_t n;

	folder = folder_make();
	assert_true(folder >= 0);
	snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
	n = readlink(link, path, sizeof path - 1);
	assert_true(n > 0);
	path[n] = '\0';
	buf_addf(&text,
		"version: 1\ndestinations:\n  folder: { type: directory, path: \"%s\" }\n  nowhere: { type: discard }\n"
		"routes: [ { id: r, match: { path: / }, fields: [\n"
		"  { name: f, max_size: 1GiB, max_count: 1, store: { to: folder, key: " NAME " } },\n"
		"  { name: d, max_size: 1GiB, max_count: 1, store: { to: nowhere, key: " NAME " } } ] } ]\n",
		path);
	table = table_new(routes_of(buf_str(&text).data), NULL, &sinks_opener, NULL, &err);
	buf_free(&text);
	assert_non_null(table);
}

static void
make_threads(const struct a_case *c)
{
	struct error err = { 0 };

	loop = loop_new(&err);
	other = loop_new(&err);
	pool = pool_new(c->memory, &err);
	blocks = blocks_new(pool);
	disk = disk_new(pool, &err);
	assert_non_null(disk);
	mail_init(&chunks_are_back, on_chunks);
	waiter = (struct pool_waiter){ .box = loop_mailbox(loop), .mail = &chunks_are_back };
	pool_add_waiter(pool, &waiter);
	mail_init(&stop, on_stop);
	thread = (struct loop_thread){ 0 };
	pace = c->pace;
	engine = (struct engine){ .loop = pace == PACE_FAST ? loop : other };
	if (pace == PACE_BESIDE)
		assert_true(loop_thread_start(&thread, other, "discard", &err));
}

static void
begin(const struct a_case *c)
{
	static const struct match_result match;
	static const struct naming naming = { .head = &form_head, .match = &match, .request_id = STR("id") };
	struct parts_setup setup = { .naming = &naming };
	struct error err = { 0 };

	alarm(HANG_SECONDS);
	open_table();
	make_threads(c);
	setup.route = table->config->routes;
	setup.txn = txn = txn_new(&(struct txn_setup){ .sinks = &sinks,
					  .table = table,
					  .blocks = blocks,
					  .piece = c->piece,
					  .box = loop_mailbox(loop),
					  .on_news = on_news },
		&err);
	assert_non_null(txn);
	parts = parts_new(&setup, &err);
	assert_non_null(parts);
	begin_part(c);
}

static void
end_threads(void)
{
	if (thread.is_started) {
		mailbox_post(loop_mailbox(other), &stop, 1);
		loop_thread_join(&thread);
	}
	loop_deliver_rest(other);
	disk_free(disk);
	loop_deliver_rest(loop);
	loop_free(other);
	loop_free(loop);
}

/* pool_free() insists that all chunks are back. */
static void
end(void)
{
	parts_free(parts);
	txn_free(txn);
	loop_deliver_rest(loop); /* what the discard is told here */
	end_threads();
	table_release(table);
	assert_int_equal(folder_remove(folder), 0);
	blocks_free(blocks);
	assert_int_equal(pool_available(pool), pool_total(pool));
	pool_free(pool);
	alarm(0);
}

static void
assert_file(size_t size)
{
	int fd = openat(folder, NAME, O_RDONLY);
	char data[65536];
	size_t at = 0;
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, data, sizeof data)) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			if (data[i] != byte_at(at))
				fail_msg("byte %zu is another one", at);
	close(fd);
	assert_int_equal(at, size);
}

static void
assert_no_file(void)
{
	assert_int_equal(faccessat(folder, NAME, F_OK, 0), -1);
}

/* -- */

static void
the_file_is_right_however_fast_the_other_one_is(void **state)
{
	(void)state;
	for (EACH_CASE) {
		begin(c);
		assert_true(feed_content(c->size, c->piece));
		assert_true(end_part());
		assert_true(settle(TXN_END));
		assert_file(c->size);
		for (struct delivery *d = txn_first(txn); d != NULL; d = d->next)
			assert_int_equal(d->order.outcome.state, OUTCOME_COMMITTED);
		end();
	}
}

static void
a_form_that_is_given_up_leaves_nothing(void **state)
{
	(void)state;
	for (EACH_CASE) {
		begin(c);
		assert_true(feed_content(c->size / 2, c->piece));
		assert_false(settle(TXN_GIVE_UP));
		assert_no_file();
		end();
	}
}

/* A part that is kept notices it at the commit, one that streams in the middle. */
static void
a_folder_that_fails_fails_the_form(void **state)
{
	(void)state;
	for (EACH_CASE) {
		int again;

		begin(c);
		again = dup(folder);
		assert_int_equal(folder_remove(folder), 0);
		folder = again;
		assert_true(!feed_content(c->size, c->piece) || !end_part() || !settle(TXN_END));
		assert_non_null(txn_failure(txn));
		assert_false(settle(TXN_GIVE_UP));
		for (struct delivery *d = txn_first(txn); d != NULL; d = d->next)
			assert_int_equal(d->item.state, ITEM_GONE);
		end();
	}
}

static void
a_name_that_is_taken_fails_the_form(void **state)
{
	(void)state;
	for (EACH_CASE) {
		begin(c);
		close(openat(folder, NAME, O_CREAT | O_WRONLY, 0600));
		assert_true(feed_content(c->size, c->piece));
		assert_true(end_part());
		assert_false(settle(TXN_END));
		assert_int_equal(txn_failure(txn)->kind, ERR_EXISTS);
		assert_file(0);
		end();
	}
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	return sources_start(&err) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	sources_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_right_however_fast_the_other_one_is),
		cmocka_unit_test(a_form_that_is_given_up_leaves_nothing),
		cmocka_unit_test(a_folder_that_fails_fails_the_form),
		cmocka_unit_test(a_name_that_is_taken_fails_the_form),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
