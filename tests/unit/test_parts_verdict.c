// SPDX-License-Identifier: MIT
/* test_parts_verdict.c - a form is taken, or refused with one sentence at one byte, in a dry run as in one whose sinks take
 * everything, and however its body is cut. Any allocation may fail, and the pool may be empty: that ends the form, and every
 * chunk comes back. */
#include "base/mem.h"
#include "loop/loop.h"
#include "part/field_error.h"
#include "part/parts_priv.h"
#include "source/multipart/form.h"

#include "lib/check.h"
#include "lib/form_head.h"
#include "lib/routes.h"

#include <stdlib.h>

#define EACH(i, list)                                                                                              \
	size_t i = 0;                                                                                              \
	i < sizeof(list) / sizeof(list)[0];                                                                        \
	i++

static bool refuses_to_open; /* the sink */
static struct loop *loop;
static struct pool *pool;
static struct blocks *blocks;

/* -- a sink that takes everything --------------------------------------------------------------------- */

struct taker {
	struct order *order;
	struct channel *channel;
};

static void
end(struct taker *taker, enum outcome_state outcome)
{
	taker->order->outcome.state = outcome;
	channel_report(taker->channel, CHANNEL_ENDED);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct taker *taker = arg;
	struct chunk *chunk;

	if (orders & CHANNEL_CLOSE) {
		channel_free(taker->channel);
		free(taker);
		return;
	}
	while ((chunk = channel_pop(taker->channel)) != NULL)
		pool_give(pool, chunk);
	if (orders & CHANNEL_CANCEL)
		end(taker, OUTCOME_ABORTED);
	else if (orders & CHANNEL_COMMIT)
		end(taker, OUTCOME_COMMITTED);
	else if (orders & CHANNEL_FINISH)
		channel_report(taker->channel, CHANNEL_PREPARED);
}

static bool
open_taker(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct taker *taker = calloc(1, sizeof *taker);
	struct channel_side consumer = { .box = loop_mailbox(loop), .on_mail = on_orders, .arg = taker };

	(void)arg;
	assert_non_null(taker);
	taker->order = order;
	if (refuses_to_open) {
		free(taker);
		return error_set(err, ERR_BUSY, "no descriptor is left");
	}
	taker->channel = order->channel = channel_new(pool, producer, &consumer, order->slots, err);
	if (taker->channel == NULL)
		free(taker);
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

static const struct outlets outlets = { .cost = cost, .open = open_taker, .pump = pump };

static void
on_news(void *arg)
{
	(void)arg;
}

/* -- a form ------------------------------------------------------------------------------------------- */

/* What is looked at while the form's parts are there. */
typedef void look(const struct parts *parts);

static bool
feed(struct parts *parts, struct str body, size_t step, bool is_dry, struct error *err)
{
	for (size_t at = 0, n; at < body.len; at += n) {
		n = body.len - at < step ? body.len - at : step;
		if (!is_dry && parts_prepare(parts, &n) != PARTS_READY)
			return error_set(err, ERR_BUSY, "no chunks");
		if (!parts_feed(parts, body.data + at, n, err))
			return false;
		parts_flush(parts);
		loop_deliver_rest(loop);
	}
	return parts_finish(parts, err);
}

/* As form_head, with a header and a query parameter of which names are made. */
static const char *query = "/?q=%20";
static unsigned n_headers = 1;

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	if (!str_equal_nocase(name, STR("x")))
		return form_head.header(arg, name, nth, value);
	*value = STR("text/x");
	return nth < n_headers;
}

