// SPDX-License-Identifier: MIT
/* drain.c - the upstream of tests/bench: reads HTTP/1.1 requests on loopback, throws the bodies away and
 * answers 201, or what S3 would answer if it is signed as S3's requests are. A GET is told how many bytes and what calls of S3's
 * there have been. One thread, epoll, keep-alive. First argument: the port (0: any; it is printed). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

#define BUFFER (1 << 20)
#define LINE 16384

enum state { HEAD, FIXED, CHUNK_LINE, CHUNK_DATA, CHUNK_END, TRAILER };

struct peer {
	int fd;
	enum state state;
	const char *answer;
	uint64_t *counter; /* of what it asks; NULL: of nothing */
	uint64_t left;
	size_t n;        /* bytes in line */
	char line[LINE]; /* a head, or a chunk line */
};

static char buffer[BUFFER];
static uint64_t n_bytes, n_puts, n_parts, n_creates, n_completes,
	n_deletes; /* of whole requests of S3's, and bytes of any */

#define S3_OK "HTTP/1.1 200 OK\r\nETag: \"d41d8cd98f00b204e9800998ecf8427e\"\r\n"
#define S3_XMLNS "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static const char created[] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
static const char s3_stored[] = S3_OK "Content-Length: 0\r\n\r\n";
static const char s3_gone[] = "HTTP/1.1 204 No Content\r\n\r\n";
static const char s3_created[] = S3_OK "Content-Length: 133\r\n\r\n<InitiateMultipartUploadResult " S3_XMLNS
				       "><UploadId>1</UploadId></InitiateMultipartUploadResult>";
static const char s3_completed[] = S3_OK "Content-Length: 125\r\n\r\n<CompleteMultipartUploadResult " S3_XMLNS
					 "><ETag>1</ETag></CompleteMultipartUploadResult>";

static const char *
told(void)
{
	static char text[512];
	char body[256];
	int n = snprintf(body, sizeof body,
		"{\"bytes\": %" PRIu64 ", \"puts\": %" PRIu64 ", \"parts\": %" PRIu64 ", \"creates\": %" PRIu64
		", \"completes\": %" PRIu64 ", \"deletes\": %" PRIu64 "}\n",
		n_bytes, n_puts, n_parts, n_creates, n_completes, n_deletes);

	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, body);
	return text;
}

static uint64_t *
counter_of(const char *head, size_t line)
{
	if (head[0] == 'D')
		return &n_deletes;
	if (head[0] == 'P' && head[1] == 'U')
		return memmem(head, line, "partNumber=", 11) != NULL ? &n_parts : &n_puts;
	return memmem(head, line, "?uploads", 8) != NULL ? &n_creates : &n_completes;
}

static const char *
answer_to(const char *head, uint64_t **counter)
{
	size_t line = strcspn(head, "\r\n");

	*counter = NULL;
	if (head[0] == 'G')
		return told();
	if (strcasestr(head, "\nauthorization: aws4-") == NULL)
		return created;
	*counter = counter_of(head, line);
	if (*counter == &n_deletes)
		return s3_gone;
	if (*counter == &n_puts || *counter == &n_parts)
		return s3_stored;
	return *counter == &n_creates ? s3_created : s3_completed;
}

static void
answer(struct peer *peer)
{
	if (send(peer->fd, peer->answer, strlen(peer->answer), MSG_NOSIGNAL) < 0)
		return;
	if (peer->counter != NULL)
		++*peer->counter;
	peer->state = HEAD;
	peer->n = 0;
}

/* Copies up to and with the next '\n'. True: the line is whole. */
static bool
take_line(struct peer *peer, const char **p, const char *end)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	size_t n = (size_t)((nl != NULL ? nl + 1 : end) - *p);

	if (n > LINE - 1 - peer->n)
		n = LINE - 1 - peer->n;
	memcpy(peer->line + peer->n, *p, n);
	peer->n += n;
	peer->line[peer->n] = '\0';
	*p += n;
	return nl != NULL;
}

static void
on_head(struct peer *peer)
{
	const char *length = strcasestr(peer->line, "\ncontent-length:");

	if (strcasestr(peer->line, "\nexpect:") != NULL)
		(void)!send(peer->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
	peer->answer = answer_to(peer->line, &peer->counter);
	peer->left = length != NULL ? strtoull(length + 16, NULL, 10) : 0;
	peer->state = strcasestr(peer->line, "\ntransfer-encoding:") != NULL ? CHUNK_LINE : FIXED;
	peer->n = 0;
	if (peer->state == FIXED && peer->left == 0)
		answer(peer);
}

static void
skip(struct peer *peer, const char **p, const char *end)
{
	uint64_t n = (uint64_t)(end - *p) < peer->left ? (uint64_t)(end - *p) : peer->left;

	*p += n;
	peer->left -= n;
	n_bytes += n;
}

static void
on_line(struct peer *peer)
{
	if (peer->state == HEAD) {
		if (peer->n >= 4 && memcmp(peer->line + peer->n - 4, "\r\n\r\n", 4) == 0)
			on_head(peer);
		return;
	}
	if (peer->state == CHUNK_LINE) {
		peer->left = strtoull(peer->line, NULL, 16);
		peer->state = peer->left > 0 ? CHUNK_DATA : TRAILER;
	} else if (peer->state == CHUNK_END) {
		peer->state = CHUNK_LINE;
	} else if (peer->n <= 2) {
		answer(peer);
	}
	peer->n = 0;
}

static void
take(struct peer *peer, const char *p, const char *end)
{
	while (p < end) {
		if (peer->state == FIXED || peer->state == CHUNK_DATA) {
			skip(peer, &p, end);
			if (peer->left > 0)
				continue;
			if (peer->state == FIXED)
				answer(peer);
			else
				peer->state = CHUNK_END;
		} else if (take_line(peer, &p, end)) {
			on_line(peer);
		}
	}
}

static int
listen_on(unsigned port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t len = sizeof addr;
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, 4096) != 0) {
		perror("drain");
		exit(1);
	}
	getsockname(fd, (struct sockaddr *)&addr, &len);
	printf("%u\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}

static void
accept_all(int epoll, int listener)
{
	int fd, on = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct peer *peer = calloc(1, sizeof *peer);
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };

		if (peer == NULL)
			exit(1);
		peer->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static void
on_ready(struct peer *peer)
{
	ssize_t n = recv(peer->fd, buffer, sizeof buffer, 0);

	if (n > 0) {
		take(peer, buffer, buffer + n);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(peer->fd);
	free(peer);
}

int
main(int argc, char **argv)
{
	int listener = listen_on(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0), epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL }, ready[64];

	signal(SIGPIPE, SIG_IGN);
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(epoll, ready, 64, -1);

		for (int i = 0; i < n; i++) {
			if (ready[i].data.ptr == NULL)
				accept_all(epoll, listener);
			else
				on_ready(ready[i].data.ptr);
		}
	}
}
