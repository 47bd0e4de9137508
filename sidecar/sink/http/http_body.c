// SPDX-License-Identifier: MIT
/* http_body.c - a transfer's bytes on their way: from what was kept, or from the channel's chunks.
 *
 * A chunked request is not complete before its last chunk. So reading pauses at the end of the data until CHANNEL_COMMIT,
 * and only then says that the body has ended: until that moment stopping the exchange closes the connection, and the upstream
 * is left with a request that never became whole. Meanwhile it is to hear something: the last bytes (`hold.tail`) go one at a
 * time, and the rest of them when the commit has come. */
#include "sink/http/http_priv.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "channel/keep.h"

#include <string.h>

#define FAST_BYTES (128u * 1024) /* in all, and in each second */
#define GATHER_MAX (64u * 1024)  /* bytes of a kept body */

static bool
take_gathered(struct http *http, size_t size)
{
	struct gathered *gathered = &http->gathered;

	if (size > GATHER_MAX ||
		!pool_set_aside(http->pool, (size + CHUNK_SIZE - 1) / CHUNK_SIZE, &gathered->charged))
		return false;
	gathered->bytes = mem_alloc(size);
	if (gathered->bytes == NULL)
		pool_take_back(http->pool, &gathered->charged);
	return gathered->bytes != NULL;
}

/* Block after block would do, but in one send with its head a body costs a fifth less. */
bool
http_body_gather(struct http *http, struct str *whole)
{
	const struct kept *kept = &http->order->kept;
	size_t size = (size_t)kept->length;
	uint64_t from = 0;

	whole->data = kept_at(kept, 0, &whole->len);
	if (whole->len == kept->length)
		return true;
	if (!take_gathered(http, size))
		return false;
	*whole = (struct str){ http->gathered.bytes, kept_read(kept, &from, http->gathered.bytes, size) };
	return true;
}

static void
drop_gathered(struct http *http)
{
	if (http->gathered.bytes == NULL)
		return;
	mem_free(http->gathered.bytes);
	http->gathered.bytes = NULL;
	pool_take_back(http->pool, &http->gathered.charged);
}

/* Silence makes stores give up. So the last bytes are not sent before the commit, but for one at a time, every so often. */
static size_t
to_hold(const struct http *http)
{
	const struct http_settings *to = http_settings(http->order->to);

	return to->hold_every_ms == LIMIT_NONE ? 0 : to->hold_tail;
}

static size_t
held_back(const struct http *http)
{
	return http->is_committed ? 0 : to_hold(http);
}

bool
http_body_begin(struct http *http)
{
	http->send.most = HTTP_FIRST_SEND / http->engine->n_copies;
	http->send.began_ms = loop_now_ms(http->engine->loop);
	if (http->order->is_kept || to_hold(http) == 0)
		return true;
	http->tail.bytes = mem_alloc(to_hold(http));
	return http->tail.bytes != NULL;
}

static void
give_first_chunk(struct http *http)
{
	struct in_hand *hand = &http->in_hand;
	struct chunk *chunk = hand->chunks[hand->first];

	hand->first = (hand->first + 1) % IN_HAND_MAX;
	hand->n--;
	hand->bytes -= chunk->end - hand->at;
	hand->at = 0;
	pool_give(http->pool, chunk);
}

static size_t
take_from_chunk(struct http *http, char *to, size_t room)
{
	struct in_hand *hand = &http->in_hand;
	const struct chunk *chunk = hand->chunks[hand->first];
	size_t n = chunk->end - hand->at;

	if (n > room)
		n = room;
	memcpy(to, chunk->data + hand->at, n);
	hand->at += (uint32_t)n;
	hand->bytes -= n;
	if (hand->at == chunk->end)
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

	while (done < room && http->in_hand.n > 0)
		done += take_from_chunk(http, to + done, room - done);
	return done;
}

/* All of it is held back, and nothing more has come or could be taken: it waits in the tail, and the chunks go home. */
static void
stow(struct http *http)
{
	struct tail *tail = &http->tail;

	if (http->in_hand.n == 0)
		return;
	must(tail->len + http->in_hand.bytes <= to_hold(http));
	if (tail->len > 0)
		memmove(tail->bytes, tail->bytes + tail->begin, tail->len);
	tail->begin = 0;
	while (http->in_hand.n > 0)
		tail->len += take_from_chunk(http, tail->bytes + tail->len, SIZE_MAX);
}

