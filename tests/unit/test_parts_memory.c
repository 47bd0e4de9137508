// SPDX-License-Identifier: MIT
/* test_parts_memory.c - any allocation of a form may fail, the pool may be short of any number of chunks, and its sink may not open:
 * that ends the form, and every chunk comes back. */
#include "base/mem.h"
#include "config/load.h"

#include "lib/form_head.h"
#include "lib/form_run.h"

#define STORE "store: { to: d, key: \"{part}-{field}\" }"

/* -- a machine without memory ------------------------------------------------------------------------- */

static const char *const forms[][2] = {
	{ "fields: [ { name: a, digest: [sha256, crc32c], store: { to: d, key: \"{uuid}-{query.q}-{path.1}-{header.x}\" } }, { "
	  "name: c, concat: { to: d, key: all } }, { name: b, required: true, " STORE " } ]",
		"a=1|b@name=2|c=3|c=4|a@=|a@=5" },
	{ "commit: each, fields: [ { name: \"*\", store: { to: s, key: \"{part}-{field}\", metadata: { f: \"{field} {file.name}\", i: "
	  "\"{query.q}{query.q}{request_id}{uuid}{date:%Y}{file.ext}\" }, content_disposition: attachment, content_type: declared } } ]",
		"a=1|b@name.txt=2" },
	{ "fields: [ { name: \"*\", types: { detected: [text/plain] }, store: { to: d, key: \"{part}.{detected.ext}\" } } ]",
		"a@a=a text that comes in more than one piece, so that its beginning is held until all of it is there|b=more text" },
	{ "fields: [ { name: \"*\", digest: [sha256, sha512], store: { to: told, path: \"/{part}\" } } ]",
		"a=1|b@name.txt=2" },
	{ "fields: [ { name: p, digest: sha256, verify: { field: \"*-d\" }, " STORE
	  " }, { name: \"*-d\", drop: true } ]",
		"p@name=1|p-d=a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s" },
};

static void
fail_each_allocation(const struct route *route, struct str body, bool is_dry)
{
	for (size_t nth = 1;; nth++) {
		struct error err = { 0 };
		bool ok;

		mem_fail(nth, 1);
		ok = form_run(route, body, 100, is_dry, NULL, &err);
		if (mem_fail(0, 0) < nth) {
			assert_true(ok);
			return;
		}
		if (!ok && err.kind != ERR_NOMEM && err.kind != ERR_BUSY)
			fail_msg("allocation %zu: %s", nth, err.message);
		assert_true(nth < 10000);
	}
}

static void
any_allocation_may_fail(void **state)
{
	(void)state;
	for (EACH(i, forms)) {
		struct config *config = form_run_config(forms[i][0]);
		struct buf body = { 0 };

		form_run_text(forms[i][1], &body);
		fail_each_allocation(config->routes, buf_str(&body), false);
		fail_each_allocation(config->routes, buf_str(&body), true);
		buf_free(&body);
		config_free(config);
	}
}

/* With n chunks less for what is kept, for each n: taken, or refused for want of memory. */
static void
a_pool_that_is_short_refuses_and_keeps_nothing(void **state)
{
	struct config *config = form_run_config(
		"fields: [ { name: big, buffer: true, max_size: 200KiB, store: { to: h, path: \"/b-{part}\" } }, "
		"{ name: t, types: { detected: [text/plain] }, drop: true }, { name: c, concat: { to: d, key: all } }, { name: \"*\", " STORE
		" } ]");
	size_t n_taken = 0, n_refused = 0;
	struct buf body = { 0 };

	(void)state;
	form_run_text("a=1|t=some text|big=2|c=3", &body);
	for (size_t n = 0; pool_reserve(form_run_at.pool, n, POOL_KEEP); n++) {
		struct error err = { 0 };

		if (form_run(config->routes, buf_str(&body), 100, false, NULL, &err)) {
			n_taken++;
		} else {
			assert_int_equal(err.kind, ERR_BUSY);
			assert_string_not_equal(err.message, "no chunks"); /* those to stream are left */
			n_refused++;
		}
		pool_unreserve(form_run_at.pool, n, POOL_KEEP);
	}
	assert_true(n_taken > 0 && n_refused > 0);
	buf_free(&body);
	config_free(config);
}

