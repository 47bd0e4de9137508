// SPDX-License-Identifier: MIT
/* exchange_callbacks.c - what libcurl asks and tells while an exchange runs: the body on its way, the answer on its way back.
 *
 * Callbacks run inside libcurl, so they only note things: nothing is removed, unpaused or run from here. */
#include "sink/exchange_priv.h"

#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of all heads of one answer, those of 1xx too. With one more line it is still less than what libcurl takes, which would only
 * say that it could not receive. */
#define HEADS_MAX (192u * 1024)

/* -- the body ----------------------------------------------------------------------------------------- */

static size_t
on_read(char *to, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n;

	if (x->status >= 300 || x->was_early)
		return CURL_READFUNC_ABORT; /* the other side has spoken: nothing more is sent */
	n = x->calls->on_read(x->arg, to, size * count);
	x->is_paused = n == EXCHANGE_PAUSE;
	if (x->is_paused)
		return CURL_READFUNC_PAUSE;
	x->n_read += n;
	x->was_complete = x->was_complete || n == 0 || x->n_read == x->request->length;
	if (n > 0) {
		x->body_begun = true;
		engine_note_read(x->engine, &x->user);
		x->active_ms = loop_now_ms(x->engine->loop);
	}
	return n;
}

/* A line that could not be made must not be left out: the request is broken off, and so it never becomes whole. */
static int
on_trailer(struct curl_slist **list, void *arg)
{
	struct exchange *x = arg;
	struct exchange_line line = x->calls->on_trailer(x->arg);
	struct buf text = { 0 };

	buf_addf(&text, "%s: %s", line.name, line.value);
	if (!text.failed)
		*list = curl_slist_append(NULL, text.data);
	buf_free(&text);
	x->was_complete = *list != NULL;
	return *list != NULL ? CURL_TRAILERFUNC_OK : CURL_TRAILERFUNC_ABORT;
}

