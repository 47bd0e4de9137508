// SPDX-License-Identifier: MIT
/* exchange.c - an exchange's life: how it is asked, asked again, how long it may take, and how it ends. */
#include "sink/exchange_priv.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"

#define RETRY_FIRST_MS 50u
#define IDLE_LOOK_MS 4000u /* of one that is patient: total_at_ms may have come nearer */

static uint64_t
now_ms(const struct exchange *x)
{
	return loop_now_ms(x->engine->loop);
}

/* -- the end ------------------------------------------------------------------------------------------ */

/* Before 8.7 libcurl kept in a handle, also in one that was reset, that it had sent a stream's trailer: it would not send the next one.
 * Since then it keeps there the buffer that a body was sent from, of the size that was asked for: 256 KiB after a part to S3, which
 * nobody is charged for while the handle waits. */
static void
give_back(struct exchange *x)
{
	enum exchange_body body = x->request->body;

	if (body == EXCHANGE_STREAM || body == EXCHANGE_READ)
		curl_easy_cleanup(x->easy);
	else
		engine_give_handle(x->engine, x->easy);
}

/* Takes everything away from libcurl. */
static void
detach(struct exchange *x)
{
	if (x->easy != NULL) {
		curl_multi_remove_handle(x->engine->multi, x->easy);
		give_back(x);
	}
	engine_forget(x->engine, &x->user);
	x->easy = NULL;
	mem_free(x->headers);
	x->headers = NULL;
	loop_clear_timer(x->engine->loop, &x->timer);
	x->is_waiting_to_retry = false;
}

static void
end(struct exchange *x, struct exchange_result result)
{
	result.is_long = exchange_has_long_answer(x);
	detach(x);
	x->request = NULL;
	x->calls->on_done(x->arg, &result);
}

static struct exchange_facts
facts_of(const struct exchange *x, CURLcode code)
{
	struct exchange_facts facts = {
		.code = code,
		.is_connection = x->request->body == EXCHANGE_CONNECT,
		.was_asked_twice = x->was_asked_twice,
		.status = x->status,
		.is_cut = x->status != 0 && !x->is_head_whole,
		.is_in_head = x->is_in_head,
		.is_head_too_long = exchange_has_long_head(x),
		.was_complete = exchange_may_have_arrived(x),
		.was_early = x->was_early,
		.was_sent_before = x->was_sent_before,
		.body_begun = x->body_begun,
	};

	if (x->easy != NULL)
		exchange_easy_look(x, &facts);
	return facts;
}

/* -- asking, and asking again -------------------------------------------------------------------------- */

static void set_timer(struct exchange *x);

static void
forget_answer(struct exchange *x)
{
	x->status = 0;
	x->head_size = x->answer_size = 0;
	x->socket_error = 0;
	x->user.fd = CURL_SOCKET_BAD;
	x->user.is_connected = false;
	x->uploaded = 0;
	x->n_read = 0;
	x->is_head_whole = x->is_in_head = x->is_paused = false;
	x->was_farewell = false;
	x->is_asking = x->was_asked_twice = x->was_stray = x->body_begun = x->was_complete = x->was_early = false;
}

/* Hands the request to libcurl, which asks for the body once it is connected. */
static bool
ask(struct exchange *x)
{
	forget_answer(x);
	x->active_ms = now_ms(x);
	if (x->request->body == EXCHANGE_READ)
		x->calls->on_rewind(x->arg);
	if (!exchange_easy_begin(x))
		return false;
	set_timer(x);
	return true;
}

/* Whoever has got all of it may have carried it out, whatever comes of the next time. */
static void
leave(struct exchange *x)
{
	x->was_sent_before = exchange_may_have_arrived(x);
	detach(x);
}

static void
ask_again(struct exchange *x)
{
	if (!ask(x))
		end(x,
			(struct exchange_result){ .kind = ERR_NOMEM,
				.why = "out of memory",
				.was_complete = x->was_sent_before,
				.was_sent_before = x->was_sent_before });
}

static void
retry_later(struct exchange *x)
{
	uint64_t wait_ms = (uint64_t)RETRY_FIRST_MS << x->tries++;

	leave(x);
	x->is_waiting_to_retry = true;
	loop_set_timer(x->engine->loop, &x->timer, clock_after(now_ms(x), wait_ms));
}

/* Where libcurl failed to connect it may have done so in place of a kept connection that had taken the request and died. */
static bool
may_retry(const struct exchange *x, const struct exchange_facts *facts)
{
	return exchange_fault_may_retry(facts) && !facts->is_connection &&
		x->tries < x->request->to->retry_connect &&
		(!exchange_may_have_arrived(x) || exchange_may_repeat(x->request));
}

/* The kept connection was of no use: a request that is not sent, or that may be sent twice, goes over a new one. */
static bool
must_renew(const struct exchange *x, const struct exchange_facts *facts)
{
	bool may = x->was_stray || x->was_farewell ||
		(exchange_fault_is_stale(facts) && exchange_may_repeat(x->request));

	return may && !x->must_be_new;
}

