// SPDX-License-Identifier: MIT
/* asked.c - see asked.h. */
#include "lib/asked.h"

#include "lib/check.h"
#include "lib/until.h"
#include "sink/engine.h"
#include "sink/upload.h"

static struct loop *loop;
static struct engine engine;
static char body[ASKED_WHOLE_MAX];

static bool
is_done(const void *arg)
{
	return ((const struct asked *)arg)->n_done > 0;
}

static size_t
on_read(void *arg, char *to, size_t room)
{
	struct asked *asked = arg;
	size_t n = asked->size - asked->sent;

	if (n == 0)
		return asked->is_open ? EXCHANGE_PAUSE : 0;
	n = n < room ? n : room;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)('a' + (asked->sent + i) % 23);
	asked->sent += n;
	return n;
}

static void
on_rewind(void *arg)
{
	struct asked *asked = arg;

	asked->n_rewinds++;
	asked->sent = 0;
}

static void
on_status(void *arg, unsigned status)
{
	(void)status;
	((struct asked *)arg)->n_status++;
}

static void
on_answer(void *arg, const char *data, size_t len)
{
	struct asked *asked = arg;

	for (size_t i = 0; i < len && asked->answer_len + i < sizeof asked->answer - 1; i++)
		asked->answer[asked->answer_len + i] = data[i];
	asked->answer_len += len;
}

static void
on_done(void *arg, const struct exchange_result *result)
{
	struct asked *asked = arg;

	asked->result = *result;
	asked->n_done++;
}

static const struct exchange_calls calls = {
	.on_read = on_read,
	.on_rewind = on_rewind,
	.on_status = on_status,
	.on_answer = on_answer,
	.on_done = on_done,
};

void
asked_begin(struct asked *asked, struct peer *peer, const char *method, enum exchange_body kind)
{
	if (asked->exchange == NULL)
		asked->exchange = exchange_new(&engine, &calls, asked);
	asked->n_done = asked->n_rewinds = asked->n_status = 0;
	asked->answer_len = asked->sent = 0;
	asked->to = (struct http_peer){ .url = asked->url != NULL ? asked->url : peer_url(peer),
		.connect_ms = LIMIT_NONE,
		.idle_ms = asked->to.idle_ms > 0 ? asked->to.idle_ms : LIMIT_NONE,
		.total_ms = LIMIT_NONE,
		.retry_connect = asked->to.retry_connect };
	asked->request = (struct exchange_request){ .to = &asked->to,
		.method = method,
		.target = asked->request.target != NULL ? asked->request.target : "/a",
		.body = kind,
		.whole = { body, kind == EXCHANGE_WHOLE ? asked->size : 0 },
		.length = kind == EXCHANGE_READ ? asked->size : EXCHANGE_LENGTH_UNKNOWN,
		.unit = 65536,
		.reuse_always = asked->request.reuse_always,
		.connect_ms = LIMIT_NONE,
		.total_at_ms = asked->request.total_at_ms > 0 ? asked->request.total_at_ms : CLOCK_NEVER };
	assert_true(exchange_begin(asked->exchange, &asked->request));
}

void
asked_until_done(struct asked *asked)
{
	until(is_done, asked);
	assert_int_equal(asked->n_done, 1);
	assert_false(exchange_is_asking(asked->exchange));
}

void
asked_ask(struct asked *asked, struct peer *peer, const char *method, enum exchange_body kind)
{
	asked_begin(asked, peer, method, kind);
	assert_true(exchange_is_asking(asked->exchange));
	asked_until_done(asked);
}

int
asked_set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)('a' + i % 23);
	loop = until_start();
	return upload_setup(&err) ? 0 : -1;
}

int
asked_tear_down(void **state)
{
	(void)state;
	until_stop();
	upload_teardown();
	return 0;
}

int
asked_begin_case(void **state)
{
	struct error err = { 0 };

	(void)state;
	until_forget();
	return engine_init(&engine, loop, &err) ? 0 : -1;
}

int
asked_end_case(void **state)
{
	(void)state;
	engine_fini(&engine);
	return 0;
}

struct peer *
asked_start(peer_script script, const void *arg)
{
	return peer_start(script, arg, loop_mailbox(loop), until_mail());
}

void
asked_end(struct asked *asked, struct peer *peer)
{
	exchange_free(asked->exchange);
	asked->exchange = NULL;
	peer_end(peer);
}
