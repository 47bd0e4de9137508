// SPDX-License-Identifier: MIT
/* healthcheck.c - see healthcheck.h. Blocking calls under one alarm: a health check that hangs is worse than one that fails. */
#include "cmd/healthcheck.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX 65536u

static void
on_alarm(int signal_number)
{
	static const char text[] = "penstock: no answer within 2 s\n";

	(void)signal_number;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
		/* nowhere left to say so */
	}
	_exit(1);
}

static int
fail(int fd, const struct listen *to, struct error *err)
{
	error_set(err, ERR_SYSTEM, "admin \"%s\": %s", to->source, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
connect_unix(const struct listen *to, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", to->unix_socket);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof addr) != 0)
		return fail(fd, to, err);
	return fd;
}

/* Without AI_PASSIVE an absent host means this machine, which is also where a penstock that listens on any address is reached. */
static const char *
host_of(const struct listen *to)
{
	bool is_any = to->host[0] == '\0' || strcmp(to->host, "0.0.0.0") == 0 || strcmp(to->host, "::") == 0;

	return is_any ? NULL : to->host;
}

static int
connect_first(const struct addrinfo *list)
{
	int fd = -1;

	for (const struct addrinfo *ai = list; ai != NULL && fd < 0; ai = ai->ai_next) {
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
			int error = errno;

			close(fd);
			errno = error;
			fd = -1;
		}
	}
	return fd;
}

static int
connect_tcp(const struct listen *to, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *list = NULL;
	int fd, rc = getaddrinfo(host_of(to), to->port, &hints, &list);

	if (rc != 0) {
		error_set(err, ERR_SYSTEM, "admin \"%s\": %s", to->source, gai_strerror(rc));
		return -1;
	}
	fd = connect_first(list);
	if (fd < 0)
		fail(fd, to, err);
	freeaddrinfo(list);
	return fd;
}

static bool
exchange(int fd, const char *path, struct buf *answer)
{
	struct buf question = { 0 };
	char piece[4096];
	ssize_t n;
	bool sent;

	buf_addf(&question, "GET %s HTTP/1.1\r\nHost: penstock\r\nConnection: close\r\n\r\n", path);
	sent = !question.failed && send(fd, question.data, question.len, MSG_NOSIGNAL) == (ssize_t)question.len;
	buf_free(&question);
	while (sent && answer->len < ANSWER_MAX && (n = recv(fd, piece, sizeof piece, 0)) > 0)
		buf_add(answer, piece, (size_t)n);
	return sent && !answer->failed;
}

/* Reads "HTTP/1.1 503 ..." and, behind an empty line, the reasons. */
static enum healthcheck_result
read_answer(const struct buf *answer, struct buf *out, struct error *err)
{
	const char *end = answer->len > 0 ? strstr(answer->data, "\r\n\r\n") : NULL;
	uint64_t status = 0;

	if (end == NULL || !str_starts_nocase(buf_str(answer), "HTTP/1.") || answer->len < 12 ||
		!str_to_u64((struct str){ answer->data + 9, 3 }, &status)) {
		error_set(err, ERR_SYSTEM, "what listens there does not answer in HTTP");
		return HEALTHCHECK_NOBODY;
	}
	buf_add_text(out, end + 4);
	return status == 200 ? HEALTHCHECK_GOOD : HEALTHCHECK_BAD;
}

enum healthcheck_result
healthcheck(const struct admin *admin, const char *path, struct buf *out, struct error *err)
{
	const struct listen *to = &admin->listen[0];
	enum healthcheck_result result = HEALTHCHECK_NOBODY;
	struct buf answer = { 0 };
	int fd;

	signal(SIGALRM, on_alarm);
	alarm(HEALTHCHECK_SECONDS);
	fd = to->unix_socket != NULL ? connect_unix(to, err) : connect_tcp(to, err);
	if (fd < 0)
		return HEALTHCHECK_NOBODY;
	if (exchange(fd, path, &answer))
		result = read_answer(&answer, out, err);
	else
		error_set(err, ERR_SYSTEM, "admin \"%s\": the connection broke", to->source);
	buf_free(&answer);
	close(fd);
	return result;
}
