// SPDX-License-Identifier: MIT
/* call.c - see call.h: when a request is sent, and when it is sent again. */
#include "sink/s3/call_priv.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "sink/s3/credentials.h"

#include <limits.h>
#include <string.h>

#define WAIT_FIRST_MS 100u
#define WAIT_MAX_MS 5000u

/* IDLE ─▶ ASKING ◀▶ WAITING, and from both to IDLE. */
static const unsigned may_become[] = {
	[S3_CALL_IDLE] = BIT(S3_CALL_ASKING),
	[S3_CALL_ASKING] = BIT(S3_CALL_WAITING) | BIT(S3_CALL_IDLE),
	[S3_CALL_WAITING] = BIT(S3_CALL_ASKING) | BIT(S3_CALL_IDLE),
};

static void
call_move(struct s3_call *call, enum s3_call_state to)
{
	must(state_may_become(may_become, (int)call->state, (int)to));
	call->state = to;
}

static struct loop *
loop_of(const struct s3_call *call)
{
	return call->object->engine->loop;
}

/* -- its body ------------------------------------------------------------------------------------------ */

static size_t
on_read(void *arg, char *to, size_t room)
{
	struct s3_call *call = arg;

	return call->on_read(call->arg, to, room);
}

static void
on_rewind(void *arg)
{
	struct s3_call *call = arg;

	call->on_rewind(call->arg);
}

/* -- the end of one try ------------------------------------------------------------------------------- */

static void
count(const struct s3_call *call, const struct exchange_result *result)
{
	bool is_good = call->reply.fate == S3_DONE;

	s3_counts_end(call->object->counts, call->ask->op, s3_end_of(result->status, is_good), call->ask->length);
}

/* Has keys fetched anew if the store does not take these. This call does not wait for them; the next object has them. */
static void
tell_keyring(struct s3_call *call)
{
	static const char *const codes[] = { "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
		"InvalidAccessKeyId" };

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (strcmp(call->reply.code, codes[i]) == 0)
			s3_keyring_renew(call->object->keyring, call->keys);
}

/* -- asking, and asking again -------------------------------------------------------------------------- */

