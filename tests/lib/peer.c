// SPDX-License-Identifier: MIT
/* peer.c - see peer.h. Whatever the script's thread may have to wait for it waits for together with the test's end. */
#include "lib/peer.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX 32
#define SHOWN_MAX 40 /* bytes of a body that are written into the log */
#define HEAD_MAX 65536

struct line {
	int fd;     /* -1: closed */
	int number; /* in the log */
	char head[HEAD_MAX];
	size_t have;     /* bytes read and not used */
	bool is_in_body; /* its head has been read and taken off */
	bool is_chunked;
	bool is_in_chunks; /* the first one has begun */
	char trailer[200]; /* lines behind the last one, each behind a blank */
	size_t left;       /* of the body, or of the chunk */
	char what[200];    /* method and target */
	char shown[SHOWN_MAX + 1];
	size_t size;     /* of the body so far */
	bool is_pattern; /* so far byte n is 'a' + n % 23 */
};

struct peer {
	int listener, ended, go;
	pthread_t thread;
	bool has_thread;
	peer_script script;
	const void *arg;
	struct mailbox *box;
	struct mail *mail;
	struct line *lines[MAX], nobody;
	size_t n, at; /* connections so far; the one that it reads from */
	int n_named;  /* of these, in the log */
	struct buf log;
	char url[64];
};

/* -- waiting ------------------------------------------------------------------------------------------ */

/* False: the test has ended. */
static bool
wait_for(struct peer *peer, int fd, short events)
{
	struct pollfd fds[2] = { { .fd = peer->ended, .events = POLLIN }, { .fd = fd, .events = events } };

	while (poll(fds, 2, -1) < 0)
		;
	return fds[0].revents == 0;
}

static void
accept_one(struct peer *peer)
{
	int fd = accept(peer->listener, NULL, NULL);

	if (fd < 0 || peer->n == MAX)
		abort();
	peer->lines[peer->n] = calloc(1, sizeof(struct line));
	peer->lines[peer->n]->fd = fd;
	peer->at = peer->n++;
}

bool
peer_accept(struct peer *peer)
{
	if (!wait_for(peer, peer->listener, POLLIN))
		return false;
	accept_one(peer);
	return true;
}

/* Which connection has something to say? */
static bool
choose(struct peer *peer)
{
	struct pollfd fds[MAX + 2] = { { .fd = peer->ended, .events = POLLIN },
		{ .fd = peer->listener, .events = POLLIN } };

	for (size_t i = 0; i < peer->n; i++)
		fds[i + 2] = (struct pollfd){ .fd = peer->lines[i]->fd, .events = POLLIN };
	while (poll(fds, (nfds_t)peer->n + 2, -1) < 0)
		;
	if (fds[0].revents != 0)
		return false;
	for (size_t i = 0; i < peer->n; i++)
		if (fds[i + 2].revents != 0) {
			peer->at = i;
			return true;
		}
	accept_one(peer);
	return choose(peer);
}

/* -- reading ------------------------------------------------------------------------------------------ */

/* Where nobody came before the test has ended: one that is closed. */
static struct line *
line_of(struct peer *peer)
{
	return peer->n > 0 ? peer->lines[peer->at] : &peer->nobody;
}

/* Those that bring nothing have none. */
static int
number_of(struct peer *peer)
{
	struct line *line = line_of(peer);

	if (line->number == 0)
		line->number = ++peer->n_named;
	return line->number;
}

/* More bytes. False: its end, or that of the test. */
static bool
fill(struct peer *peer)
{
	struct line *line = line_of(peer);
	ssize_t n;

	if (line->have == sizeof line->head || line->fd < 0 || !wait_for(peer, line->fd, POLLIN))
		return false;
	n = recv(line->fd, line->head + line->have, sizeof line->head - line->have, 0);
	if (n <= 0)
		return false;
	line->have += (size_t)n;
	return true;
}

static void
use(struct line *line, size_t n)
{
	line->have -= n;
	memmove(line->head, line->head + n, line->have);
}

/* Up to and with `end`. 0: it does not come. */
static size_t
find(struct peer *peer, const char *end)
{
	struct line *line = line_of(peer);
	const char *at;

	while ((at = memmem(line->head, line->have, end, strlen(end))) == NULL)
		if (!fill(peer))
			return 0;
	return (size_t)(at - line->head) + strlen(end);
}

