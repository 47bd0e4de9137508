// SPDX-License-Identifier: MIT
/* form_run.c - see form_run.h. */
#include "lib/form_run.h"

#include "stage/detector.h"

#include "lib/form_head.h"
#include "lib/routes.h"

#include <stdlib.h>

struct form_run_at form_run_at;

int
form_run_set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	if (!sources_start(&err))
		return -1;
	form_run_at = (struct form_run_at){ .query = FORM_RUN_QUERY, .n_headers = 1 };
	form_run_at.loop = loop_new(&err);
	form_run_at.pool = pool_new(2u << 20, &err);
	form_run_at.blocks = blocks_new(form_run_at.pool);
	form_run_at.tools.detector = detector_new(&err);
	return form_run_at.loop != NULL && form_run_at.pool != NULL && form_run_at.blocks != NULL &&
			form_run_at.tools.detector != NULL
		? 0
		: -1;
}

int
form_run_tear_down(void **state)
{
	(void)state;
	stage_tools_close(&form_run_at.tools);
	blocks_free(form_run_at.blocks);
	pool_free(form_run_at.pool);
	loop_free(form_run_at.loop);
	sources_stop();
	return 0;
}

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
		pool_give(form_run_at.pool, chunk);
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
	struct channel_side consumer = {
		.box = loop_mailbox(form_run_at.loop), .on_mail = on_orders, .arg = taker
	};

	(void)arg;
	assert_non_null(taker);
	taker->order = order;
	if (form_run_at.refuses_to_open) {
		free(taker);
		return error_set(err, ERR_BUSY, "no descriptor is left");
	}
	taker->channel = order->channel = channel_new(form_run_at.pool, producer, &consumer, order->slots, err);
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

const struct sinks form_run_sinks = { .cost = cost, .open = open_taker, .pump = pump };

void
form_run_on_news(void *arg)
{
	(void)arg;
}

/* -- a form ------------------------------------------------------------------------------------------- */

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
		loop_deliver_rest(form_run_at.loop);
	}
	return parts_finish(parts, err);
}

/* As form_head, with a header and a query parameter of which names are made. */
static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	if (!str_equal_nocase(name, STR("x")))
		return form_head.header(arg, name, nth, value);
	*value = STR("text/x");
	return nth < form_run_at.n_headers;
}

/* What happens to the parts of a transaction; then it is committed, or given up. */
static bool
run_in(struct txn *txn, const struct route *route, struct str body, size_t step, form_run_look *looked,
	struct error *err)
{
	static const struct match_result match = { .captures = { STR("x") }, .n_captures = 1 };
	struct head head = form_head;
	struct naming naming = { .head = &head, .match = &match, .request_id = STR("id") };
	bool is_dry = txn_setup_of(txn)->sinks == NULL;
	struct parts_setup setup = { .tools = &form_run_at.tools, .route = route, .naming = &naming, .txn = txn };
	struct parts *parts;
	bool ok;

	head.header = nth_header;
	head.target = str_of(form_run_at.query);
	naming.want_shown = is_dry;
	parts = parts_new(&setup, err);
	ok = parts != NULL && feed(parts, body, step, is_dry, err);
	if (ok && looked != NULL)
		looked(parts);
	parts_free(parts);
	while (!is_dry && !txn_step(txn, ok ? TXN_END : TXN_GIVE_UP))
		loop_deliver_rest(form_run_at.loop);
	if (ok && !is_dry && !txn_is_whole(txn)) {
		assert_non_null(txn_failure(txn));
		error_keep_first(err, txn_failure(txn));
		ok = false;
	}
	return ok;
}

bool
form_run(const struct route *route, struct str body, size_t step, bool is_dry, form_run_look *looked,
	struct error *err)
{
	struct txn_setup setup = { .policy = route->commit == COMMIT_EACH ? PLAN_EACH : PLAN_ALL,
		.sinks = &form_run_sinks,
		.blocks = form_run_at.blocks,
		.piece = step,
		.body = LIMIT_NONE,
		.box = loop_mailbox(form_run_at.loop),
		.on_news = form_run_on_news };
	size_t before = pool_available(form_run_at.pool);
	struct txn *txn;
	bool ok;

	if (is_dry)
		setup = (struct txn_setup){ .policy = setup.policy };
	txn = txn_new(&setup, err);
	ok = txn != NULL && run_in(txn, route, body, step, looked, err);
	txn_free(txn);
	loop_deliver_rest(form_run_at.loop);
	assert_int_equal(pool_available(form_run_at.pool), before);
	assert_int_equal(ok, !error_is_set(err));
	return ok;
}

void
form_run_text(const char *parts, struct buf *out)
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

struct config *
form_run_config(const char *route)
{
	struct buf text = { 0 };
	struct config *config;

	buf_addf(&text,
		"version: 1\nmemory: 32MiB\nstate: /nowhere\ndestinations:\n  d: { type: discard }\n  safe: { type: discard, names: { unsafe: refuse } }\n  root: { type: directory, path: / }\n"
		"  h: { type: http, url: \"http://127.0.0.1:9/\" }\n  told: { type: http, url: \"http://127.0.0.1:9/\", digest: content-digest }\n"
		"  s: { type: s3, endpoint: \"http://127.0.0.1:9\", "
		"bucket: bkt, credentials: { access_key: a, secret_key: b } }\n"
		"routes: [ { id: r, match: { path: \"/*\" }, %s } ]\n",
		route);
	config = routes_of(text.data);
	buf_free(&text);
	return config;
}

/* -- verdicts ----------------------------------------------------------------------------------------- */

static void
check_verdict(const struct form_run_verdict *row, const struct error *err)
{
	if (err->kind != row->kind || strcmp(err->message, row->message) != 0 ||
		strcmp(err->limit, row->limit) != 0)
		fail_msg("%s: %s: %s (%s)", row->route, row->form, err->message, err->limit);
	if (strstr(err->message, "field ") == err->message) {
		assert_true(err->field[0] != '\0' && strlen(err->field) < sizeof err->field);
		assert_true(((unsigned char)err->field[strlen(err->field) - 1] & 0xc0) != 0xc0);
	}
}

void
form_run_verdicts(const struct form_run_verdict *rows, size_t n)
{
	static const size_t steps[] = { 1, 7, 50, SOURCE_FEED_MAX };

	for (size_t i = 0; i < n; i++) {
		struct config *config = form_run_config(rows[i].route);
		struct error first = { 0 };
		struct buf body = { 0 };

		form_run_text(rows[i].form, &body);
		form_run(config->routes, buf_str(&body), 1, true, NULL, &first);
		check_verdict(&rows[i], &first);
		for (EACH(s, steps))
			for (int is_dry = 0; is_dry < 2; is_dry++) {
				struct error err = { 0 };

				form_run(config->routes, buf_str(&body), steps[s], is_dry, NULL, &err);
				check_verdict(&rows[i], &err);
				assert_true(err.offset == first.offset);
			}
		buf_free(&body);
		config_free(config);
	}
}
