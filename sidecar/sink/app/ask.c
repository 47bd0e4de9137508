// SPDX-License-Identifier: MIT
/* ask.c - see ask.h. */
#include "sink/app/ask.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/kind.h"
#include "sink/app/answer_line.h"
#include "sink/app/sign.h"
#include "sink/exchange.h"

#include <string.h>
#include <time.h>

#define OWN_LINES 5 /* X-Request-Id, traceparent, Content-Type, Content-Length, Penstock-Signature */

struct asking {
	struct engine *engine;
	const struct question *question;
	struct exchange *exchange;
	struct exchange_request request;
	struct exchange_line *lines;
	struct buf signature;
	size_t text; /* bytes of the head that is sent, as often as it is held */
	struct app_answer answer;
	struct answer_lines seen;
	bool is_wanted;   /* the line that came last is */
	const char *flaw; /* why the answer cannot be told; NULL: it can. A constant */
	bool is_short;    /* memory was not there for all of it */
	void (*on_answer)(void *arg, struct app_answer *answer);
	void *arg;
};

/* -- the answer ---------------------------------------------------------------------------------------- */

/* What the answer holds by now is charged. False: there is no room for it. */
static bool
charge(struct asking *asking)
{
	struct app_answer *answer = &asking->answer;
	size_t holds = ASK_COST + asking->text + answer->text.cap + answer->body.cap;

	if (answer->text.failed || answer->body.failed ||
		(holds > answer->charge && !blocks_charge(answer->blocks, holds - answer->charge)))
		return false;
	if (holds > answer->charge)
		answer->charge = holds;
	return true;
}

static void
find_flaw(struct asking *asking, const char *flaw)
{
	if (asking->flaw == NULL)
		asking->flaw = flaw;
}

/* A connection that was kept may have died in the middle of an answer, and the question was asked once more. */
static void
on_status(void *arg, unsigned status)
{
	struct asking *asking = arg;
	struct app_answer *answer = &asking->answer;

	answer->status = status;
	answer->n_lines = 0;
	buf_clear(&answer->text);
	buf_clear(&answer->body);
	asking->seen = (struct answer_lines){ 0 };
	asking->is_wanted = false;
	asking->flaw = NULL;
	asking->is_short = false;
}

static bool
is_named(struct str name, const char *wanted)
{
	size_t len = strlen(wanted);

	if (len > 0 && wanted[len - 1] == '*')
		return name.len >= len - 1 && strncasecmp(name.data, wanted, len - 1) == 0;
	return str_equal_nocase(name, (struct str){ wanted, len });
}

static bool
wants(const struct question *question, struct str name)
{
	for (const char *const *wanted = question->wanted; wanted != NULL && *wanted != NULL; wanted++)
		if (is_named(name, *wanted))
			return true;
	return false;
}

static void
keep_line(struct asking *asking, struct str name, struct str value)
{
	struct buf *text = &asking->answer.text;

	if (text->len + name.len + value.len + 2 > ASK_LINES_MAX) {
		find_flaw(asking, "the head of its answer is too long");
		return;
	}
	question_lines_add(text, name, value);
	asking->answer.n_lines++;
	if (!charge(asking))
		asking->is_short = true;
}

static void
on_header(void *arg, struct str line)
{
	struct asking *asking = arg;
	const char *colon = memchr(line.data, ':', line.len);
	struct str name = { line.data, colon != NULL ? (size_t)(colon - line.data) : 0 }, value;
	const char *flaw;

	if (exchange_is_folded(line)) {
		if (asking->is_wanted)
			find_flaw(asking, "a line in the head of its answer is folded");
		return;
	}
	asking->is_wanted = false;
	if (colon == NULL || !str_is_token(name))
		return;
	value = exchange_value_of((struct str){ colon + 1, line.len - name.len - 1 }, "");
	asking->is_wanted = wants(asking->question, name);
	flaw = answer_lines_look(&asking->seen, name, value, asking->is_wanted);
	if (flaw != NULL)
		find_flaw(asking, flaw);
	else if (asking->is_wanted)
		keep_line(asking, name, value);
}

/* With 205 no content may come (RFC 9110 section 15.3.6), and none goes on to a client, who might not read it. */
static void
on_body(void *arg, const char *data, size_t len)
{
	struct asking *asking = arg;

	if (asking->flaw != NULL || asking->is_short || asking->answer.status == 205)
		return;
	if (asking->question->answer_max == 0 && len > 0) { /* the exchange takes 0 for no word of it */
		find_flaw(asking, "its answer has a body, and may have none");
		return;
	}
	buf_add(&asking->answer.body, data, len);
	if (!charge(asking))
		asking->is_short = true;
}

static bool
find_lines(struct app_answer *answer)
{
	if (answer->n_lines == 0)
		return true;
	answer->lines = question_lines_find(&answer->text, answer->n_lines);
	return answer->lines != NULL;
}

static bool
judge(struct asking *asking, const struct exchange_result *result, struct error *err)
{
	const char *name = asking->question->to->name;

	if (!result->is_whole && result->kind == ERR_UPSTREAM_TIMEOUT &&
		asking->request.total_at_ms <= loop_now_ms(asking->engine->loop))
		return error_set(
			err, ERR_UPSTREAM_TIMEOUT, "destination \"%s\": it did not answer within timeout", name);
	if (!result->is_whole)
		return error_set(err, result->kind, "destination \"%s\": %s", name, result->why);
	if (result->is_long)
		return error_set(err, ERR_UPSTREAM, "destination \"%s\": its answer has more than %zu bytes", name,
			asking->question->answer_max);
	if (asking->flaw != NULL)
		return error_set(err, ERR_UPSTREAM, "destination \"%s\": %s", name, asking->flaw);
	if (result->status > 599)
		return error_set(err, ERR_UPSTREAM, "destination \"%s\": it answered %u, which means nothing", name,
			result->status);
	if (asking->is_short && !error_no_room(err, "for its answer"))
		return error_wrap(err, "destination \"%s\"", name);
	return find_lines(&asking->answer) || error_nomem(err);
}

