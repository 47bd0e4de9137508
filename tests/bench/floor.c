// SPDX-License-Identifier: MIT
/* floor.c PORT UPSTREAM - the floor of what a relay of forms costs: it receives, looks through every byte for what a delimiter begins
 * with, and sends the body on as it is, under a head of its own with the same length. It checks nothing. One thread, epoll, and
 * for each client a connection to the upstream, which is kept. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER 131072

/* What epoll names: one end of a pair. */
struct end {
	struct pair *pair;
	int fd;
	uint32_t wants;
};

struct pair {
	struct end client, upstream;
	uint64_t left;  /* of the body, that has not been received */
	size_t n, sent; /* of `bytes` */
	bool in_body, gone;
	struct pair *next_gone;
	char bytes[BUFFER + 128]; /* a head, or what goes on */
};

static int epoll, upstream_port;
static struct pair *gone;
static unsigned long delimiters; /* counted, so that looking is not left out */

static void
want(struct end *end, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = end };

	if (end->wants == events)
		return;
	epoll_ctl(epoll, end->wants == UINT32_MAX ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, end->fd, &event);
	end->wants = events;
}

/* It is freed after the round of events, one of which may still name it. */
static void
give_up(struct pair *pair)
{
	if (pair->gone)
		return;
	pair->gone = true;
	close(pair->client.fd);
	close(pair->upstream.fd);
	pair->next_gone = gone;
	gone = pair;
}

static void
free_gone(void)
{
	while (gone != NULL) {
		struct pair *next = gone->next_gone;

		free(gone);
		gone = next;
	}
}

static struct sockaddr_in
loopback(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return addr;
}

static void
add_pair(int client)
{
	struct sockaddr_in addr = loopback(upstream_port);
	struct pair *pair = calloc(1, sizeof *pair);
	int on = 1, upstream = socket(AF_INET, SOCK_STREAM, 0);

	if (pair == NULL || connect(upstream, (struct sockaddr *)&addr, sizeof addr) != 0) {
		perror("floor");
		exit(1);
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	pair->client = (struct end){ .pair = pair, .fd = client, .wants = UINT32_MAX };
	pair->upstream = (struct end){ .pair = pair, .fd = upstream, .wants = UINT32_MAX };
	want(&pair->client, EPOLLIN);
	want(&pair->upstream, EPOLLIN);
}

static void
look(const char *bytes, size_t n)
{
	const char *end = bytes + n - 3;

	while (bytes < end && (bytes = memchr(bytes, '\r', (size_t)(end - bytes))) != NULL) {
		delimiters += memcmp(bytes, "\r\n--", 4) == 0;
		bytes++;
	}
}

/* Puts the head that goes on in the place of the client's. False: the client's is not whole. */
static bool
turn_head(struct pair *pair)
{
	char head[128];
	const char *end = memmem(pair->bytes, pair->n, "\r\n\r\n", 4), *length;
	size_t body, n;

	if (end == NULL)
		return false;
	pair->bytes[pair->n] = '\0';
	length = strcasestr(pair->bytes, "\ncontent-length:");
	pair->left = length != NULL ? strtoull(length + 16, NULL, 10) : 0;
	n = (size_t)snprintf(head, sizeof head,
		"POST /upload HTTP/1.1\r\nHost: drain\r\nContent-Length: %llu\r\n\r\n",
		(unsigned long long)pair->left);
	body = pair->n - (size_t)(end + 4 - pair->bytes);
	look(end + 4, body);
	memmove(pair->bytes + n, end + 4, body);
	memcpy(pair->bytes, head, n);
	pair->n = n + body;
	pair->left -= body;
	pair->in_body = true;
	return true;
}

static void
pass_on(struct pair *pair)
{
	ssize_t n = send(
		pair->upstream.fd, pair->bytes + pair->sent, pair->n - pair->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN) {
		give_up(pair);
		return;
	}
	pair->sent += n > 0 ? (size_t)n : 0;
	if (pair->sent < pair->n) {
		want(&pair->client, 0);
		want(&pair->upstream, EPOLLIN | EPOLLOUT);
		return;
	}
	pair->n = pair->sent = 0;
	pair->in_body = pair->left > 0;
	want(&pair->client, EPOLLIN);
	want(&pair->upstream, EPOLLIN);
}

static void
on_client(struct pair *pair)
{
	ssize_t n = recv(pair->client.fd, pair->bytes + pair->n, BUFFER - pair->n, MSG_DONTWAIT);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			give_up(pair);
		return;
	}
	pair->n += (size_t)n;
	if (pair->in_body) {
		look(pair->bytes, pair->n);
		pair->left -= (uint64_t)n;
		pass_on(pair);
	} else if (turn_head(pair)) {
		pass_on(pair);
	}
}

/* Its answer is short, and goes to the client in one piece. */
static void
on_upstream(struct pair *pair)
{
	char answer[4096];
	ssize_t n = recv(pair->upstream.fd, answer, sizeof answer, MSG_DONTWAIT);

	if (n > 0)
		n = send(pair->client.fd, answer, (size_t)n, MSG_NOSIGNAL);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		give_up(pair);
}

static void
on_event(struct end *end, uint32_t events)
{
	struct pair *pair = end->pair;

	if (pair->gone)
		return;
	if (end == &pair->client)
		on_client(pair);
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		on_upstream(pair);
	if (!pair->gone && events & EPOLLOUT)
		pass_on(pair);
}

static int
listen_on(int port)
{
	struct sockaddr_in addr = loopback(port);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, 4096) != 0) {
		perror("floor");
		exit(1);
	}
	return fd;
}

static void
accept_all(int listener)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0)
		add_pair(fd);
}

int
main(int argc, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN }, ready[64];
	int listener;

	if (argc != 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	listener = listen_on((int)strtol(argv[1], NULL, 10));
	upstream_port = (int)strtol(argv[2], NULL, 10);
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(epoll, ready, 64, -1);

		for (int i = 0; i < n; i++) {
			if (ready[i].data.ptr == NULL)
				accept_all(listener);
			else
				on_event(ready[i].data.ptr, ready[i].events);
		}
		free_gone();
	}
}