/* Of each part its names, its delivery and its link are charged one after the other; each may be the one that finds no room. */
static void
parts_with_links_are_refused_for_want_of_memory_too(void **state)
{
	struct config *config = form_run_config(
		"fields: [ { name: \"*\", store: { to: s, key: \"{part}-{file.name}\", presign: 1h } } ]");
	size_t most = pool_keepable(form_run_at.pool);

	(void)state;
	for (size_t left = 1; left < 6; left++)
		for (size_t length = 1; length < 60; length += 20) {
			struct error err = { 0 };
			struct buf body = { 0 };

			for (size_t i = 0; i < 100; i++)
				buf_addf(&body,
					"--B\r\nContent-Disposition: form-data; name=a; filename=%0*d\r\n\r\n\r\n",
					(int)length, 7);
			buf_add_text(&body, "--B--\r\n");
			assert_true(pool_reserve(form_run_at.pool, most - left, POOL_KEEP));
			assert_false(form_run(config->routes, buf_str(&body), 4000, false, NULL, &err));
			assert_int_equal(err.kind, ERR_BUSY);
			pool_unreserve(form_run_at.pool, most - left, POOL_KEEP);
			buf_free(&body);
		}
	config_free(config);
}

/* So many files that what compares them is more than a chunk: then for some number of chunks all but that finds room. */
static void
to_compare_what_is_said_of_files_takes_memory_too(void **state)
{
	struct config *config = form_run_config(
		"fields: [ { name: p, digest: sha256, verify: { field: \"*-d\" }, drop: true } ]");
	size_t most = pool_keepable(form_run_at.pool);
	bool was_short = false, ok = false;
	struct buf body = { 0 };

	(void)state;
	for (size_t i = 0; i < CHUNK_SIZE / 40; i++)
		buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=p; filename=x\r\n\r\n\r\n");
	buf_add_text(&body, "--B--\r\n");
	for (size_t left = 1; !ok; left++) {
		struct error err = { 0 };

		assert_true(left <= most && pool_reserve(form_run_at.pool, most - left, POOL_KEEP));
		ok = form_run(config->routes, buf_str(&body), 4000, false, NULL, &err);
		assert_true(ok || err.kind == ERR_BUSY);
		was_short = was_short || strcmp(err.message, "no memory left for the form; try again later") == 0;
		pool_unreserve(form_run_at.pool, most - left, POOL_KEEP);
	}
	assert_true(was_short);
	buf_free(&body);
	config_free(config);
}

/* Half a MiB, so that not even one whole feed is sure of its chunks. */
static void
a_form_waits_for_chunks_or_comes_in_smaller_pieces(void **state)
{
	static const struct match_result match;
	static const struct naming naming = { .head = &form_head, .match = &match, .request_id = STR("id") };
	struct config *config = form_run_config("fields: [ { name: \"*\", " STORE " } ]");
	struct error err = { 0 };
	struct pool *small = pool_new(512 << 10, &err);
	struct blocks *cut = blocks_new(small);
	struct txn_setup setup = { .sinks = &form_run_sinks,
		.blocks = cut,
		.box = loop_mailbox(form_run_at.loop),
		.on_news = form_run_on_news };
	struct txn *txn = txn_new(&setup, &err);
	struct parts_setup parts_setup = { .route = config->routes, .naming = &naming, .txn = txn };
	struct parts *parts = parts_new(&parts_setup, &err);
	bool was_smaller = false, has_waited = false;

	(void)state;
	assert_non_null(parts);
	for (size_t n = 0; pool_reserve(small, n, POOL_STREAM); n++) {
		size_t len = SOURCE_FEED_MAX;
		enum parts_readiness readiness = parts_prepare(parts, &len);

		if (readiness == PARTS_READY)
			assert_true(parts_feed(parts, "", 0, &err)); /* gives back what was reserved */
		has_waited = has_waited || readiness == PARTS_WAIT_CHUNKS;
		was_smaller = was_smaller || (readiness == PARTS_READY && len < SOURCE_FEED_MAX);
		assert_true(len > 0 && readiness != PARTS_WAIT_SPACE);
		pool_unreserve(small, n, POOL_STREAM);
	}
	assert_true(has_waited && was_smaller);
	parts_free(parts);
	assert_true(txn_step(txn, TXN_GIVE_UP));
	txn_free(txn);
	blocks_free(cut);
	pool_free(small);
	config_free(config);
}