static void
take_head(struct line *line, size_t n)
{
	const char *length;
	char saved = line->head[n - 1];

	line->head[n - 1] = '\0';
	snprintf(line->what, sizeof line->what, "%.*s", (int)strcspn(line->head, "\r"), line->head);
	line->what[strlen(line->what) > 9 ? strlen(line->what) - 9 : 0] = '\0'; /* " HTTP/1.1" */
	line->is_chunked = strcasestr(line->head, "\ntransfer-encoding: chunked") != NULL;
	length = strcasestr(line->head, "\ncontent-length: ");
	line->left = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
	line->head[n - 1] = saved;
	line->size = 0;
	line->is_in_chunks = false;
	line->trailer[0] = '\0';
	line->is_pattern = line->is_in_body = true;
	use(line, n);
}

bool
peer_read_head(struct peer *peer)
{
	size_t n;

	do { /* what was closed in place of a request is none */
		if (!choose(peer))
			return false;
		n = find(peer, "\r\n\r\n");
		if (n == 0)
			peer_close(peer);
	} while (n == 0);
	take_head(line_of(peer), n);
	return true;
}

static void
note_bytes(struct line *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		line->is_pattern = line->is_pattern && line->head[i] == (char)('a' + line->size % 23);
		if (line->size < SHOWN_MAX)
			line->shown[line->size] = line->head[i];
		line->size++;
	}
	use(line, n);
}

static bool
read_bytes(struct peer *peer, size_t n)
{
	struct line *line = line_of(peer);

	while (n > 0) {
		size_t some = line->have < n ? line->have : n;

		note_bytes(line, some);
		n -= some;
		if (n > 0 && !fill(peer))
			return false;
	}
	return true;
}

/* Reads the line that says how long the next chunk is, and the end of the one before. */
static bool
next_chunk(struct peer *peer)
{
	struct line *line = line_of(peer);
	size_t n;

	if (line->is_in_chunks) {
		if (find(peer, "\r\n") != 2)
			return false;
		use(line, 2);
	}
	n = find(peer, "\r\n");
	if (n == 0)
		return false;
	line->is_in_chunks = true;
	line->left = strtoul(line->head, NULL, 16);
	use(line, n);
	return true;
}

void
peer_read_bytes(struct peer *peer, size_t n)
{
	struct line *line = line_of(peer);

	while (n > 0) {
		size_t some;

		if (line->is_chunked && line->left == 0 && !next_chunk(peer))
			return;
		some = line->left < n ? line->left : n;
		if (some == 0 || !read_bytes(peer, some))
			return;
		line->left -= some;
		n -= some;
	}
}

static bool
read_trailer(struct peer *peer)
{
	struct line *line = line_of(peer);
	size_t n;

	while ((n = find(peer, "\r\n")) > 2) {
		size_t had = strlen(line->trailer);

		snprintf(line->trailer + had, sizeof line->trailer - had, " %.*s", (int)n - 2, line->head);
		use(line, n);
	}
	if (n != 2)
		return false;
	use(line, 2);
	return true;
}

static bool
read_chunks(struct peer *peer)
{
	struct line *line = line_of(peer);

	do
		if (!read_bytes(peer, line->left) || !next_chunk(peer))
			return false;
	while (line->left > 0);
	return read_trailer(peer);
}

static void
note(struct peer *peer, bool is_whole)
{
	struct line *line = line_of(peer);

	buf_addf(&peer->log, "%d %s ", number_of(peer), line->what);
	if (line->size > SHOWN_MAX)
		buf_addf(&peer->log, "%d %s bytes", (int)line->size, line->is_pattern ? "good" : "bad");
	else
		buf_add(&peer->log, line->shown, line->size);
	buf_add_text(&peer->log, line->trailer);
	buf_add_text(&peer->log, is_whole ? "\n" : "...\n");
	line->is_in_body = false;
}

bool
peer_read(struct peer *peer)
{
	bool is_whole;

	if (!line_of(peer)->is_in_body && !peer_read_head(peer))
		return false;
	is_whole = line_of(peer)->is_chunked ? read_chunks(peer) : read_bytes(peer, line_of(peer)->left);
	note(peer, is_whole);
	return is_whole;
}

void
peer_read_end(struct peer *peer)
{
	struct line *line = line_of(peer);

	if (line->is_in_body)
		peer_read(peer);
	line->have = 0;
	while (fill(peer))
		line->have = 0;
	buf_addf(&peer->log, "%d closed\n", number_of(peer));
}

/* -- saying ------------------------------------------------------------------------------------------- */

