// SPDX-License-Identifier: MIT
/* questions.c - see questions.h. */
#include "lib/questions.h"

#include "lib/check.h"
#include "lib/until.h"
#include "sink/http/settings.h"
#include "sink/upload.h"

#include <stdlib.h>

static struct loop *loop;
static struct engine engine;
static struct pool *pool;
static struct blocks *blocks;
static struct http_settings settings;
static struct destination application = { .kind = &http_kind, .settings = &settings.common };
static char application_name[] = "app";
static const char *const wanted[] = { "content-type", "location", "retry-after", "set-cookie", "penstock-grant-*",
	NULL };

static void
on_answer(void *arg, struct app_answer *answer)
{
	struct told *told = arg;

	told->n++;
	app_answer_take(&told->answer, answer);
}

static bool
is_told(const void *arg)
{
	return ((const struct told *)arg)->n > 0;
}

struct question
questions_of(const char *url, const char *method)
{
	settings.peer = (struct http_peer){
		.url = str_dup(str_of(url)), .connect_ms = LIMIT_NONE, .idle_ms = LIMIT_NONE, .total_ms = LIMIT_NONE
	};
	application.name = application_name;
	return (struct question){ .to = &application,
		.method = method,
		.target = "/a",
		.purpose = "authorize",
		.request_id = "r-1",
		.timeout_ms = 60000,
		.answer_max = QUESTIONS_ANSWER_MAX,
		.wanted = wanted,
		.blocks = blocks };
}

struct asking *
questions_begin(const struct question *question, struct told *told)
{
	*told = (struct told){ 0 };
	return ask_begin(&engine, question, on_answer, told);
}

void
questions_ask(const struct question *question, struct told *told)
{
	assert_non_null(questions_begin(question, told));
	assert_int_equal(told->n, 0);
	until(is_told, told);
	assert_int_equal(told->n, 1);
}

void
questions_forget(struct told *told)
{
	app_answer_free(&told->answer);
	free(settings.peer.url);
	settings.peer.url = NULL;
}

int
questions_set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	loop = until_start();
	pool = pool_new(1024 * 1024, &err);
	blocks = pool != NULL ? blocks_new(pool) : NULL;
	return blocks != NULL && upload_setup(&err) ? 0 : -1;
}

int
questions_tear_down(void **state)
{
	(void)state;
	blocks_free(blocks);
	pool_free(pool);
	until_stop();
	upload_teardown();
	return 0;
}

int
questions_begin_case(void **state)
{
	struct error err = { 0 };

	(void)state;
	until_forget();
	return engine_init(&engine, loop, &err) ? 0 : -1;
}

int
questions_end_case(void **state)
{
	(void)state;
	engine_fini(&engine);
	return 0;
}

struct blocks *
questions_blocks(void)
{
	return blocks;
}

struct peer *
questions_peer(peer_script script, const void *arg)
{
	return peer_start(script, arg, loop_mailbox(loop), until_mail());
}