static void
forget_answer(struct app_answer *answer)
{
	answer->status = 0;
	answer->n_lines = 0;
	buf_free(&answer->text);
	buf_free(&answer->body);
}

static void
on_done(void *arg, const struct exchange_result *result)
{
	struct asking *asking = arg;
	void (*on_answer)(void *, struct app_answer *) = asking->on_answer;
	void *whose = asking->arg;
	struct app_answer answer;

	if (!judge(asking, result, &asking->answer.error)) {
		forget_answer(&asking->answer);
		asking->answer.may_have_arrived = result->was_complete || result->was_sent_before;
	}
	app_answer_take(&answer, &asking->answer);
	ask_stop(asking);
	on_answer(whose, &answer);
	app_answer_free(&answer);
}

static const struct exchange_calls calls = {
	.on_status = on_status,
	.on_header = on_header,
	.on_answer = on_body,
	.on_done = on_done,
};

/* -- the question -------------------------------------------------------------------------------------- */

/* What stands behind the host in the request's first line. */
static void
find_target(const struct http_peer *peer, const struct question *question, struct buf *out)
{
	const char *host = strstr(peer->url, "://"), *path = host != NULL ? strchr(host + 3, '/') : NULL;

	buf_add_text(out, path != NULL ? path : "");
	buf_add_text(out, question->target);
	if (out->len == 0)
		buf_add_char(out, '/');
}

static bool
sign(struct asking *asking, const struct http_peer *peer)
{
	const struct question *question = asking->question;
	struct buf target = { 0 };
	struct error unsaid = { 0 };
	bool ok;

	find_target(peer, question, &target);
	ok = !target.failed &&
		app_sign(question->for_signature,
			&(struct app_signed){ .purpose = question->purpose,
				.now_s = (int64_t)time(NULL),
				.method = question->method,
				.target = buf_str(&target),
				.request_id = question->request_id,
				.body = question->body },
			&asking->signature, &unsaid);
	buf_free(&target);
	return ok;
}

/* RFC 9110 section 8.6: a POST without a body says so. */
static bool
wants_length(const struct question *question)
{
	return question->type == NULL && strcmp(question->method, "GET") != 0 &&
		strcmp(question->method, "HEAD") != 0;
}

static bool
make_lines(struct asking *asking)
{
	const struct question *question = asking->question;
	const struct exchange_line own[OWN_LINES] = {
		{ "X-Request-Id", question->request_id },
		{ "traceparent", question->traceparent },
		{ "Content-Type", question->type },
		{ "Content-Length", wants_length(question) ? "0" : NULL },
		{ "Penstock-Signature", asking->signature.data },
	};

	asking->lines = mem_array(OWN_LINES + question->n_lines, sizeof *asking->lines);
	if (asking->lines == NULL)
		return false;
	memcpy(asking->lines, own, sizeof own);
	for (size_t i = 0; i < question->n_lines; i++)
		asking->lines[OWN_LINES + i] = (struct exchange_line){ question->lines[i].name,
			question->lines[i].value };
	return true;
}

/* Whoever asks has the lines, libcurl's list of them is a copy, and what it sends another. */
static size_t
text_of(const struct question *question)
{
	size_t bytes = strlen(question->target);

	for (size_t i = 0; i < question->n_lines; i++)
		bytes += strlen(question->lines[i].name) + strlen(question->lines[i].value) + sizeof ": \r\n";
	return 3 * bytes;
}

static bool
begin(struct asking *asking)
{
	const struct question *question = asking->question;
	const struct http_peer *peer = question->to->kind->asked_peer(question->to->settings);

	asking->text = text_of(question);
	if (!charge(asking) || (app_has_key(question->for_signature) && !sign(asking, peer)) || !make_lines(asking))
		return false;
	asking->request = (struct exchange_request){
		.to = peer,
		.method = question->method,
		.target = question->target,
		.lines = asking->lines,
		.n_lines = OWN_LINES + question->n_lines,
		.body = question->type != NULL ? EXCHANGE_WHOLE : EXCHANGE_NO_BODY,
		.whole = question->body,
		.answer_max = question->answer_max,
		.is_once = question->type != NULL,
		.reuse_always = peer->reuse_always,
		.is_patient = true,
		.connect_ms = peer->connect_ms,
		.total_at_ms = clock_after(loop_now_ms(asking->engine->loop), question->timeout_ms),
	};
	asking->exchange = exchange_new(asking->engine, &calls, asking);
	return asking->exchange != NULL && exchange_begin(asking->exchange, &asking->request);
}

struct asking *
ask_begin(struct engine *engine, const struct question *question,
	void (*on_answer)(void *arg, struct app_answer *answer), void *arg)
{
	struct asking *asking = mem_zalloc(sizeof *asking);

	must(kind_has(question->to->kind, KIND_APPLICATION));
	if (asking == NULL)
		return NULL;
	*asking = (struct asking){ .engine = engine,
		.question = question,
		.answer.blocks = question->blocks,
		.on_answer = on_answer,
		.arg = arg };
	if (begin(asking))
		return asking;
	ask_stop(asking);
	return NULL;
}

void
ask_stop(struct asking *asking)
{
	exchange_free(asking->exchange);
	buf_free(&asking->signature);
	mem_free(asking->lines);
	app_answer_free(&asking->answer);
	mem_free(asking);
}
