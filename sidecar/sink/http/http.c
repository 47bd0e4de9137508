// SPDX-License-Identifier: MIT
/* http.c - a transfer's life: orders of its producer, and how it ends. What goes over the wire is its exchange's.
 *
 * A chunked request is not complete before its last chunk. So reading pauses at the end of the data until CHANNEL_COMMIT,
 * and only then says that the body has ended: until that moment stopping the exchange closes the connection, and the upstream
 * is left with a request that never became whole. */
#include "sink/http/http.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "channel/keep.h"
#include "sink/exchange.h"
#include "sink/http/verdict.h"

#include <stdio.h>
#include <string.h>

#define RETRY_AFTER_MAX_S 86400u
#define N_LINES 4 /* of ours, in the head of a request */

enum http_state {
	HTTP_READY,      /* opened, not started */
	HTTP_SENDING,    /* connecting, or bytes are on their way */
	HTTP_HELD,       /* all bytes are away, or kept; completion waits for the commit */
	HTTP_COMPLETING, /* told to complete; waits for the answer */
	HTTP_UNDOING,    /* a DELETE is on its way */
	HTTP_ENDED,
};

static const unsigned may_become[] = {
	[HTTP_READY] = BIT(HTTP_SENDING) | BIT(HTTP_HELD) | BIT(HTTP_COMPLETING) | BIT(HTTP_ENDED),
	[HTTP_SENDING] = BIT(HTTP_HELD) | BIT(HTTP_COMPLETING) | BIT(HTTP_ENDED),
	[HTTP_HELD] = BIT(HTTP_COMPLETING) | BIT(HTTP_ENDED),
	[HTTP_COMPLETING] = BIT(HTTP_ENDED),
	[HTTP_UNDOING] = BIT(HTTP_ENDED),
	[HTTP_ENDED] = BIT(HTTP_UNDOING),
};

/* The last bytes of a stream, which are let out one at a time while it is held: they lie here and in no chunk, for chunks of
 * streams must come back. */
struct tail {
	char *bytes; /* room for `hold_tail`; NULL: none yet */
	size_t begin, len;
};

struct http {
	struct engine *engine;
	struct pool *pool;
	struct order *order;
	struct channel *channel;
	enum http_state state;
	struct exchange *exchange;
	struct exchange_request request;
	struct exchange_line lines[N_LINES];
	struct chunk *first, **last_link; /* popped and not handed over; last_link is NULL where there are none */
	size_t in_hand;                   /* bytes in them */
	struct tail tail;                 /* comes before them */
	struct timer drip;
	bool may_drip;      /* one byte of the tail may go although it is held */
	uint64_t kept_sent; /* of a kept part */
	unsigned status;    /* of the answer */
	bool is_committed;  /* CHANNEL_COMMIT was told */
};

static void
http_move(struct http *http, enum http_state to)
{
	must(state_may_become(may_become, (int)http->state, (int)to));
	http->state = to;
}

/* -- the body ----------------------------------------------------------------------------------------- */

static size_t
read_kept(struct http *http, char *to, size_t room)
{
	size_t done = 0, len;

	while (done < room) {
		const char *from = kept_at(&http->order->kept, http->kept_sent, &len);

		if (len == 0)
			break;
		if (len > room - done)
			len = room - done;
		memcpy(to + done, from, len);
		done += len;
		http->kept_sent += len;
	}
	return done;
}

/* Silence makes stores give up. So the last bytes are not sent before the commit, but for one at a time, every so often. */
static size_t
held_back(const struct http *http)
{
	const struct http_destination *to = &http->order->to->http;

	return http->is_committed || to->hold_every_ms == LIMIT_NONE ? 0 : to->hold_tail;
}

static bool
pop_chunk(struct http *http)
{
	struct chunk *chunk = channel_pop(http->channel);

	if (chunk == NULL)
		return false;
	chunk->link = NULL;
	if (http->last_link != NULL)
		*http->last_link = chunk;
	else
		http->first = chunk;
	http->last_link = &chunk->link;
	http->in_hand += chunk->end - chunk->begin;
	return true;
}

static void
give_first_chunk(struct http *http)
{
	struct chunk *chunk = http->first;

	http->first = chunk->link;
	if (http->first == NULL)
		http->last_link = NULL;
	chunk->link = NULL;
	pool_give(http->pool, chunk);
}

static size_t
take_from_chunk(struct http *http, char *to, size_t room)
{
	struct chunk *chunk = http->first;
	size_t n = chunk->end - chunk->begin;

	if (n > room)
		n = room;
	memcpy(to, chunk->data + chunk->begin, n);
	chunk->begin += (uint32_t)n;
	http->in_hand -= n;
	if (chunk->begin == chunk->end)
		give_first_chunk(http);
	return n;
}

