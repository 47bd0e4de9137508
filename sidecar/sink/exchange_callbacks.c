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

#define ANSWER_MAX (1024u * 1024) /* bytes of an answer's body that are read at all */
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
		x->active_ms = loop_now_ms(x->engine->loop);
	}
	return n;
}

/* CURLINFO_REQUEST_SIZE would not do: a head that does not go out at the first attempt is not counted in it. */
static int
on_connected(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
	struct exchange *x = arg;

	(void)peer_ip;
	(void)own_ip;
	(void)peer_port;
	(void)own_port;
	/* A second time: the connection was kept and has died, and libcurl sends the request anew without asking. */
	x->was_asked_twice = x->is_asking;
	x->is_asking = true;
	return x->was_asked_twice ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
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
		exchange_defer(x);
}

struct str
exchange_value_of(struct str line, const char *name)
{
	struct str value = { line.data + strlen(name), line.len - strlen(name) };

	while (value.len > 0 && (value.data[value.len - 1] == '\r' || value.data[value.len - 1] == '\n'))
		value.len--;
	return str_trim(value);
}

static void
take_status(struct exchange *x, struct str line)
{
	struct str code = { line.data + 9, 3 };
	uint64_t status;

	if (line.len < 12 || !str_to_u64(code, &status))
		return;
	if (status < 200) {
		if (x->calls->on_interim != NULL)
			x->calls->on_interim(x->arg, (unsigned)status);
		return;
	}
	x->status = (unsigned)status;
	x->is_head_whole = false;
	x->was_early = !x->was_complete;
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

static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	struct str line = { data, size * count };

	x->active_ms = loop_now_ms(x->engine->loop);
	x->head_size += line.len;
	if (exchange_has_long_head(x))
		return 0;
	x->is_in_head = line.len > 0 && line.data[0] != '\r' && line.data[0] != '\n';
	if (str_starts_nocase(line, "HTTP/1."))
		take_status(x, line);
	else if (!x->is_in_head)
		x->is_head_whole = true;
	else if (x->calls->on_header != NULL)
		x->calls->on_header(x->arg, line);
	return line.len;
}

static size_t
on_answer(char *data, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n = size * count;

	x->active_ms = loop_now_ms(x->engine->loop);
	x->answer_size += n;
	if (x->answer_size > ANSWER_MAX)
		return 0; /* nobody wants to read that; an error, but the status stands */
	if (x->calls->on_answer != NULL)
		x->calls->on_answer(x->arg, data, n);
	return n;
}

void
exchange_set_callbacks(struct exchange *x)
{
	curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
	curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(x->easy, CURLOPT_PREREQDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
}