static void
say(struct peer *peer, const char *data, size_t len)
{
	struct line *line = line_of(peer);

	while (len > 0 && line->fd >= 0 && wait_for(peer, line->fd, POLLOUT)) {
		ssize_t n = send(line->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

void
peer_say(struct peer *peer, const char *text)
{
	say(peer, text, strlen(text));
}

void
peer_say_many(struct peer *peer, char what, size_t n)
{
	char *text = malloc(n);

	memset(text, what, n);
	say(peer, text, n);
	free(text);
}

void
peer_close(struct peer *peer)
{
	struct line *line = line_of(peer);

	if (line->fd >= 0)
		close(line->fd);
	line->fd = -1;
	line->have = 0;
	line->is_in_body = false;
}

void
peer_reset(struct peer *peer)
{
	struct linger none = { .l_onoff = 1 };

	setsockopt(line_of(peer)->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	peer_close(peer);
}

/* poll() passes over what is no descriptor. */
void
peer_leave(struct peer *peer)
{
	close(peer->listener);
	peer->listener = -1;
}

void
peer_wait(struct peer *peer)
{
	uint64_t n;

	if (wait_for(peer, peer->go, POLLIN) && read(peer->go, &n, sizeof n) < 0)
		abort();
}

void
peer_tell(struct peer *peer)
{
	mailbox_post(peer->box, peer->mail, 1);
}

/* -- ready-made scripts ------------------------------------------------------------------------------- */

void
peer_answers(struct peer *peer, const void *arg)
{
	while (peer_read(peer))
		peer_say(peer, arg);
}

void
peer_resets(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_reset(peer);
}

void
peer_floods(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_say(peer, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 300; i++) {
		peer_say(peer, "X: ");
		peer_say_many(peer, 'x', 1000);
		peer_say(peer, "\r\n");
	}
	peer_read_end(peer);
}

void
peer_says(struct peer *peer, const void *arg)
{
	peer_read(peer);
	peer_say(peer, arg);
	peer_close(peer);
}

void
peer_says_early(struct peer *peer, const void *arg)
{
	peer_read_head(peer);
	peer_read_bytes(peer, 10);
	peer_say(peer, arg);
	peer_read_end(peer);
}

void
peer_owes(struct peer *peer, const void *arg)
{
	(void)arg;
	peer_read(peer);
	peer_tell(peer);
	peer_read_end(peer);
}

/* -- the test's side ---------------------------------------------------------------------------------- */

static void *
run(void *arg)
{
	struct peer *peer = arg;

	peer->script(peer, peer->arg);
	return NULL;
}

struct peer *
peer_start_deaf(void)
{
	struct peer *peer = calloc(1, sizeof *peer);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	peer->ended = eventfd(0, EFD_CLOEXEC);
	peer->nobody.fd = -1;
	peer->go = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
	if (bind(peer->listener, (struct sockaddr *)&at, len) != 0 ||
		getsockname(peer->listener, (struct sockaddr *)&at, &len) != 0)
		abort();
	snprintf(peer->url, sizeof peer->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
	return peer;
}

bool
peer_listen(struct peer *peer, peer_script script, const void *arg)
{
	peer->script = script;
	peer->arg = arg;
	peer->has_thread = listen(peer->listener, 16) == 0 && pthread_create(&peer->thread, NULL, run, peer) == 0;
	return peer->has_thread;
}

struct peer *
peer_start(peer_script script, const void *arg, struct mailbox *box, struct mail *mail)
{
	struct peer *peer = peer_start_deaf();

	peer->box = box;
	peer->mail = mail;
	if (!peer_listen(peer, script, arg))
		abort();
	return peer;
}

char *
peer_url(struct peer *peer)
{
	return peer->url;
}

static void
add_one(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof one) != (ssize_t)sizeof one)
		abort();
}

void
peer_go(struct peer *peer)
{
	add_one(peer->go);
}

void
peer_stop(struct peer *peer)
{
	add_one(peer->ended);
}

const char *
peer_join(struct peer *peer)
{
	if (peer->has_thread)
		pthread_join(peer->thread, NULL);
	peer->has_thread = false;
	return buf_str(&peer->log).len > 0 ? peer->log.data : "";
}

void
peer_end(struct peer *peer)
{
	if (peer == NULL)
		return;
	add_one(peer->ended);
	peer_join(peer);
	for (size_t i = 0; i < peer->n; i++) {
		peer->at = i;
		peer_close(peer);
		free(peer->lines[i]);
	}
	buf_free(&peer->log);
	if (peer->listener >= 0)
		close(peer->listener);
	close(peer->ended);
	close(peer->go);
	free(peer);
}