static size_t
take_from_tail(struct tail *tail, char *to, size_t room)
{
	size_t n = tail->len < room ? tail->len : room;

	if (n == 0)
		return 0;
	memcpy(to, tail->bytes + tail->begin, n);
	tail->begin += n;
	tail->len -= n;
	return n;
}

static size_t
take(struct http *http, char *to, size_t room)
{
	size_t done = take_from_tail(&http->tail, to, room);

	while (done < room && http->first != NULL)
		done += take_from_chunk(http, to + done, room - done);
	return done;
}

/* Nothing more has come: what is held back waits here, and the chunks go home. Without memory for it they wait, too. */
static void
stow(struct http *http)
{
	struct tail *tail = &http->tail;
	size_t size = http->order->to->http.hold_tail;

	if (http->first == NULL)
		return;
	if (tail->bytes == NULL)
		tail->bytes = mem_alloc(size);
	if (tail->bytes == NULL || tail->len + http->in_hand > size)
		return;
	if (tail->len > 0)
		memmove(tail->bytes, tail->bytes + tail->begin, tail->len);
	tail->begin = 0;
	while (http->first != NULL)
		tail->len += take_from_chunk(http, tail->bytes + tail->len, size - tail->len);
}

/* Fills as much as there are chunks: the size of one send is what a byte costs. */
static size_t
read_chunks(struct http *http, char *to, size_t room)
{
	size_t back = held_back(http), done = 0;

	while (done < room) {
		size_t spare = http->tail.len + http->in_hand;

		if (spare <= back) {
			if (pop_chunk(http))
				continue;
			stow(http);
			break;
		}
		spare -= back;
		done += take(http, to + done, spare < room - done ? spare : room - done);
	}
	return done;
}

/* All bytes are away but those that are held back. Before the commit that is as far as it goes. */
static size_t
at_end_of_data(struct http *http)
{
	if (http->is_committed) {
		if (http->state != HTTP_COMPLETING)
			http_move(http, HTTP_COMPLETING);
		return 0;
	}
	if (http->state == HTTP_SENDING) {
		http_move(http, HTTP_HELD);
		channel_report(http->channel, CHANNEL_PREPARED);
	}
	return EXCHANGE_PAUSE;
}

static size_t
drip_one(struct http *http, char *to)
{
	bool may = http->may_drip;

	http->may_drip = false;
	return may ? take_from_tail(&http->tail, to, 1) : 0;
}

static void
set_drip(struct http *http)
{
	uint64_t every_ms = http->order->to->http.hold_every_ms;

	if (held_back(http) > 0 && http->drip.slot == 0)
		loop_set_timer(
			http->engine->loop, &http->drip, clock_after(loop_now_ms(http->engine->loop), every_ms));
}

static size_t
read_stream(struct http *http, char *to, size_t room)
{
	for (;;) {
		bool finished = channel_is_finished(http->channel); /* before looking for the last chunks */
		size_t n = read_chunks(http, to, room);

		if (n == 0)
			n = drip_one(http, to);
		if (n > 0)
			return n;
		if (!finished && !channel_want_data(http->channel))
			continue;
		set_drip(http);
		return finished ? at_end_of_data(http) : EXCHANGE_PAUSE;
	}
}

static void
on_rewind(void *arg)
{
	((struct http *)arg)->kept_sent = 0;
}

static size_t
on_read(void *arg, char *to, size_t room)
{
	struct http *http = arg;

	return http->order->is_kept ? read_kept(http, to, room) : read_stream(http, to, room);
}

/* -- the answer --------------------------------------------------------------------------------------- */

static void
on_status(void *arg, unsigned status)
{
	struct http *http = arg;

	http->status = status;
	http->order->outcome.location[0] = http->order->outcome.type[0] = '\0';
	http->order->outcome.retry_after_s = 0;
}

static struct str
value_of(struct str line, const char *name)
{
	struct str value = { line.data + strlen(name), line.len - strlen(name) };

	while (value.len > 0 && (value.data[value.len - 1] == '\r' || value.data[value.len - 1] == '\n'))
		value.len--;
	return str_trim(value);
}

static void
take_value(struct str line, const char *name, char *out, size_t size)
{
	struct str value = value_of(line, name);

	if (value.len < size && !str_has_control(value))
		snprintf(out, size, "%.*s", STR_ARG(value));
}

/* A date is left alone: clocks differ. */
static void
take_retry_after(struct http *http, struct str line)
{
	uint64_t seconds;

	if ((http->status == 429 || http->status == 503) && str_to_u64(value_of(line, "retry-after:"), &seconds))
		http->order->outcome.retry_after_s = seconds < RETRY_AFTER_MAX_S ? (unsigned)seconds
										 : RETRY_AFTER_MAX_S;
}