/* What happens to the parts of a transaction; then it is committed, or given up. */
static bool
run_in(struct txn *txn, const struct route *route, struct str body, size_t step, look *looked, struct error *err)
{
	static const struct match_result match = { .captures = { STR("x") }, .n_captures = 1 };
	struct head head = form_head;
	struct naming naming = { .head = &head, .match = &match, .request_id = STR("id") };
	bool is_dry = txn_setup_of(txn)->outlets == NULL;
	struct parts_setup setup = { .route = route, .naming = &naming, .txn = txn };
	struct parts *parts;
	bool ok;

	head.header = nth_header;
	head.target = str_of(query);
	naming.want_shown = is_dry;
	parts = parts_new(&setup, err);
	ok = parts != NULL && feed(parts, body, step, is_dry, err);
	if (ok && looked != NULL)
		looked(parts);
	parts_free(parts);
	while (!is_dry && !txn_step(txn, !ok))
		loop_deliver_rest(loop);
	if (ok && !is_dry && !txn_is_whole(txn)) {
		assert_non_null(txn_failure(txn));
		error_keep_first(err, txn_failure(txn));
		ok = false;
	}
	return ok;
}

static bool
run(const struct route *route, struct str body, size_t step, bool is_dry, look *looked, struct error *err)
{
	struct txn_setup setup = { .policy = route->commit == COMMIT_EACH ? PLAN_EACH : PLAN_ALL,
		.outlets = &outlets,
		.blocks = blocks,
		.piece = step,
		.body = LIMIT_NONE,
		.box = loop_mailbox(loop),
		.on_news = on_news };
	size_t before = pool_available(pool);
	struct txn *txn;
	bool ok;

	if (is_dry)
		setup = (struct txn_setup){ .policy = setup.policy };
	txn = txn_new(&setup, err);
	ok = txn != NULL && run_in(txn, route, body, step, looked, err);
	txn_free(txn);
	loop_deliver_rest(loop);
	assert_int_equal(pool_available(pool), before);
	assert_int_equal(ok, !error_is_set(err));
	return ok;
}

/* "a=1|b@file.txt=2": a value, and a file. */
static void
form_of(const char *parts, struct buf *out)
{
	while (*parts != '\0') {
		size_t len = strcspn(parts, "|"), name = strcspn(parts, "@="), data = strcspn(parts, "=");

		buf_addf(out, "--B\r\nContent-Disposition: form-data; name=\"%.*s\"", (int)name, parts);
		if (name < data)
			buf_addf(out, "; filename=\"%.*s\"", (int)(data - name - 1), parts + name + 1);
		buf_addf(out, "\r\n\r\n%.*s\r\n", (int)(len - data - 1), parts + data + 1);
		parts += len + (parts[len] != '\0');
	}
	buf_add_text(out, "--B--\r\n");
}

static struct config *
config_of(const char *route)
{
	struct buf text = { 0 };
	struct config *config;

	buf_addf(&text,
		"version: 1\nmemory: 32MiB\ndestinations:\n  d: { type: discard }\n  safe: { type: discard, names: { unsafe: refuse } }\n  root: { type: directory, path: / }\n"
		"  h: { type: http, url: \"http://127.0.0.1:9/\" }\n  s: { type: s3, endpoint: \"http://127.0.0.1:9\", "
		"bucket: bkt, credentials: { access_key: a, secret_key: b } }\n"
		"routes: [ { id: r, match: { path: \"/*\" }, %s } ]\n",
		route);
	config = routes_of(text.data);
	buf_free(&text);
	return config;
}

/* -- verdicts ----------------------------------------------------------------------------------------- */

#define STORE "store: { to: d, key: \"{part}-{field}\" }"
#define LONG                                                                                                       \
	"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"

