// SPDX-License-Identifier: MIT
/* http.c - a transfer's life: orders of its producer, deadlines, and how it ends. What libcurl is
 * told is in http_easy.c, what it calls back in http_callbacks.c.
 *
 * A chunked request is not complete before its last chunk. So the read callback pauses at the end of the
 * data until CHANNEL_COMMIT, and only then says "end of file": until that moment removing the handle closes
 * the connection and the upstream is left with a request that never became whole. */
#include "sink/http/http_priv.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"

#include <string.h>

#define RETRY_FIRST_MS 50u

static const unsigned may_become[] = {
	[HTTP_READY] = BIT(HTTP_SENDING) | BIT(HTTP_HELD) | BIT(HTTP_COMPLETING) | BIT(HTTP_ENDED),
	[HTTP_SENDING] = BIT(HTTP_HELD) | BIT(HTTP_COMPLETING) | BIT(HTTP_ENDED),
	[HTTP_HELD] = BIT(HTTP_COMPLETING) | BIT(HTTP_ENDED),
	[HTTP_COMPLETING] = BIT(HTTP_ENDED),
	[HTTP_UNDOING] = BIT(HTTP_ENDED),
	[HTTP_ENDED] = BIT(HTTP_UNDOING),
};

void
http_move(struct http *http, enum http_state to)
{
	must(state_may_become(may_become, (int)http->state, (int)to));
	http->state = to;
}

static uint64_t
now_ms(const struct http *http)
{
	return loop_now_ms(http->engine->loop);
}

/* -- the end ------------------------------------------------------------------------------------------ */

/* Takes everything away from libcurl. A request that was not complete leaves a closed connection behind. */
static void
detach(struct http *http)
{
	struct http **at = &http->engine->deferred;

	while (*at != NULL && *at != http)
		at = &(*at)->next_deferred;
	if (*at == http)
		*at = http->next_deferred;
	http->is_deferred = false;
	if (http->easy != NULL) {
		curl_multi_remove_handle(http->engine->multi, http->easy);
		engine_give_handle(http->engine, http->easy);
	}
	http->easy = NULL;
	curl_slist_free_all(http->headers);
	http->headers = NULL;
	loop_clear_timer(http->engine->loop, &http->timer);
}

static void
drop_chunk(struct http *http)
{
	if (http->chunk != NULL)
		pool_give(http->pool, http->chunk);
	http->chunk = NULL;
}

static void
end(struct http *http)
{
	detach(http);
	drop_chunk(http);
	http_move(http, HTTP_ENDED);
	channel_report(http->channel, CHANNEL_ENDED); /* the last word: the order is the producer's from here on */
}

static void
end_with(struct http *http, enum error_kind kind, const char *sentence)
{
	struct outcome *outcome = &http->order->outcome;

	outcome->state = OUTCOME_ABORTED;
	error_set(&outcome->error, kind, "destination \"%s\": %s", http->order->to->name, sentence);
	end(http);
}

static void
end_undo(struct http *http, CURLcode code)
{
	struct outcome *outcome = &http->order->outcome;
	unsigned status = http->status;

	detach(http);
	http_move(http, HTTP_ENDED);
	if (code == CURLE_OK && ((status >= 200 && status < 300) || status == 404 || status == 410))
		outcome->state = OUTCOME_UNDONE;
	else if (status != 0)
		error_set(&outcome->undo_error, ERR_UPSTREAM,
			"destination \"%s\": it could not be taken back, DELETE was answered %u",
			http->order->to->name, status);
	else
		error_set(&outcome->undo_error, ERR_UPSTREAM, "destination \"%s\": it could not be taken back",
			http->order->to->name);
	channel_report(http->channel, CHANNEL_UNDONE);
}

static void on_timer(struct timer *timer);
static void start(struct http *http);

static void
retry_later(struct http *http)
{
	detach(http);
	http->is_waiting_to_retry = true;
	loop_set_timer(http->engine->loop, &http->timer,
		clock_after(now_ms(http), (uint64_t)RETRY_FIRST_MS << http->tries++));
}