static void
on_engine_done(struct engine_user *user, CURLcode code)
{
	struct exchange *x = container_of(user, struct exchange, user);
	struct exchange_facts facts = facts_of(x, code);

	if (must_renew(x, &facts)) {
		leave(x);
		x->must_be_new = true;
		ask_again(x);
	} else if (may_retry(x, &facts)) {
		retry_later(x);
	} else {
		end(x, exchange_fault_judge(&facts));
	}
}

bool
exchange_begin(struct exchange *x, const struct exchange_request *request)
{
	must(x->request == NULL);
	x->request = request;
	x->tries = 0;
	x->must_be_new = x->was_sent_before = false;
	if (ask(x))
		return true;
	detach(x);
	x->request = NULL;
	return false;
}

/* -- deadlines ---------------------------------------------------------------------------------------- */

/* Waiting for whoever reads the body to us is not the other side's fault. Bytes that libcurl has moved since the last look
 * count as activity too: it may take one buffer for long. */
static void
note_progress(struct exchange *x)
{
	curl_off_t up = 0;

	curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	if (up != x->uploaded || x->is_paused)
		x->active_ms = now_ms(x);
	x->uploaded = up;
}

static uint64_t
idle_of(const struct exchange *x)
{
	return x->request->is_patient ? CLOCK_NEVER : x->request->to->idle_ms;
}

/* Looks four times per idle_ms, because progress is only seen by looking. Of a connection alone libcurl keeps the time. */
static void
set_timer(struct exchange *x)
{
	uint64_t idle_ms = x->request->is_patient ? IDLE_LOOK_MS : x->request->to->idle_ms;
	uint64_t at = clock_after(x->active_ms, idle_of(x)), look = clock_after(now_ms(x), idle_ms / 4 + 1);

	if (look < at)
		at = look;
	if (x->request->total_at_ms < at)
		at = x->request->total_at_ms;
	if (at != CLOCK_NEVER && x->request->body != EXCHANGE_CONNECT)
		loop_set_timer(x->engine->loop, &x->timer, at);
}

static void
end_late(struct exchange *x, bool is_overdue)
{
	struct exchange_facts facts = facts_of(x, CURLE_OPERATION_TIMEDOUT);

	facts.was_idle = !is_overdue;
	facts.was_overdue = is_overdue;
	end(x, exchange_fault_judge(&facts));
}

static void
on_timer(struct timer *timer)
{
	struct exchange *x = container_of(timer, struct exchange, timer);

	if (x->is_waiting_to_retry) {
		x->is_waiting_to_retry = false;
		ask_again(x);
		return;
	}
	note_progress(x);
	if (x->request->total_at_ms <= now_ms(x))
		end_late(x, true);
	else if (clock_after(x->active_ms, idle_of(x)) <= now_ms(x))
		end_late(x, false);
	else
		set_timer(x);
}

void
exchange_retime(struct exchange *x)
{
	if (x->request != NULL && !x->is_waiting_to_retry)
		set_timer(x);
}

/* -- pausing ------------------------------------------------------------------------------------------ */

void
exchange_resume(struct exchange *x)
{
	if (!x->is_paused || x->easy == NULL)
		return;
	x->is_paused = false;
	x->active_ms = now_ms(x);
	curl_easy_pause(x->easy, CURLPAUSE_CONT);
	engine_run(x->engine); /* unpausing only arms a timer: let the bytes leave now */
}

/* While it connects nothing is paused. To pause it, and to take that back, makes libcurl go on all the same. */
static void
on_engine_resume(struct engine_user *user)
{
	struct exchange *x = container_of(user, struct exchange, user);

	x->is_paused = false;
	if (x->easy == NULL)
		return;
	if (!x->is_asking)
		curl_easy_pause(x->easy, CURLPAUSE_SEND);
	curl_easy_pause(x->easy, CURLPAUSE_CONT);
}

/* -- life --------------------------------------------------------------------------------------------- */

struct exchange *
exchange_new(struct engine *engine, const struct exchange_calls *calls, void *arg)
{
	struct exchange *x = mem_zalloc(sizeof *x);

	if (x == NULL)
		return NULL;
	x->engine = engine;
	x->user = (struct engine_user){ .done = on_engine_done, .resume = on_engine_resume };
	x->calls = calls;
	x->arg = arg;
	x->timer.fire = on_timer;
	return x;
}

void
exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	exchange_stop(x);
	mem_free(x);
}

void
exchange_stop(struct exchange *x)
{
	detach(x);
	x->request = NULL;
}

bool
exchange_is_asking(const struct exchange *x)
{
	return x->request != NULL;
}

bool
exchange_is_away(const struct exchange *x)
{
	return x->request != NULL && !x->is_waiting_to_retry && x->is_asking && x->was_complete;
}

bool
exchange_may_have_arrived(const struct exchange *x)
{
	return x->was_sent_before || (x->was_complete && x->is_asking);
}