static const struct {
	const char *route, *form;
	enum error_kind kind; /* ERR_NONE: taken */
	const char *limit, *message;
} rows[] = {
	{ "fields: [ { name: \"*\", " STORE " } ]", "a=1|b=2|c@c.txt=3", ERR_NONE, "", "" },
	{ "fields: [ { name: \"*\", " STORE " } ]", "", ERR_NONE, "", "" },
	{ "fields: [ { name: a, " STORE " } ]", "b=1", ERR_RULE, "",
		"field \"b\": no rule of this route takes it" },
	{ "default: drop, fields: [ { name: a, " STORE " } ]", "b=1|c@c=2", ERR_NONE, "", "" },
	{ "fields: [ { name: a, reject: true }, { name: \"*\", " STORE " } ]", "b=1|a=2", ERR_RULE, "",
		"field \"a\": this route rejects it" },
	{ "fields: [ { name: a, drop: true } ]", "a=1|a=2", ERR_NONE, "", "" },
	/* kinds */
	{ "fields: [ { name: a, kind: file, " STORE " } ]", "a=1", ERR_RULE, "",
		"field \"a\": no rule of this route takes it" },
	{ "fields: [ { name: a, kind: value, " STORE " } ]", "a@f=1", ERR_RULE, "",
		"field \"a\": no rule of this route takes it" },
	{ "fields: [ { name: a, kind: value, " STORE
	  " }, { name: a, kind: file, max_count: 1, store: { to: d, key: f } } ]",
		"a@f=1|a=1", ERR_NONE, "", "" },
	/* counts */
	{ "fields: [ { name: a, max_count: 1, " STORE " } ]", "a=1|a=2", ERR_TOO_LARGE, "max_count",
		"field \"a\": more than 1 part" },
	{ "fields: [ { name: a, max_count: 2, store: { to: d, key: \"{part}\" } } ]", "a=1|a=2|a=3", ERR_TOO_LARGE,
		"max_count", "field \"a\": more than 2 parts" },
	{ "fields: [ { name: a, nth: 2, store: { to: d, key: second } }, { name: a, drop: true } ]", "a=1|a=2|a=3",
		ERR_NONE, "", "" },
	{ "fields: [ { name: a, required: true, " STORE " }, { name: b, " STORE " } ]", "b=1", ERR_RULE, "",
		"field \"a\": it is required and missing" },
	{ "fields: [ { name: a, required: true, " STORE " } ]", "a=1", ERR_NONE, "", "" },
	/* sizes */
	{ "fields: [ { name: a, max_size: 3B, " STORE " } ]", "a=123", ERR_NONE, "", "" },
	{ "fields: [ { name: a, max_size: 3B, " STORE " } ]", "a=1234", ERR_TOO_LARGE, "max_size",
		"field \"a\": over max_size of 3 bytes" },
	{ "fields: [ { name: a, min_size: 3B, " STORE " } ]", "a=12", ERR_RULE, "min_size",
		"field \"a\": under min_size of 3 bytes" },
	{ "limits: { values: 4B }, fields: [ { name: \"*\", " STORE " } ]", "a=12|b=345", ERR_TOO_LARGE, "values",
		"field \"b\": over values of 4 bytes" },
	{ "limits: { body: 40B }, fields: [ { name: a, " STORE " } ]", "a=12", ERR_TOO_LARGE, "body",
		"the body is over the limit of 40 bytes" },
	{ "limits: { body: 1B }, fields: [ { name: a, " STORE " } ]", "a=12", ERR_TOO_LARGE, "body",
		"the body is over the limit of 1 byte" },
	/* names */
	{ "fields: [ { name: a, max_count: 1, store: { to: d, key: \"{file.name}\" } }, { name: b, max_count: 1, store: { to: d, key: x } } ]",
		"a@x=1|b=2", ERR_RULE, "", "field \"b\": it would get the name of another part of the form" },
	{ "fields: [ { name: a, max_count: 1, store: { to: h, path: \"/{file.name}\" } }, { name: b, max_count: 1, store: { to: h, path: \"/x_y\" } } ]",
		"a@x%2Fy=1|b=2", ERR_NONE, "", "" },
	{ "fields: [ { name: a, max_count: 1, store: { to: h, path: \"/%78/{file.name}\" } }, { name: b, max_count: 1, store: { to: h, path: \"/x/y%2Dz\" } } ]",
		"a@y-z=1|b=2", ERR_RULE, "", "field \"b\": it would get the name of another part of the form" },
	{ "fields: [ { name: a, max_count: 1, store: { to: h, path: \"/same\" } }, { name: b, max_count: 1, store: { to: d, key: same } } ]",
		"a=1|b=2", ERR_NONE, "", "" },
	{ "fields: [ { name: a, max_count: 1, store: { to: root, key: \"{file.name}\" } }, { name: b, max_count: 1, store: { to: root, key: x } } ]",
		"a@x=1|b=2", ERR_RULE, "", "field \"b\": it would get the name of another part of the form" },
	{ "fields: [ { name: \"*\", store: { to: h, path: /inbox, method: POST } } ]", "a=1|a=2", ERR_NONE, "",
		"" },
	{ "fields: [ { name: \"*\", store: { to: d, key: \"{part}{file.ext}\" } } ]", "a=1|a@x=2|a@x.y=3", ERR_NONE,
		"", "" },
	{ "fields: [ { name: \"*\", store: { to: root, key: \"{part}-{field}\" } } ]",
		"a=1|" LONG LONG LONG LONG LONG LONG LONG LONG "=2", ERR_RULE, "",
		"field \"" LONG LONG "...\": the name it would get is longer than 255 bytes" },
	{ "fields: [ { name: \"*\", store: { to: d, key: \"{date:%Y.%m}-{request_id}-{path.1}-{uuid}.{file.ext}\" } } ]",
		"a=1|b@b.txt=2", ERR_NONE, "", "" },
	{ "fields: [ { name: \"*\", store: { to: safe, key: \"{part}/{field}\" } } ]", "a=1|../b=2", ERR_RULE, "",
		"field \"../b\": {field} would put a '/' into the name of an object" },
	{ "fields: [ { name: \"*\", store: { to: s, key: \"{part}\", metadata: { a: \"{file.name}\" } } } ]",
		"a=1|b@=2", ERR_NONE, "", "" },
	/* inputs left empty */
	{ "fields: [ { name: a, max_count: 1, " STORE " } ]", "b@=|a@f=1", ERR_NONE, "", "" },
	{ "fields: [ { name: a, required: true, " STORE " } ]", "a@=", ERR_RULE, "",
		"field \"a\": it is required and missing" },
	{ "fields: [ { name: a, " STORE " } ]", "b@=1", ERR_RULE, "",
		"field \"b\": no rule of this route takes it" },
	{ "fields: [ { name: a, " STORE " } ]", "a@=1", ERR_NONE, "", "" },
	/* one object of several parts */
	{ "fields: [ { name: a, concat: { to: d, key: all } }, { name: b, digest: sha256, " STORE " } ]",
		"a=1|b=2|a=3|a=|b2=", ERR_RULE, "", "field \"b2\": no rule of this route takes it" },
	{ "commit: each, fields: [ { name: a, concat: { to: d, key: all } }, { name: b, digest: crc32c, " STORE
	  " } ]",
		"a=1|b=2|a=3", ERR_NONE, "", "" },
	/* a name is shown up to some length, and never cut within a character */
	{ "fields: [ { name: a, " STORE " } ]", LONG LONG LONG "=1", ERR_RULE, "",
		"field \"" LONG LONG "...\": no rule of this route takes it" },
	{ "fields: [ { name: a, " STORE " } ]", "x" LONG LONG LONG LONG LONG "=1", ERR_RULE, "",
		"field \"x" LONG
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9...\": no rule of this route takes it" },
};

