// SPDX-License-Identifier: MIT
/* http_callbacks.c - what libcurl asks and tells while a transfer runs: the body on its way, the answer on its way back.
 *
 * Callbacks run inside libcurl, so they only note things: nothing is removed, unpaused or run from here. */
#include "sink/http/http_priv.h"

#include "base/must.h"
#include "channel/keep.h"

#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_AFTER_MAX_S 86400u
#define ANSWER_MAX (1024u * 1024) /* bytes of an answer's body that are read at all */
/* Of all heads of one answer, those of 1xx too. With one more line it is still less than what libcurl takes, which would only
 * say that it could not receive. */
#define HEADS_MAX (192u * 1024)

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
	http->was_complete = http->was_complete || http->kept_sent == http->order->kept.length;
	return done;
}

static size_t
take_from_chunk(struct http *http, char *to, size_t room)
{
	struct chunk *chunk = http->chunk;
	size_t n = chunk->end - chunk->begin;

	if (n > room)
		n = room;
	memcpy(to, chunk->data + chunk->begin, n);
	chunk->begin += (uint32_t)n;
	if (chunk->begin == chunk->end) {
		pool_give(http->pool, chunk);
		http->chunk = NULL;
	}
	return n;
}

/* Fills as much as there are chunks: the size of one send is what a byte costs. */
static size_t
read_chunks(struct http *http, char *to, size_t room)
{
	size_t done = 0;

	while (done < room) {
		if (http->chunk == NULL)
			http->chunk = channel_pop(http->channel);
		if (http->chunk == NULL)
			break;
		done += take_from_chunk(http, to + done, room - done);
	}
	return done;
}

static size_t
pause_here(struct http *http)
{
	http->is_paused = true;
	return CURL_READFUNC_PAUSE;
}

/* All bytes are away. Before the commit that is as far as it goes. */
static size_t
at_end_of_data(struct http *http)
{
	if (http->is_committed) {
		if (http->state != HTTP_COMPLETING)
			http_move(http, HTTP_COMPLETING);
		http->was_complete = true;
		return 0;
	}
	if (http->state == HTTP_SENDING) {
		http_move(http, HTTP_HELD);
		channel_report(http->channel, CHANNEL_PREPARED);
	}
	return pause_here(http);
}

static size_t
read_stream(struct http *http, char *to, size_t room)
{
	for (;;) {
		bool finished = channel_is_finished(http->channel); /* before looking for the last chunks */
		size_t n = read_chunks(http, to, room);

		if (n > 0)
			return n;
		if (finished)
			return at_end_of_data(http);
		if (channel_want_data(http->channel))
			return pause_here(http);
	}
}

static size_t
on_read(char *to, size_t size, size_t count, void *arg)
{
	struct http *http = arg;
	size_t n;

	if (http->status >= 300 || http->was_early)
		return CURL_READFUNC_ABORT; /* the upstream has spoken: nothing more is sent */
	n = http->order->is_kept ? read_kept(http, to, size * count) : read_stream(http, to, size * count);
	if (n > 0 && n != CURL_READFUNC_PAUSE) {
		http->body_begun = true;
		http->active_ms = loop_now_ms(http->engine->loop);
	}
	return n;
}

/* CURLINFO_REQUEST_SIZE would not do: a head that does not go out at the first attempt is not counted in it. */
static int
on_connected(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
	struct http *http = arg;

	(void)peer_ip;
	(void)own_ip;
	(void)peer_port;
	(void)own_port;
	http->is_asking = true;
	return CURL_PREREQFUNC_OK;
}

/* Where the upstream has not acknowledged all, the transfer was given up. The kernel would go on sending for minutes, and
 * an upstream that was cut off, and comes back, would complete a request of which the client was told that it failed:
 * with a linger of nothing what it has not got is dropped. What it has got cannot be taken back. */
static int
on_close(void *arg, curl_socket_t fd)
{
	struct linger none = { .l_onoff = 1 };
	int left = 0;

	(void)arg;
	if (ioctl(fd, SIOCOUTQ, &left) == 0 && left > 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	return close(fd);
}

/* libcurl goes back to the start when a reused connection turns out to be dead. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http *http = arg;

	if (origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_CANTSEEK;
	if (http->order->is_kept) {
		http->kept_sent = 0;
		http->was_complete = false;
		return CURL_SEEKFUNC_OK;
	}
	return http->body_begun ? CURL_SEEKFUNC_CANTSEEK : CURL_SEEKFUNC_OK;
}

/* -- the answer --------------------------------------------------------------------------------------- */

/* libcurl 7.88 never completes a transfer whose upload is paused when the final answer comes; unpausing it
 * does (in libcurl 8.9 and later it is not needed and does no harm). */
static void
defer_resume(struct http *http)
{
	if (http->is_paused)
		http_defer(http);
}

static void
take_status(struct http *http, struct str line)
{
	struct str code = { line.data + 9, 3 };
	uint64_t status;

	if (line.len < 12 || !str_to_u64(code, &status) || status < 200)
		return; /* 1xx: the final answer is still to come */
	http->status = (unsigned)status;
	http->is_head_whole = false;
	http->order->outcome.location[0] = http->order->outcome.type[0] = '\0';
	http->order->outcome.retry_after_s = 0;
	http->was_early = !http->was_complete && http->state != HTTP_UNDOING;
	if (status >= 300 || http->was_early)
		defer_resume(http);
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

bool
http_has_long_head(const struct http *http)
{
	return http->head_size > HEADS_MAX;
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

static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http *http = arg;
	struct outcome *outcome = &http->order->outcome;
	struct str line = { data, size * count };

	http->active_ms = loop_now_ms(http->engine->loop);
	http->head_size += line.len;
	if (http_has_long_head(http))
		return 0;
	http->is_in_head = line.len > 0 && line.data[0] != '\r' && line.data[0] != '\n';
	if (str_starts_nocase(line, "HTTP/1."))
		take_status(http, line);
	else if (!http->is_in_head)
		http->is_head_whole = true;
	else if (http->state == HTTP_UNDOING)
		return line.len;
	else if (str_starts_nocase(line, "location:"))
		take_value(line, "location:", outcome->location, sizeof outcome->location);
	else if (str_starts_nocase(line, "retry-after:"))
		take_retry_after(http, line);
	else if (str_starts_nocase(line, "content-encoding:"))
		outcome->body.failed = true; /* the client would not be told of it, nor has it asked for one */
	else if (str_starts_nocase(line, "content-type:"))
		take_value(line, "content-type:", outcome->type, sizeof outcome->type);
	return line.len;
}

static size_t
on_answer(char *data, size_t size, size_t count, void *arg)
{
	struct http *http = arg;
	struct buf *body = &http->order->outcome.body;
	size_t n = size * count;

	http->active_ms = loop_now_ms(http->engine->loop);
	http->answer_size += n;
	if (http->answer_size > ANSWER_MAX)
		return 0; /* nobody wants to read that; an error, but the status stands */
	if (!http->order->want_body || http->state == HTTP_UNDOING || body->failed)
		return n;
	if (n <= OUTCOME_BODY_MAX - body->len) {
		buf_add(body, data, n);
	} else {
		buf_free(body);
		body->failed = true; /* rather none than half of it */
	}
	return n;
}

void
http_easy_set_callbacks(CURL *easy, struct http *http)
{
	curl_easy_setopt(easy, CURLOPT_PRIVATE, http);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, http);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, http);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, http);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
}
