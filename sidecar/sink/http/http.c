// SPDX-License-Identifier: MIT
/* http.c - a transfer's life: orders of its producer, what is asked, and how it ends. Its bytes are http_body.c's, what the store says
 * is http_answer.c's, what goes over the wire is its exchange's. */
#include "sink/http/http.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "channel/keep.h"
#include "sink/http/http_priv.h"
#include "sink/http/http_survey.h"
#include "sink/http/http_would.h"
#include "sink/http/verdict.h"
#include "sink/sink.h"

#include <string.h>

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

/* -- the end ------------------------------------------------------------------------------------------ */

static void
end(struct http *http)
{
	exchange_stop(http->exchange);
	http_body_drop(http);
	http_move(http, HTTP_ENDED);
	channel_report(http->channel, CHANNEL_ENDED); /* the last word: the order is the producer's from here on */
}

static const struct exchange_result no_answer = { 0 };

static void
end_undo(struct http *http, const struct exchange_result *result)
{
	struct outcome *outcome = &http->order->outcome;
	unsigned status = result->status;

	exchange_stop(http->exchange);
	http_move(http, HTTP_ENDED);
	if (result->is_whole && ((status >= 200 && status < 300) || status == 404 || status == 410))
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

static void
on_done(void *arg, const struct exchange_result *result)
{
	struct http *http = arg;
	struct verdict_facts facts = {
		.destination = http->order->to->name,
		.is_chunked = http->order->length == ORDER_LENGTH_UNKNOWN,
		.passes_errors = http_settings(http->order->to)->passes_errors,
		.later = &http->later,
		.result = result,
	};

	if (http->state == HTTP_UNDOING) {
		end_undo(http, result);
		return;
	}
	verdict_of(&facts, &http->order->outcome);
	end(http);
}

static const struct exchange_calls calls = {
	.on_read = http_body_read,
	.on_rewind = http_body_rewind,
	.on_trailer = http_body_trailer,
	.on_status = http_answer_on_status,
	.on_header = http_answer_on_header,
	.on_answer = http_answer_on_body,
	.on_done = on_done,
};

/* -- what is asked ------------------------------------------------------------------------------------ */

static void
set_body(struct http *http)
{
	const struct order *order = http->order;
	struct exchange_request *request = &http->request;

	request->length = order->length;
	request->unit = order->unit;
	request->has_trailer = order->says_digest && !order->is_kept;
	if (!order->is_kept)
		request->body = EXCHANGE_STREAM;
	else if (http_body_gather(http, &request->whole))
		request->body = EXCHANGE_WHOLE;
	else
		request->body = EXCHANGE_READ;
}

/* With these a server takes all that comes over the connection for the same user's (RFC 4559 section 6), also what comes after. */
static bool
is_bound(const struct order *order)
{
	for (size_t i = 0; i < order->n_lines; i++) {
		struct str value = str_of(order->lines[i].value);

		if (str_equal_nocase(str_of(order->lines[i].name), STR("authorization")) &&
			(str_starts_nocase(value, "negotiate") || str_starts_nocase(value, "ntlm")))
			return true;
	}
	return false;
}

static void
set_request(struct http *http, const char *method)
{
	const struct order *order = http->order;
	const struct http_settings *to = http_settings(order->to);
	uint64_t now = loop_now_ms(http->engine->loop);

	http_set_lines(http->lines, order, http->state != HTTP_UNDOING);
	for (size_t i = 0; i < order->n_lines; i++)
		http->lines[OWN_LINES + i] = (struct exchange_line){ order->lines[i].name, order->lines[i].value };
	http->request = (struct exchange_request){
		.to = &to->peer,
		.method = method,
		.target = order->target,
		.lines = http->lines,
		.n_lines = OWN_LINES + order->n_lines,
		.is_alone = is_bound(order),
		.reuse_always = to->peer.reuse_always,
		.connect_ms = to->peer.connect_ms,
		.total_at_ms = clock_after(now, to->peer.total_ms),
	};
}

static void
begin(struct http *http)
{
	struct outcome *outcome = &http->order->outcome;

	set_body(http);
	if (http_body_begin(http) && exchange_begin(http->exchange, &http->request))
		return;
	outcome->state = OUTCOME_ABORTED;
	error_set(&outcome->error, ERR_NOMEM, "destination \"%s\": out of memory", http->order->to->name);
	end(http);
}

/* -- orders of the producer --------------------------------------------------------------------------- */

/* A kept part is sent only when it is to become visible. */
static void
on_start(struct http *http)
{
	set_request(http, http_method(http->order));
	if (http->order->is_kept && !http->is_committed) {
		http_move(http, HTTP_HELD);
		channel_report(http->channel, CHANNEL_PREPARED);
		return;
	}
	http_move(http, http->order->is_kept ? HTTP_COMPLETING : HTTP_SENDING);
	begin(http);
}

static void
on_commit(struct http *http)
{
	if (http->state == HTTP_HELD)
		http_move(http, HTTP_COMPLETING);
	if (http->order->is_kept && !exchange_is_asking(http->exchange))
		begin(http);
	else
		exchange_resume(http->exchange);
}

static void
on_undo(struct http *http)
{
	http_move(http, HTTP_UNDOING);
	set_request(http, "DELETE");
	if (!exchange_begin(http->exchange, &http->request))
		end_undo(http, &no_answer);
}

static void
free_http(struct http *http)
{
	must(http->state == HTTP_ENDED);
	counter_sub(&http->engine->transfers, 1);
	exchange_free(http->exchange);
	channel_free(http->channel);
	mem_free(http->lines);
	mem_free(http);
}

/* What had been sent to its end may be there, or come to be there. */
static void
on_cancel(struct http *http)
{
	struct outcome *outcome = &http->order->outcome;
	bool is_open = exchange_is_asking(http->exchange) && exchange_may_have_arrived(http->exchange);

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
		exchange_resume(http->exchange);
	if (orders & CHANNEL_UNDO)
		on_undo(http);
	if ((orders & CHANNEL_CANCEL) && http->state == HTTP_UNDOING)
		end_undo(http, &no_answer); /* nobody waits for it any longer */
	if (orders & CHANNEL_CLOSE)
		free_http(http);
}

/* -- the producer's side ------------------------------------------------------------------------------ */

static bool
make(struct http *http, const struct channel_side *producer, struct error *err)
{
	struct channel_side consumer = {
		.box = loop_mailbox(http->engine->loop), .on_mail = on_orders, .arg = http
	};

	http->exchange = exchange_new(http->engine, &calls, http);
	http->lines = mem_array(OWN_LINES + http->order->n_lines, sizeof *http->lines);
	if (http->exchange == NULL || http->lines == NULL)
		return error_nomem(err);
	http->channel = channel_new(http->pool, producer, &consumer, http->order->slots, err);
	return http->channel != NULL;
}

bool
http_open(struct engine *engine, struct pool *pool, struct order *order, const struct channel_side *producer,
	struct error *err)
{
	struct http *http = mem_zalloc(sizeof *http);

	if (http == NULL)
		return error_nomem(err);
	http->engine = engine;
	http->pool = pool;
	http->order = order;
	http->drip.fire = http_body_on_drip;
	if (!make(http, producer, err)) {
		exchange_free(http->exchange);
		mem_free(http->lines);
		mem_free(http);
		return false;
	}
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
		exchange_resume(http->exchange);
	else
		channel_tell(order->channel, CHANNEL_DATA);
}

#define CONNECTION_BYTES (20u * 1024) /* what libcurl and we have of one, about */
#define TLS_BYTES (32u * 1024)        /* and OpenSSL */
#define TRAILER_BYTES 1024u           /* of a trailer, twice in libcurl, too */

/* Larger sends are charged when there is something to send (http_body.c): a slow client's upload never needs them. Of its lines libcurl's
 * list is a copy, and what it sends another. */
static size_t
cost(const struct order *order)
{
	bool is_tls = strncmp(http_settings(order->to)->peer.url, "https:", 6) == 0;
	size_t bytes = HTTP_FIRST_SEND + CONNECTION_BYTES + (is_tls ? TLS_BYTES : 0) +
		(order->says_digest ? TRAILER_BYTES : 0);

	for (size_t i = 0; i < order->n_lines; i++)
		bytes += 2 * (strlen(order->lines[i].name) + strlen(order->lines[i].value) + sizeof ": \r\n");
	return bytes;
}

static bool
begin_order(
	const struct sink_place *place, struct order *order, const struct channel_side *producer, struct error *err)
{
	return http_open(place->engine, place->pool, order, producer, err);
}

static bool
take_back(struct relic *relic, struct error *err)
{
	const struct http_peer *peer = &http_settings(relic->to)->peer;

	relic->request.to = peer;
	relic->request.method = "DELETE";
	relic->request.target = relic->target;
	relic->request.body = EXCHANGE_NO_BODY;
	relic->request.connect_ms = peer->connect_ms;
	relic->watch_ms = peer->total_ms;
	(void)err;
	return true;
}

extern const struct sink http_sink;
const struct sink http_sink = { .survey = http_survey,
	.would = http_would,
	.cost = cost,
	.begin = begin_order,
	.pump = http_pump,
	.take_back = take_back };
