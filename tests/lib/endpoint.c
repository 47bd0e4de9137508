// SPDX-License-Identifier: MIT
/* endpoint.c - see endpoint.h. */
#include "lib/endpoint.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUTE_MAX 16

struct endpoint {
	endpoint_answer *on_request;
	void *arg;
	int listening;
	pthread_t thread;
	char url[64];
	int mute[MUTE_MAX]; /* connections that wait for an answer */
	size_t n_mute;
};

static size_t
length_of_body(const char *head)
{
	const char *line = strcasestr(head, "\r\nContent-Length:");

	return line != NULL ? strtoul(line + 17, NULL, 10) : 0;
}

/* Is there all of it? */
static int
is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");

	return end != NULL && strlen(end + 4) >= length_of_body(request);
}

static void
serve(struct endpoint *e, int fd)
{
	struct buf request = { 0 }, answer = { 0 };
	char piece[4096];
	ssize_t n;

	while ((request.len == 0 || !is_whole(request.data)) && (n = read(fd, piece, sizeof piece)) > 0)
		buf_add(&request, piece, (size_t)n);
	if (request.len > 0 && is_whole(request.data)) {
		e->on_request(e->arg, request.data, &answer);
		if (answer.len == 0 && e->n_mute < MUTE_MAX)
			e->mute[e->n_mute++] = fd;
		else if (write(fd, answer.data, answer.len) != (ssize_t)answer.len)
			perror("endpoint");
	}
	if (e->n_mute == 0 || e->mute[e->n_mute - 1] != fd)
		close(fd);
	buf_free(&request);
	buf_free(&answer);
}

static void *
run(void *arg)
{
	struct endpoint *e = arg;
	int fd;

	while ((fd = accept(e->listening, NULL, NULL)) >= 0)
		serve(e, fd);
	return NULL;
}

static int
listen_somewhere(struct endpoint *e)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	e->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (e->listening < 0 || bind(e->listening, (struct sockaddr *)&at, sizeof at) != 0 ||
		listen(e->listening, 16) != 0 || getsockname(e->listening, (struct sockaddr *)&at, &len) != 0)
		return -1;
	snprintf(e->url, sizeof e->url, "http://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
	return 0;
}

struct endpoint *
endpoint_start(endpoint_answer *on_request, void *arg)
{
	struct endpoint *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	e->on_request = on_request;
	e->arg = arg;
	if (listen_somewhere(e) == 0 && pthread_create(&e->thread, NULL, run, e) == 0)
		return e;
	if (e->listening >= 0)
		close(e->listening);
	free(e);
	return NULL;
}

void
endpoint_stop(struct endpoint *e)
{
	shutdown(e->listening, SHUT_RDWR); /* accept() returns */
	pthread_join(e->thread, NULL);
	for (size_t i = 0; i < e->n_mute; i++)
		close(e->mute[i]);
	close(e->listening);
	free(e);
}

const char *
endpoint_url(const struct endpoint *e)
{
	return e->url;
}

void
endpoint_say(struct buf *answer, unsigned status, const char *body)
{
	buf_addf(answer, "HTTP/1.1 %u x\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
		strlen(body), body);
}