/* One that comes after, with part after part of the memory taken: those that go on their way need chunks, long heads and
 * names need memory. */
static void
big_parts_and_long_names_are_refused_for_want_of_memory_too(void **state)
{
	struct config *config = form_run_config("fields: [ { name: \"*\", store: { to: d, key: \"{part}\" } } ]");
	bool was_head = false, was_name = false, was_taken = false;
	struct buf body = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=\"");
		for (int n = 0; n < 3000; n++)
			buf_add_char(&body, 'n');
		buf_add_text(&body, "\"\r\n\r\n");
		for (int n = 0; n < 100000; n++)
			buf_add_char(&body, 'x');
		buf_add_text(&body, "\r\n");
	}
	buf_add_text(&body, "--B--\r\n");
	for (size_t n = 0; pool_reserve(form_run_at.pool, n, POOL_KEEP); n++) {
		struct error err = { 0 };
		size_t step = n % 2 == 0 ? 1000 : 20000; /* a third of a head, or several of them */
		bool ok = form_run(config->routes, buf_str(&body), step, false, NULL, &err);

		assert_true(ok || err.kind == ERR_BUSY);
		was_taken = was_taken || ok;
		was_head = was_head ||
			strcmp(err.message, "no memory left for the head of a part; try again later") == 0;
		was_name = was_name || strstr(err.message, "no memory left to keep it; try again later") != NULL;
		pool_unreserve(form_run_at.pool, n, POOL_KEEP);
	}
	assert_true(was_taken && was_name);
	assert_true(was_head);
	for (size_t n = 0; pool_reserve(form_run_at.pool, n, POOL_STREAM); n++) {
		struct error err = { 0 };

		if (!form_run(config->routes, buf_str(&body), SOURCE_FEED_MAX, false, NULL, &err))
			assert_int_equal(err.kind, ERR_BUSY);
		pool_unreserve(form_run_at.pool, n, POOL_STREAM);
	}
	buf_free(&body);
	config_free(config);
}

static void
a_sink_that_does_not_open_fails_the_form(void **state)
{
	static const struct {
		const char *route, *message;
	} cases[] = {
		{ "fields: [ { name: \"*\", store: { to: d, key: \"{part}\" } } ]",
			"field \"a\": no descriptor is left" },
		{ "commit: each, fields: [ { name: \"*\", buffer: true, max_size: 1MiB, store: { to: h, path: \"/{part}\" } } ]",
			"no descriptor is left" },
		{ "commit: each, fields: [ { name: b, drop: true }, { name: a, concat: { to: d, key: all } } ]",
			"field \"a\": no descriptor is left" },
	};

	(void)state;
	form_run_at.refuses_to_open = true;
	for (EACH(i, cases))
		for (size_t size = 10; size < 100000; size += 30000) {
			struct config *config = form_run_config(cases[i].route);
			struct buf body = { 0 };
			struct error err = { 0 };

			buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n");
			for (size_t n = 0; n < size; n++)
				buf_add_char(&body, 'x');
			buf_add_text(&body, "\r\n--B--\r\n");
			assert_false(form_run(config->routes, buf_str(&body), 4096, false, NULL, &err));
			assert_int_equal(err.kind, ERR_BUSY);
			assert_non_null(strstr(cases[i].message, err.message));
			buf_free(&body);
			config_free(config);
		}
	form_run_at.refuses_to_open = false;
}

static void
nothing_is_freed_of_nothing(void **state)
{
	(void)state;
	parts_free(NULL);
	parts_free_part(NULL);
	txn_free(NULL);
	delivery_free(NULL);
	blocks_free(NULL);
}