static void
check_verdict(size_t row, const struct error *err)
{
	if (err->kind != rows[row].kind || strcmp(err->message, rows[row].message) != 0 ||
		strcmp(err->limit, rows[row].limit) != 0)
		fail_msg("%s: %s: %s (%s)", rows[row].route, rows[row].form, err->message, err->limit);
	if (strstr(err->message, "field ") == err->message) {
		assert_true(err->field[0] != '\0' && strlen(err->field) < sizeof err->field);
		assert_true(((unsigned char)err->field[strlen(err->field) - 1] & 0xc0) != 0xc0);
	}
}

static void
a_form_gets_one_verdict_however_it_comes(void **state)
{
	static const size_t steps[] = { 1, 7, 50, SOURCE_FEED_MAX };

	(void)state;
	for (EACH(i, rows)) {
		struct config *config = config_of(rows[i].route);
		struct error first = { 0 };
		struct buf body = { 0 };

		form_of(rows[i].form, &body);
		run(config->routes, buf_str(&body), 1, true, NULL, &first);
		check_verdict(i, &first);
		for (EACH(s, steps))
			for (int is_dry = 0; is_dry < 2; is_dry++) {
				struct error err = { 0 };

				run(config->routes, buf_str(&body), steps[s], is_dry, NULL, &err);
				check_verdict(i, &err);
				assert_true(err.offset == first.offset);
			}
		buf_free(&body);
		config_free(config);
	}
}