/* CURLINFO_REQUEST_SIZE would not do: a head that does not go out at the first attempt is not counted in it. */
static int
on_connected(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
	struct exchange *x = arg;

	(void)peer_ip;
	(void)own_ip;
	(void)peer_port;
	/* A second time: the connection was kept and has died, and libcurl sends the request anew without asking. */
	x->was_asked_twice = x->is_asking;
	x->was_stray = !x->is_asking && exchange_has_stray(x, own_port);
	if (x->was_stray)
		return CURL_PREREQFUNC_ABORT;
	x->is_asking = x->user.is_connected = true;
	if (x->user.fd == CURL_SOCKET_BAD) /* a kept one, whose answer may come before libcurl tells which it is */
		x->user.fd = engine_sockets_find(&x->engine->sockets, own_port);
	return x->was_asked_twice ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* Bytes that the other side's system has not acknowledged. */
static bool
is_under_way(curl_socket_t fd)
{
	int left = 0;

	return ioctl(fd, SIOCOUTQ, &left) == 0 && left > 0;
}

/* Where the upstream has not acknowledged all, the transfer was given up. The kernel would go on sending for minutes, and
 * an upstream that was cut off, and comes back, would complete a request of which the client was told that it failed:
 * with a linger of nothing what it has not got is dropped. What it has got cannot be taken back. */
static int
on_close(void *arg, curl_socket_t fd)
{
	struct linger none = { .l_onoff = 1 };
	struct engine *engine = arg;

	engine_sockets_close(&engine->sockets, fd);
	if (is_under_way(fd))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	return close(fd);
}

/* libcurl goes back to the start when a connection that was kept turns out to be dead: it would send anew. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct exchange *x = arg;

	if (origin == SEEK_SET && offset == 0 && !x->body_begun)
		return CURL_SEEKFUNC_OK;
	x->was_asked_twice = true;
	return CURL_SEEKFUNC_CANTSEEK;
}

/* -- the answer --------------------------------------------------------------------------------------- */

/* libcurl 7.88 never completes a transfer whose upload is paused when the final answer comes; unpausing it
 * does (in libcurl 8.9 and later it is not needed and does no harm). */
static void
defer_resume(struct exchange *x)
{
	if (x->is_paused)
		engine_defer(x->engine, &x->user);
}

struct str
exchange_value_of(struct str line, const char *name)
{
	struct str value = { line.data + strlen(name), line.len - strlen(name) };

	while (value.len > 0 && (value.data[value.len - 1] == '\r' || value.data[value.len - 1] == '\n'))
		value.len--;
	return str_trim(value);
}

void
exchange_take_value(struct str line, const char *name, char *out, size_t size)
{
	struct str value = exchange_value_of(line, name);

	if (value.len < size && !str_has_control(value))
		snprintf(out, size, "%.*s", STR_ARG(value));
}

bool
exchange_is_folded(struct str line)
{
	return line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
}

static uint64_t
body_size(const struct exchange *x)
{
	const struct exchange_request *request = x->request;

	if (request->body == EXCHANGE_WHOLE)
		return request->whole.len;
	return request->length != EXCHANGE_LENGTH_UNKNOWN ? request->length : x->n_read;
}

/* All of the body was handed over, but some of it has not left libcurl, or has not come to the other side. Whoever has read all of a
 * request acknowledges all of it with the answer, at the latest; so this answer was given to a part. A server that means to read on may not
 * get the rest: libcurl sends no more if it is told that the connection closes, and on_close() drops what is under way. What a
 * program does not read from a unix socket is not lost to it, and its system acknowledges nothing. */
static bool
has_less(const struct exchange *x)
{
	enum exchange_body body = x->request->body;
	curl_off_t up = 0;

	if (body == EXCHANGE_NO_BODY || body == EXCHANGE_CONNECT)
		return false;
	curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	if ((uint64_t)up < body_size(x))
		return true;
	return x->request->to->unix_socket == NULL && is_under_way(x->user.fd);
}

static void
take_status(struct exchange *x, struct str line)
{
	struct str code = { line.data + 9, 3 };
	uint64_t status;

	if (line.len < 12 || !str_to_u64(code, &status))
		return;
	x->was_farewell = exchange_is_farewell(x, (unsigned)status);
	if (x->was_farewell)
		return;
	if (status < 200) {
		if (x->calls->on_interim != NULL)
			x->calls->on_interim(x->arg, (unsigned)status);
		return;
	}
	x->status = (unsigned)status;
	x->is_head_whole = false;
	x->was_early = !x->was_complete || (status < 300 && has_less(x));
	if (x->calls->on_status != NULL)
		x->calls->on_status(x->arg, x->status);
	if (status >= 300 || x->was_early)
		defer_resume(x);
}

bool
exchange_has_long_head(const struct exchange *x)
{
	return x->head_size > HEADS_MAX;
}

/* A 204 or 304 ends with its head (RFC 9112 section 6.3). What a server sends behind it all the same would be the beginning of the next
 * answer, so one that speaks of content gets no further request over that connection. */
static void
mind_content(struct exchange *x, struct str line)
{
	struct str rest;

	if (x->status != 204 && x->status != 304)
		return;
	if (str_starts_nocase(line, "transfer-encoding:"))
		curl_easy_setopt(x->easy, CURLOPT_FORBID_REUSE, 1L);
	if (!str_starts_nocase(line, "content-length:"))
		return;
	rest = exchange_value_of(line, "content-length:");
	if (!str_is(rest, "0"))
		curl_easy_setopt(x->easy, CURLOPT_FORBID_REUSE, 1L);
}

static void
tell_line(struct exchange *x, struct str line)
{
	mind_content(x, line);
	if (x->calls->on_header != NULL)
		x->calls->on_header(x->arg, line);
}

static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	struct str line = { data, size * count };
	bool is_first = !x->is_in_head && x->status == 0;

	x->active_ms = loop_now_ms(x->engine->loop);
	x->head_size += line.len;
	if (exchange_has_long_head(x))
		return 0;
	x->is_in_head = line.len > 0 && line.data[0] != '\r' && line.data[0] != '\n';
	if (is_first && str_starts_nocase(line, "HTTP/1."))
		take_status(x, line);
	else if (!x->is_in_head)
		x->is_head_whole = true;
	else if (x->status != 0 && !x->is_head_whole)
		tell_line(x, line);
	return x->was_farewell ? 0 : line.len;
}

bool
exchange_has_long_answer(const struct exchange *x)
{
	size_t most = x->request->answer_max;

	return x->answer_size > (most > 0 ? most : EXCHANGE_ANSWER_MAX);
}

static size_t
on_answer(char *data, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n = size * count;

	x->active_ms = loop_now_ms(x->engine->loop);
	x->answer_size += n;
	if (exchange_has_long_answer(x))
		return 0; /* nobody wants to read that; an error, but the status stands */
	if (x->calls->on_answer != NULL)
		x->calls->on_answer(x->arg, data, n);
	return n;
}

void
exchange_set_callbacks(struct exchange *x)
{
	curl_easy_setopt(x->easy, CURLOPT_PRIVATE, &x->user);
	curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
	if (x->request->has_trailer) {
		curl_easy_setopt(x->easy, CURLOPT_TRAILERFUNCTION, on_trailer);
		curl_easy_setopt(x->easy, CURLOPT_TRAILERDATA, x);
	}
	curl_easy_setopt(x->easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(x->easy, CURLOPT_PREREQDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(x->easy, CURLOPT_CLOSESOCKETDATA, x->engine);
	curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
}