/* It need not be hard to guess: it only has to differ among many calls that failed at the same time. */
static uint64_t
some_of(const struct s3_call *call, uint64_t ms)
{
	uint64_t x = (uintptr_t)call ^ (clock_now_ms() << 16) ^ call->tries;

	x = (x ^ (x >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	return (x >> 33) % (ms + 1);
}

static uint64_t
wait_ms(const struct s3_call *call)
{
	uint64_t ms = (uint64_t)WAIT_FIRST_MS << (call->tries < 10 ? call->tries : 10);
	unsigned said = retry_after_seconds(&call->reply.later);

	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	ms = ms / 2 + some_of(call, ms);
	if (said > S3_RETRY_AFTER_MAX_S)
		said = S3_RETRY_AFTER_MAX_S;
	return said * UINT64_C(1000) > ms ? said * UINT64_C(1000) : ms;
}

static void
finish(struct s3_call *call)
{
	call_move(call, S3_CALL_IDLE);
	call->ask = NULL;
	call->on_end(call->arg, &call->reply);
}

static void
on_done(void *arg, const struct exchange_result *result)
{
	struct s3_call *call = arg;
	uint64_t now = loop_now_ms(loop_of(call)), again;

	s3_call_judge(call, result);
	count(call, result);
	tell_keyring(call);
	again = clock_after(now, wait_ms(call));
	if (call->reply.fate != S3_AGAIN || call->tries >= call->ask->tries_more || again >= call->ask->until_ms ||
		!loop_set_timer(loop_of(call), &call->timer, again)) {
		finish(call);
		return;
	}
	call->tries++;
	call_move(call, S3_CALL_WAITING);
}

static const struct exchange_calls calls = {
	.on_read = on_read,
	.on_rewind = on_rewind,
	.on_status = s3_call_on_status,
	.on_header = s3_call_on_header,
	.on_answer = s3_call_on_answer,
	.on_done = on_done,
};

/* -- one try --------------------------------------------------------------------------------------------- */

static bool
take_keys(struct s3_call *call, struct error *err)
{
	s3_keys_release(call->keys);
	call->keys = s3_keyring_take(call->object->keyring, err);
	return call->keys != NULL || error_wrap(err, "destination \"%s\"", call->object->to->name);
}

static bool
write_request(struct s3_call *call, struct error *err)
{
	s3_call_forget_answer(call);
	return take_keys(call, err) && s3_call_write(call, err);
}

static bool
try(struct s3_call *call, struct error *err)
{
	if (!write_request(call, err))
		return false;
	return exchange_begin(call->exchange, &call->request) ? true : error_nomem(err);
}

static void
on_timer(struct timer *timer)
{
	struct s3_call *call = container_of(timer, struct s3_call, timer);
	struct error error = { 0 };

	call_move(call, S3_CALL_ASKING);
	if (try(call, &error)) {
		s3_counts_again(call->object->counts, call->ask->op);
		return;
	}
	call->reply.fate = S3_REFUSED;
	call->reply.error = error;
	finish(call);
}

/* -- life ------------------------------------------------------------------------------------------------ */

bool
s3_call_init(struct s3_call *call, const struct s3_object *object)
{
	call->object = object;
	call->timer.fire = on_timer;
	call->exchange = exchange_new(object->engine, &calls, call);
	return call->exchange != NULL;
}

void
s3_call_fini(struct s3_call *call)
{
	if (call->exchange != NULL)
		s3_call_stop(call);
	exchange_free(call->exchange);
	s3_answer_free(call->answer);
	s3_keys_release(call->keys);
	s3_signed_free(&call->signature);
	buf_free(&call->target);
	mem_free(call->lines);
	call->exchange = NULL;
	call->answer = NULL;
	call->keys = NULL;
	call->lines = NULL;
}

static bool
set_ask(struct s3_call *call, const struct s3_ask *ask, struct error *err)
{
	must(call->state == S3_CALL_IDLE);
	call->ask = ask;
	call->tries = 0;
	call->reply = (struct s3_reply){ 0 };
	return s3_call_make_room(call, ask->n_lines) ? true : error_nomem(err);
}

bool
s3_call_prepare(struct s3_call *call, const struct s3_ask *ask, struct error *err)
{
	return set_ask(call, ask, err) && write_request(call, err);
}

bool
s3_call_begin(struct s3_call *call, const struct s3_ask *ask, struct error *err)
{
	if (!set_ask(call, ask, err) || !try(call, err))
		return false;
	call_move(call, S3_CALL_ASKING);
	return true;
}

void
s3_call_stop(struct s3_call *call)
{
	loop_clear_timer(loop_of(call), &call->timer);
	exchange_stop(call->exchange);
	if (call->state == S3_CALL_ASKING)
		s3_counts_end(call->object->counts, call->ask->op, S3_END_CUT, 0);
	if (call->state != S3_CALL_IDLE)
		call_move(call, S3_CALL_IDLE);
	call->ask = NULL;
}

bool
s3_call_is_idle(const struct s3_call *call)
{
	return call->state == S3_CALL_IDLE;
}

bool
s3_call_is_under_way(const struct s3_call *call)
{
	return call->state == S3_CALL_ASKING && exchange_may_have_arrived(call->exchange);
}

bool
s3_call_is_open(const struct s3_call *call)
{
	return call->reply.is_open || s3_call_is_under_way(call);
}

bool
s3_call_may_be_lost(const struct s3_call *call)
{
	return call->reply.is_lost || s3_call_is_under_way(call);
}

void
s3_call_hurry(struct s3_call *call, uint64_t until_ms)
{
	call->tries = UINT_MAX;
	if (call->request.total_at_ms <= until_ms)
		return;
	call->request.total_at_ms = until_ms;
	exchange_retime(call->exchange);
}