/* -- what is remembered ------------------------------------------------------------------------------- */

static void
look_at_parts(const struct parts *parts)
{
	const struct part *part = parts_first(parts);

	assert_int_equal(parts_count(parts), 3);
	assert_true(str_is(part->field, "a") && part->filename.data == NULL && part->type.data == NULL);
	assert_true(part->is_whole && part->size == 5 && part->action == ACTION_STORE);
	part = part->next;
	assert_true(str_is(part->field, "b") && part->action == ACTION_DROP && part->delivery == NULL);
	part = part->next;
	assert_true(str_is(part->filename, "c.txt") && part->number == 3 && part->facts.n == 1);
	assert_null(part->next);
}

static void
look_at_names(const struct parts *parts)
{
	const struct delivery *delivery = parts_first(parts)->delivery;

	assert_string_equal(buf_str(&delivery->shown).data, "x-{uuid}-{date:%Y}-{request_id}-1");
	assert_int_equal(delivery->target.len, strlen("x-") + 36 + strlen("-1970-id-1"));
}

static void
look_at_memory(const struct parts *parts)
{
	assert_true(parts_held(parts) > 20000);
}

static void
what_is_known_of_each_part_stands_until_the_end(void **state)
{
	struct config *config = config_of(
		"fields: [ { name: b, drop: true }, { name: \"*\", digest: crc32c, " STORE " } ]");
	struct buf body = { 0 };
	struct error err = { 0 };

	(void)state;
	form_of("a=12345|b=1|c@c.txt=", &body);
	assert_true(run(config->routes, buf_str(&body), 7, false, look_at_parts, &err));
	assert_true(run(config->routes, buf_str(&body), 7, true, look_at_parts, &err));
	buf_free(&body);
	config_free(config);
}

static void
what_differs_each_time_is_shown_as_it_is_written(void **state)
{
	struct config *config = config_of(
		"fields: [ { name: a, store: { to: d, key: \"x-{uuid}-{date:%Y}-{request_id}-{part}\" } } ]");
	struct buf body = { 0 };
	struct error err = { 0 };

	(void)state;
	form_of("a=1", &body);
	assert_true(run(config->routes, buf_str(&body), 100, true, look_at_names, &err));
	buf_free(&body);
	config_free(config);
}

static void
what_a_form_holds_of_the_budget_is_known(void **state)
{
	struct config *config = config_of("fields: [ { name: \"*\", store: { to: d, key: \"{part}\" } } ]");
	struct buf body = { 0 };
	struct error err = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n");
		for (int n = 0; n < 10000; n++)
			buf_add_char(&body, 'x');
		buf_add_text(&body, "\r\n");
	}
	buf_add_text(&body, "--B--\r\n");
	assert_true(run(config->routes, buf_str(&body), 4096, false, look_at_memory, &err));
	buf_free(&body);
	config_free(config);
}