/* While all that there is is held back. */
static bool
pop_chunk(struct http *http)
{
	struct in_hand *hand = &http->in_hand;
	struct chunk *chunk;

	if (hand->n == IN_HAND_MAX)
		stow(http);
	chunk = channel_pop(http->channel);
	if (chunk == NULL)
		return false;
	hand->chunks[(hand->first + hand->n++) % IN_HAND_MAX] = chunk;
	hand->bytes += chunk->end;
	return true;
}

/* Fills as much as there are chunks: the size of one send is what a byte costs. */
static size_t
read_chunks(struct http *http, char *to, size_t room)
{
	size_t back = held_back(http), done = 0;

	while (done < room) {
		size_t spare = http->tail.len + http->in_hand.bytes;

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
	uint64_t every_ms = http_settings(http->order->to)->hold_every_ms;

	if (held_back(http) > 0 && http->drip.slot == 0)
		loop_set_timer(
			http->engine->loop, &http->drip, clock_after(loop_now_ms(http->engine->loop), every_ms));
}

#define MUCH (KIND_KEEP_USUAL + HTTP_FIRST_SEND)

/* More is waiting than what every stream begins with: what was collected of it. */
static bool
has_much(struct http *http)
{
	struct in_hand *hand = &http->in_hand;

	if (hand->bytes <= MUCH && hand->n < IN_HAND_MAX)
		pop_chunk(http);
	return hand->bytes > MUCH;
}

static bool
is_fast(const struct http *http)
{
	uint64_t ms = loop_now_ms(http->engine->loop) - http->send.began_ms;

	return http->send.done >= FAST_BYTES + ms * FAST_BYTES / 1000;
}

/* Where an eighth of what may be kept is taken, only fast ones: what a slow client had to hold back while the machine was busy comes in
 * one piece, too, and hundreds of these would leave nothing for others. Of the last eighth, which is for uploads that begin, fast ones
 * may have half: beside a memory full of slow uploads a quick one would take four times as long with small sends. */
static bool
may_have_more(const struct http *http)
{
	const struct pool *pool = http->pool;
	size_t all = pool_total(pool) - pool_streams(pool), left = pool_keepable(pool);

	if (left >= all / 8 * 7 && pool_shortage(pool) == 0)
		return true;
	return left >= all / 16 && !pool_is_used_up(pool) && is_fast(http);
}

/* First for a chunk, then to all that libcurl may have room for: it does not always offer the same. Without memory sends stay small. */
static void
send_more(struct http *http)
{
	struct send_size *send = &http->send;
	size_t copies = http->engine->n_copies, step = CHUNK_SIZE / copies;
	size_t most = send->most < step ? step : exchange_buffer(http->order->unit);
	size_t n = ((most - send->most) * copies + CHUNK_SIZE - 1) / CHUNK_SIZE;

	if (may_have_more(http) && pool_set_aside(http->pool, n, &send->charged))
		send->most = most;
}

static size_t
read_some(struct http *http, char *to, size_t room)
{
	size_t most = http->send.most < room ? http->send.most : room, n = read_chunks(http, to, most);

	http->send.done += n;
	if (n == most && most < room && has_much(http))
		send_more(http);
	return n;
}

static size_t
read_stream(struct http *http, char *to, size_t room)
{
	for (;;) {
		bool finished = channel_is_finished(http->channel); /* before looking for the last chunks */
		size_t n = read_some(http, to, room);

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

void
http_body_rewind(void *arg)
{
	((struct http *)arg)->kept_sent = 0;
}

size_t
http_body_read(void *arg, char *to, size_t room)
{
	struct http *http = arg;

	return http->order->is_kept ? kept_read(&http->order->kept, &http->kept_sent, to, room)
				    : read_stream(http, to, room);
}

/* The last byte has been read, so the commit has been told, and the digest was there before it. */
struct exchange_line
http_body_trailer(void *arg)
{
	const struct http *http = arg;

	must(http->is_committed);
	return (struct exchange_line){ DIGEST_LINE, http->order->digest };
}

void
http_body_drop(struct http *http)
{
	while (http->in_hand.n > 0)
		give_first_chunk(http);
	mem_free(http->tail.bytes);
	http->tail = (struct tail){ 0 };
	drop_gathered(http);
	pool_take_back(http->pool, &http->send.charged);
	loop_clear_timer(http->engine->loop, &http->drip);
}

/* Nobody has sent anything for a while, and the other side may be losing patience. */
void
http_body_on_drip(struct timer *timer)
{
	struct http *http = container_of(timer, struct http, drip);

	if (http->state != HTTP_SENDING && http->state != HTTP_HELD)
		return;
	http->may_drip = http->tail.len > 0;
	exchange_resume(http->exchange); /* to be paused again, which sets the timer anew */
}