static void
on_header(void *arg, struct str line)
{
	struct http *http = arg;
	struct outcome *outcome = &http->order->outcome;

	if (http->state == HTTP_UNDOING)
		return;
	if (str_starts_nocase(line, "location:"))
		take_value(line, "location:", outcome->location, sizeof outcome->location);
	else if (str_starts_nocase(line, "retry-after:"))
		take_retry_after(http, line);
	else if (str_starts_nocase(line, "content-encoding:"))
		outcome->body.failed = true; /* the client would not be told of it, nor has it asked for one */
	else if (str_starts_nocase(line, "content-type:"))
		take_value(line, "content-type:", outcome->type, sizeof outcome->type);
}

static void
on_answer(void *arg, const char *data, size_t n)
{
	struct http *http = arg;
	struct buf *body = &http->order->outcome.body;

	if (!http->order->want_body || http->state == HTTP_UNDOING || body->failed)
		return;
	if (n <= OUTCOME_BODY_MAX - body->len) {
		buf_add(body, data, n);
	} else {
		buf_free(body);
		body->failed = true; /* rather none than half of it */
	}
}

/* -- the end ------------------------------------------------------------------------------------------ */

static void
drop_bytes(struct http *http)
{
	while (http->first != NULL)
		give_first_chunk(http);
	http->in_hand = 0;
	mem_free(http->tail.bytes);
	http->tail = (struct tail){ 0 };
	loop_clear_timer(http->engine->loop, &http->drip);
}

static void
end(struct http *http)
{
	exchange_stop(http->exchange);
	drop_bytes(http);
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
	.on_read = on_read,
	.on_rewind = on_rewind,
	.on_status = on_status,
	.on_header = on_header,
	.on_answer = on_answer,
	.on_done = on_done,
};

/* -- what is asked ------------------------------------------------------------------------------------ */

/* In memory and contiguous: it leaves by one pointer. */
static bool
is_in_one_piece(const struct kept *kept, struct str *piece)
{
	size_t len;

	piece->data = kept_at(kept, 0, &len);
	piece->len = len;
	return len == kept->length;
}

static void
set_body(struct http *http)
{
	const struct order *order = http->order;
	struct exchange_request *request = &http->request;

	request->length = order->length;
	request->unit = order->unit;
	if (!order->is_kept)
		request->body = EXCHANGE_STREAM;
	else if (is_in_one_piece(&order->kept, &request->whole))
		request->body = EXCHANGE_WHOLE;
	else
		request->body = EXCHANGE_READ;
}

static void
set_request(struct http *http, const char *method)
{
	const struct order *order = http->order;
	const struct http_destination *to = &order->to->http;
	uint64_t now = loop_now_ms(http->engine->loop);
	bool is_upload = http->state != HTTP_UNDOING;

	http->lines[0] = (struct exchange_line){ "Content-Type", is_upload ? order->type : NULL };
	http->lines[1] = (struct exchange_line){ "X-Request-Id", order->request_id };
	http->lines[2] = (struct exchange_line){ "traceparent", order->traceparent };
	http->lines[3] = (struct exchange_line){ "X-Forwarded-For", order->client };
	http->request = (struct exchange_request){
		.to = to,
		.method = method,
		.target = order->target,
		.lines = http->lines,
		.n_lines = N_LINES,
		.reuse_always = to->reuse_always,
		.connect_ms = to->connect_ms,
		.total_at_ms = clock_after(now, to->total_ms),
	};
	if (is_upload)
		set_body(http);
}

static void
begin(struct http *http)
{
	struct outcome *outcome = &http->order->outcome;

	if (exchange_begin(http->exchange, &http->request))
		return;
	outcome->state = OUTCOME_ABORTED;
	error_set(&outcome->error, ERR_NOMEM, "destination \"%s\": out of memory", http->order->to->name);
	end(http);
}

/* Nobody has sent anything for a while, and the other side may be losing patience. */
static void
on_drip(struct timer *timer)
{
	struct http *http = (struct http *)(void *)((char *)timer - offsetof(struct http, drip));

	if (http->state != HTTP_SENDING && http->state != HTTP_HELD)
		return;
	http->may_drip = http->tail.len > 0;
	exchange_resume(http->exchange); /* to be paused again, which sets the timer anew */
}

/* -- orders of the producer --------------------------------------------------------------------------- */

/* A kept part is sent only when it is to become visible. */
static void
on_start(struct http *http)
{
	set_request(http, http->order->method == STORE_POST ? "POST" : "PUT");
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
	if (http->exchange == NULL)
		return error_set(err, ERR_NOMEM, "out of memory");
	http->channel = channel_new(http->pool, producer, &consumer, http->order->slots, err);
	return http->channel != NULL;
}

bool
http_open(struct engine *engine, struct pool *pool, struct order *order, const struct channel_side *producer,
	struct error *err)
{
	struct http *http = mem_zalloc(sizeof *http);

	if (http == NULL)
		return error_set(err, ERR_NOMEM, "out of memory");
	http->engine = engine;
	http->pool = pool;
	http->order = order;
	http->drip.fire = on_drip;
	if (!make(http, producer, err)) {
		exchange_free(http->exchange);
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