/* -- a machine without memory ------------------------------------------------------------------------- */

static const char *const forms[][2] = {
	{ "fields: [ { name: a, digest: [sha256, crc32c], store: { to: d, key: \"{uuid}-{query.q}-{path.1}-{header.x}\" } }, { "
	  "name: c, concat: { to: d, key: all } }, { name: b, required: true, " STORE " } ]",
		"a=1|b@name=2|c=3|c=4|a@=|a@=5" },
	{ "commit: each, fields: [ { name: \"*\", store: { to: s, key: \"{part}-{field}\", metadata: { f: \"{field} {file.name}\", i: "
	  "\"{query.q}{query.q}{request_id}{uuid}{date:%Y}{file.ext}\" }, content_disposition: attachment, content_type: declared } } ]",
		"a=1|b@name.txt=2" },
};

static void
fail_each_allocation(const struct route *route, struct str body, bool is_dry)
{
	for (size_t nth = 1;; nth++) {
		struct error err = { 0 };
		bool ok;

		mem_fail(nth, 1);
		ok = run(route, body, 100, is_dry, NULL, &err);
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
		struct config *config = config_of(forms[i][0]);
		struct buf body = { 0 };

		form_of(forms[i][1], &body);
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
	struct config *config = config_of(
		"fields: [ { name: big, buffer: true, max_size: 200KiB, store: { to: h, path: \"/b-{part}\" } }, "
		"{ name: c, concat: { to: d, key: all } }, { name: \"*\", " STORE " } ]");
	size_t n_taken = 0, n_refused = 0;
	struct buf body = { 0 };

	(void)state;
	form_of("a=1|big=2|c=3", &body);
	for (size_t n = 0; pool_reserve(pool, n, POOL_KEEP); n++) {
		struct error err = { 0 };

		if (run(config->routes, buf_str(&body), 100, false, NULL, &err)) {
			n_taken++;
		} else {
			assert_int_equal(err.kind, ERR_BUSY);
			assert_string_not_equal(err.message, "no chunks"); /* those to stream are left */
			n_refused++;
		}
		pool_unreserve(pool, n, POOL_KEEP);
	}
	assert_true(n_taken > 0 && n_refused > 0);
	buf_free(&body);
	config_free(config);
}

/* Half a MiB, so that not even one whole feed is sure of its chunks. */
static void
a_form_waits_for_chunks_or_comes_in_smaller_pieces(void **state)
{
	static const struct match_result match;
	static const struct naming naming = { .head = &form_head, .match = &match, .request_id = STR("id") };
	struct config *config = config_of("fields: [ { name: \"*\", " STORE " } ]");
	struct error err = { 0 };
	struct pool *small = pool_new(512 << 10, &err);
	struct blocks *cut = blocks_new(small);
	struct txn_setup setup = {
		.outlets = &outlets, .blocks = cut, .box = loop_mailbox(loop), .on_news = on_news
	};
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
	assert_true(txn_step(txn, true));
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
	struct config *config = config_of("fields: [ { name: \"*\", store: { to: d, key: \"{part}\" } } ]");
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
	for (size_t n = 0; pool_reserve(pool, n, POOL_KEEP); n++) {
		struct error err = { 0 };
		size_t step = n % 2 == 0 ? 1000 : 20000; /* a third of a head, or several of them */
		bool ok = run(config->routes, buf_str(&body), step, false, NULL, &err);

		assert_true(ok || err.kind == ERR_BUSY);
		was_taken = was_taken || ok;
		was_head = was_head ||
			strcmp(err.message, "no memory left for the head of a part; try again later") == 0;
		was_name = was_name || strstr(err.message, "no memory left to keep it; try again later") != NULL;
		pool_unreserve(pool, n, POOL_KEEP);
	}
	assert_true(was_taken && was_name);
	assert_true(was_head);
	for (size_t n = 0; pool_reserve(pool, n, POOL_STREAM); n++) {
		struct error err = { 0 };

		if (!run(config->routes, buf_str(&body), SOURCE_FEED_MAX, false, NULL, &err))
			assert_int_equal(err.kind, ERR_BUSY);
		pool_unreserve(pool, n, POOL_STREAM);
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
	refuses_to_open = true;
	for (EACH(i, cases))
		for (size_t size = 10; size < 100000; size += 30000) {
			struct config *config = config_of(cases[i].route);
			struct buf body = { 0 };
			struct error err = { 0 };

			buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n");
			for (size_t n = 0; n < size; n++)
				buf_add_char(&body, 'x');
			buf_add_text(&body, "\r\n--B--\r\n");
			assert_false(run(config->routes, buf_str(&body), 4096, false, NULL, &err));
			assert_int_equal(err.kind, ERR_BUSY);
			assert_non_null(strstr(cases[i].message, err.message));
			buf_free(&body);
			config_free(config);
		}
	refuses_to_open = false;
}

static void
what_a_request_says_twice_makes_no_name(void **state)
{
	static const char *const routes[] = {
		"fields: [ { name: a, store: { to: d, key: \"{part}-{query.q}\" } } ]",
		"fields: [ { name: a, store: { to: d, key: \"{part}-{header.x}\" } } ]",
		"fields: [ { name: a, store: { to: s, key: \"{part}\", metadata: { m: \"{query.q}{header.x}\" } } } ]",
		"fields: [ { name: a, drop: true } ], response: { redirect: \"/{query.q}{header.x}\" }",
	};
	struct buf body = { 0 };

	(void)state;
	form_of("a=1", &body);
	for (int twice = 0; twice < 2; twice++) {
		query = twice ? "/?q=1&q=1" : "/?q=1";
		n_headers = twice ? 2 : 1;
		for (EACH(i, routes)) {
			struct config *config = config_of(routes[i]);
			struct error err = { 0 };

			assert_int_equal(run(config->routes, buf_str(&body), 50, true, NULL, &err), !twice);
			assert_int_equal(err.kind, twice ? ERR_BAD_REQUEST : ERR_NONE);
			config_free(config);
		}
	}
	query = "/?q=%20";
	n_headers = 1;
	buf_free(&body);
}

static void
a_head_has_a_few_lines(void **state)
{
	struct config *config = config_of("fields: [ { name: \"*\", " STORE " } ]");

	(void)state;
	for (size_t n = FORM_HEADERS_MAX - 2; n <= FORM_HEADERS_MAX; n++) { /* beside Content-Disposition */
		struct buf body = { 0 };
		struct error err = { 0 };
		bool ok;

		buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=a\r\n");
		for (size_t i = 0; i < n; i++)
			buf_addf(&body, "X-%zu: 1\r\n", i);
		buf_add_text(&body, "\r\n\r\n--B--\r\n");
		ok = run(config->routes, buf_str(&body), 1000, true, NULL, &err);
		assert_int_equal(ok, n < FORM_HEADERS_MAX);
		if (!ok)
			assert_non_null(strstr(err.message, "too many header lines in a part's head"));
		buf_free(&body);
	}
	config_free(config);
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

static void
a_body_that_ends_before_its_form_is_refused(void **state)
{
	struct config *config = config_of("fields: [ { name: \"*\", " STORE " } ]");
	struct buf body = { 0 };

	(void)state;
	form_of("a=1|b=2", &body);
	for (size_t len = 0; len + 2 < body.len; len++)
		for (int is_dry = 0; is_dry < 2; is_dry++) {
			struct error err = { 0 };

			assert_false(run(config->routes, (struct str){ body.data, len }, 1000, is_dry, NULL, &err));
			assert_true(err.kind == ERR_TRUNCATED || err.kind == ERR_MALFORMED);
		}
	buf_free(&body);
	config_free(config);
}

/* A reserve is held by the form as long as it lives, also where its parts take nothing of it. */
static void
what_is_set_aside_counts_as_held(void **state)
{
	static const struct match_result match;
	static const struct naming naming = { .head = &form_head, .match = &match, .request_id = STR("id") };
	struct config *config = config_of("fields: [ { name: \"*\", " STORE " } ]");
	struct txn_setup setup = {
		.outlets = &outlets, .blocks = blocks, .box = loop_mailbox(loop), .on_news = on_news
	};
	size_t before = pool_available(pool), len = 100;
	struct error err = { 0 };
	struct txn *txn = txn_new(&setup, &err);
	struct parts_setup parts_setup = { .route = config->routes, .naming = &naming, .txn = txn };
	struct parts *parts;

	(void)state;
	assert_true(pool_reserve(pool, 3, POOL_KEEP));
	txn_set_reserve(txn, reserve_new(pool, 3));
	parts = parts_new(&parts_setup, &err);
	assert_true(parts_held(parts) >= 3 * CHUNK_SIZE);
	assert_int_equal(parts_prepare(parts, &len), PARTS_READY); /* and then the client leaves */
	parts_free(parts);
	assert_true(txn_step(txn, true));
	txn_free(txn);
	assert_int_equal(pool_available(pool), before);
	config_free(config);
}

/* However long the next piece of body is, and however short the pool: what is empty takes it. */
static void
an_empty_channel_has_room_for_any_piece(void **state)
{
	static const struct match_result match;
	static const struct naming naming = { .head = &form_head, .match = &match, .request_id = STR("id") };
	struct config *config = config_of("fields: [ { name: \"*\", " STORE " } ]");
	struct txn_setup setup = {
		.outlets = &outlets, .blocks = blocks, .box = loop_mailbox(loop), .on_news = on_news
	};
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
	loop_deliver_rest(loop);
	n = pool_available(pool);
	for (size_t taken = 0; taken < n; taken += n / 8) {
		assert_true(pool_reserve(pool, taken, POOL_STREAM));
		assert_true(parts_has_room(parts, 4u << 20));
		pool_unreserve(pool, taken, POOL_STREAM);
	}
	parts_free(parts);
	while (!txn_step(txn, true))
		loop_deliver_rest(loop);
	txn_free(txn);
	loop_deliver_rest(loop);
	buf_free(&body);
	config_free(config);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	if (!sources_start(&err))
		return -1;
	loop = loop_new(&err);
	pool = pool_new(2u << 20, &err);
	blocks = blocks_new(pool);
	return loop != NULL && pool != NULL && blocks != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	blocks_free(blocks);
	pool_free(pool);
	loop_free(loop);
	sources_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_gets_one_verdict_however_it_comes),
		cmocka_unit_test(what_is_known_of_each_part_stands_until_the_end),
		cmocka_unit_test(what_differs_each_time_is_shown_as_it_is_written),
		cmocka_unit_test(what_a_form_holds_of_the_budget_is_known),
		cmocka_unit_test(any_allocation_may_fail),
		cmocka_unit_test(a_pool_that_is_short_refuses_and_keeps_nothing),
		cmocka_unit_test(a_form_waits_for_chunks_or_comes_in_smaller_pieces),
		cmocka_unit_test(big_parts_and_long_names_are_refused_for_want_of_memory_too),
		cmocka_unit_test(a_sink_that_does_not_open_fails_the_form),
		cmocka_unit_test(what_a_request_says_twice_makes_no_name),
		cmocka_unit_test(a_head_has_a_few_lines),
		cmocka_unit_test(nothing_is_freed_of_nothing),
		cmocka_unit_test(a_body_that_ends_before_its_form_is_refused),
		cmocka_unit_test(what_is_set_aside_counts_as_held),
		cmocka_unit_test(an_empty_channel_has_room_for_any_piece),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