static struct verdict_facts
facts_of(const struct http *http, CURLcode code)
{
	struct verdict_facts facts = {
		.destination = http->order->to->name,
		.code = code,
		.is_chunked = http->order->length == ORDER_LENGTH_UNKNOWN,
		.status = http->status,
		.is_cut = http->status != 0 && !http->is_head_whole,
		.is_in_head = http->is_in_head,
		.is_head_too_long = http_has_long_head(http),
		.was_complete = http->was_complete && http->is_asking,
		.was_early = http->was_early,
		.body_begun = http->body_begun,
	};

	if (http->easy != NULL)
		http_easy_look(http->easy, http->socket_error, &facts);
	return facts;
}

void
http_on_done(void *private, CURLcode code)
{
	struct http *http = private;
	struct verdict_facts facts = facts_of(http, code);

	if (http->state == HTTP_UNDOING) {
		end_undo(http, code);
		return;
	}
	if (verdict_may_retry(&facts) && http->tries < http->order->to->http.retry_connect) {
		retry_later(http);
		return;
	}
	verdict_of(&facts, &http->order->outcome);
	end(http);
}

/* -- deadlines ---------------------------------------------------------------------------------------- */

/* Waiting for the client, or for the commit, is not the upstream's fault. */
static bool
waits_for_us(const struct http *http)
{
	return http->is_paused && (http->state == HTTP_SENDING || http->state == HTTP_HELD);
}