/* A reserve is held by the form as long as it lives, also where its parts take nothing of it. */
static void
what_is_set_aside_counts_as_held(void **state)
{
	static const struct match_result match;
	static const struct naming naming = { .head = &form_head, .match = &match, .request_id = STR("id") };
	struct config *config = form_run_config("fields: [ { name: \"*\", " STORE " } ]");
	struct txn_setup setup = { .sinks = &form_run_sinks,
		.blocks = form_run_at.blocks,
		.box = loop_mailbox(form_run_at.loop),
		.on_news = form_run_on_news };
	size_t before = pool_available(form_run_at.pool), len = 100;
	struct error err = { 0 };
	struct txn *txn = txn_new(&setup, &err);
	struct parts_setup parts_setup = { .route = config->routes, .naming = &naming, .txn = txn };
	struct parts *parts;

	(void)state;
	assert_true(pool_reserve(form_run_at.pool, 3, POOL_KEEP));
	txn_set_reserve(txn, reserve_new(form_run_at.pool, 3));
	parts = parts_new(&parts_setup, &err);
	assert_true(parts_held(parts) >= 3 * CHUNK_SIZE);
	assert_int_equal(parts_prepare(parts, &len), PARTS_READY); /* and then the client leaves */
	parts_free(parts);
	assert_true(txn_step(txn, TXN_GIVE_UP));
	txn_free(txn);
	assert_int_equal(pool_available(form_run_at.pool), before);
	config_free(config);
}

/* However long the next piece of body is, and however short the pool: what is empty takes it. */
static void
an_empty_channel_has_room_for_any_piece(void **state)
{
	static const struct match_result match;
	static const struct naming naming = { .head = &form_head, .match = &match, .request_id = STR("id") };
	struct config *config = form_run_config("fields: [ { name: \"*\", " STORE " } ]");
	struct txn_setup setup = { .sinks = &form_run_sinks,
		.blocks = form_run_at.blocks,
		.box = loop_mailbox(form_run_at.loop),
		.on_news = form_run_on_news };
	struct error err = { 0 };
	struct txn *txn = txn_new(&setup, &err);
	struct parts_setup parts_setup = { .route = config->routes, .naming = &naming, .txn = txn };
	struct parts *parts = parts_new(&parts_setup, &err);
	struct buf body = { 0 };
	size_t n;

	(void)state;
	buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n");
	while (body.len < 60000)
		buf_add_char(&body, 'x');
	n = body.len;
	assert_int_equal(parts_prepare(parts, &n), PARTS_READY);
	assert_true(n == body.len && parts_feed(parts, body.data, n, &err));
	parts_flush(parts);
	loop_deliver_rest(form_run_at.loop);
	n = pool_available(form_run_at.pool);
	for (size_t taken = 0; taken < n; taken += n / 8) {
		assert_true(pool_reserve(form_run_at.pool, taken, POOL_STREAM));
		assert_true(parts_has_room(parts, 4u << 20));
		pool_unreserve(form_run_at.pool, taken, POOL_STREAM);
	}
	parts_free(parts);
	while (!txn_step(txn, TXN_GIVE_UP))
		loop_deliver_rest(form_run_at.loop);
	txn_free(txn);
	loop_deliver_rest(form_run_at.loop);
	buf_free(&body);
	config_free(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_allocation_may_fail),
		cmocka_unit_test(a_pool_that_is_short_refuses_and_keeps_nothing),
		cmocka_unit_test(parts_with_links_are_refused_for_want_of_memory_too),
		cmocka_unit_test(to_compare_what_is_said_of_files_takes_memory_too),
		cmocka_unit_test(a_form_waits_for_chunks_or_comes_in_smaller_pieces),
		cmocka_unit_test(big_parts_and_long_names_are_refused_for_want_of_memory_too),
		cmocka_unit_test(a_sink_that_does_not_open_fails_the_form),
		cmocka_unit_test(nothing_is_freed_of_nothing),
		cmocka_unit_test(what_is_set_aside_counts_as_held),
		cmocka_unit_test(an_empty_channel_has_room_for_any_piece),
	};

	return cmocka_run_group_tests(tests, form_run_set_up, form_run_tear_down);
}