/* Bytes that libcurl has moved since the last look count as activity too: it may take one buffer for long. */
static void
note_progress(struct http *http)
{
	curl_off_t up = 0;

	curl_easy_getinfo(http->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	if (up != http->uploaded || waits_for_us(http))
		http->active_ms = now_ms(http);
	http->uploaded = up;
}

/* Looks four times per idle_ms, because progress is only seen by looking. */
static void
set_timer(struct http *http)
{
	uint64_t idle_ms = http->order->to->http.idle_ms;
	uint64_t at = clock_after(http->active_ms, idle_ms), look = clock_after(now_ms(http), idle_ms / 4 + 1);

	if (look < at)
		at = look;
	if (http->total_at_ms < at)
		at = http->total_at_ms;
	if (at != CLOCK_NEVER)
		loop_set_timer(http->engine->loop, &http->timer, at);
}

static void
end_late(struct http *http, bool is_overdue)
{
	struct verdict_facts facts = facts_of(http, CURLE_OPERATION_TIMEDOUT);

	if (http->state == HTTP_UNDOING) {
		end_undo(http, CURLE_OPERATION_TIMEDOUT);
		return;
	}
	facts.was_idle = !is_overdue;
	facts.was_overdue = is_overdue;
	verdict_of(&facts, &http->order->outcome);
	end(http);
}

static void
on_timer(struct timer *timer)
{
	struct http *http = (struct http *)(void *)((char *)timer - offsetof(struct http, timer));

	if (http->is_waiting_to_retry) {
		http->is_waiting_to_retry = false;
		start(http);
		return;
	}
	note_progress(http);
	if (http->total_at_ms <= now_ms(http))
		end_late(http, true);
	else if (clock_after(http->active_ms, http->order->to->http.idle_ms) <= now_ms(http))
		end_late(http, false);
	else
		set_timer(http);
}

/* -- orders of the producer --------------------------------------------------------------------------- */

/* Hands the request to libcurl, which will ask for the body once it is connected. */
static void
start(struct http *http)
{
	http->active_ms = now_ms(http);
	if (!http_easy_begin(http)) {
		end_with(http, ERR_NOMEM, "out of memory");
		return;
	}
	set_timer(http);
}

static void
resume(struct http *http)
{
	if (!http->is_paused || http->easy == NULL)
		return;
	http->is_paused = false;
	http->active_ms = now_ms(http);
	curl_easy_pause(http->easy, CURLPAUSE_CONT);
	engine_run(http->engine); /* unpausing only arms a timer: let the bytes leave now */
}

void
http_defer(struct http *http)
{
	if (http->is_deferred)
		return;
	http->is_deferred = true;
	http->next_deferred = http->engine->deferred;
	http->engine->deferred = http;
}

void
http_on_unwatched(struct http *http)
{
	http->is_unwatched = true;
	http_defer(http);
}

void
http_resume_deferred(struct engine *engine)
{
	struct http *http = engine->deferred;

	engine->deferred = http->next_deferred;
	http->is_deferred = false;
	if (http->is_unwatched) {
		http_on_done(http, CURLE_UNRECOVERABLE_POLL);
		return;
	}
	http->is_paused = false;
	if (http->easy != NULL)
		curl_easy_pause(http->easy, CURLPAUSE_CONT);
}

/* A kept part is sent only when it is to become visible. */
static void
on_start(struct http *http)
{
	http->total_at_ms = clock_after(now_ms(http), http->order->to->http.total_ms);
	if (http->order->is_kept && !http->is_committed) {
		http_move(http, HTTP_HELD);
		channel_report(http->channel, CHANNEL_PREPARED);
		return;
	}
	http_move(http, http->order->is_kept ? HTTP_COMPLETING : HTTP_SENDING);
	start(http);
}

static void
on_commit(struct http *http)
{
	if (http->state == HTTP_HELD)
		http_move(http, HTTP_COMPLETING);
	http->active_ms = now_ms(http);
	if (http->order->is_kept && http->easy == NULL && !http->is_waiting_to_retry)
		start(http);
	else
		resume(http);
}

static void
on_undo(struct http *http)
{
	http_move(http, HTTP_UNDOING);
	http->status = 0;
	http->active_ms = now_ms(http);
	http->total_at_ms = clock_after(now_ms(http), http->order->to->http.total_ms);
	if (http_easy_begin_undo(http))
		set_timer(http);
	else
		end_undo(http, CURLE_OUT_OF_MEMORY);
}

static void
free_http(struct http *http)
{
	must(http->state == HTTP_ENDED);
	counter_sub(&http->engine->transfers, 1);
	channel_free(http->channel);
	mem_free(http);
}

/* What had been sent to its end may be there, or come to be there. */
static void
on_cancel(struct http *http)
{
	struct outcome *outcome = &http->order->outcome;
	bool is_open = http->easy != NULL && facts_of(http, CURLE_OK).was_complete;

	outcome->state = is_open ? OUTCOME_UNKNOWN : OUTCOME_ABORTED;
	if (is_open)
		error_set(&outcome->error, ERR_UPSTREAM_TIMEOUT, "destination \"%s\": it had not answered yet",
			http->order->to->name);
	end(http);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct http *http = arg;

	http->is_committed = http->is_committed || (orders & CHANNEL_COMMIT) != 0;
	if ((orders & CHANNEL_CANCEL) && http->state != HTTP_ENDED && http->state != HTTP_UNDOING) {
		on_cancel(http);
		return; /* CLOSE comes after ENDED, never with it */
	}
	if ((orders & CHANNEL_START) && http->state == HTTP_READY)
		on_start(http);
	else if ((orders & CHANNEL_COMMIT) && http->state != HTTP_ENDED)
		on_commit(http);
	else if ((orders & (CHANNEL_DATA | CHANNEL_FINISH)) && http->state == HTTP_SENDING)
		resume(http);
	if (orders & CHANNEL_UNDO)
		on_undo(http);
	if ((orders & CHANNEL_CANCEL) && http->state == HTTP_UNDOING)
		end_undo(http, CURLE_OPERATION_TIMEDOUT);
	if (orders & CHANNEL_CLOSE)
		free_http(http);
}

/* -- the producer's side ------------------------------------------------------------------------------ */

bool
http_open(struct engine *engine, struct pool *pool, struct order *order, const struct channel_side *producer,
	struct error *err)
{
	struct http *http = mem_zalloc(sizeof *http);
	struct channel_side consumer = { .box = loop_mailbox(engine->loop), .on_mail = on_orders, .arg = http };

	if (http == NULL)
		return error_set(err, ERR_NOMEM, "out of memory");
	http->channel = channel_new(pool, producer, &consumer, order->slots, err);
	if (http->channel == NULL) {
		mem_free(http);
		return false;
	}
	http->engine = engine;
	http->pool = pool;
	http->order = order;
	http->timer.fire = on_timer;
	counter_add(&engine->transfers, 1);
	order->channel = http->channel;
	order->transfer = http;
	return true;
}

void
http_pump(struct order *order)
{
	struct http *http = order->transfer;

	if (!channel_take_hunger(order->channel))
		return; /* busy: it looks into the channel by itself */
	if (loop_is_mine(http->engine->loop) && !http->engine->is_running)
		resume(http);
	else
		channel_tell(order->channel, CHANNEL_DATA);
}
