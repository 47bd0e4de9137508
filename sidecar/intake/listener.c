// SPDX-License-Identifier: MIT
/* listener.c - see listener.h. */
#include "intake/listener.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

struct made_socket {
	char *path; /* NULL: not a unix socket */
	ino_t inode;
};

/* A struct listen of the configuration is a parameter nearly everywhere here, so listen(2) has a name of
 * its own. */
static int
listen_on(int fd)
{
	return listen(fd, BACKLOG);
}

static int
dup_of(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int
fail_close(int fd, struct error *err, const struct listen *listen, const char *what)
{
	error_set(err, ERR_SYSTEM, "%s:%u: listen \"%s\": %s: %s", listen->place.file, listen->place.line,
		listen->source, what, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
bind_tcp(const struct listen *listen, const struct addrinfo *ai, struct error *err)
{
	int on = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail_close(fd, err, listen, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
		return fail_close(fd, err, listen, "SO_REUSEPORT");
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		return fail_close(fd, err, listen, "bind");
	if (listen_on(fd) < 0)
		return fail_close(fd, err, listen, "listen");
	return fd;
}

/* `port` is not the one of the file where that is 0: then all workers share the port that the first got. */
static int
open_tcp(const struct listen *listen, const char *port, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	int fd, rc = getaddrinfo(listen->host[0] != '\0' ? listen->host : NULL, port, &hints, &list);

	if (rc != 0) {
		error_set(err, ERR_SYSTEM, "%s:%u: listen \"%s\": %s", listen->place.file, listen->place.line,
			listen->source, gai_strerror(rc));
		return -1;
	}
	fd = bind_tcp(listen, list, err);
	freeaddrinfo(list);
	return fd;
}

static void
fill_unix(struct sockaddr_un *addr, const struct listen *listen)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(addr->sun_path, sizeof addr->sun_path, "%s", listen->unix_socket);
}

/* Does somebody answer on it? Then it is not ours to replace. */
static bool
is_live(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool live = fd >= 0 && connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0;

	if (fd >= 0)
		close(fd);
	return live;
}

/* 0: it is not a socket, or not there. */
static ino_t
inode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

static int
open_unix(const struct listen *listen, struct error *err)
{
	struct sockaddr_un addr;
	int fd;

	fill_unix(&addr, listen);
	if (inode_of(addr.sun_path) != 0) {
		errno = EADDRINUSE;
		if (is_live(&addr))
			return fail_close(-1, err, listen, "bind");
		unlink(addr.sun_path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_close(fd, err, listen, "socket");
	if (bind(fd, (const struct sockaddr *)&addr, sizeof addr) < 0)
		return fail_close(fd, err, listen, "bind");
	if (listen_on(fd) < 0)
		return fail_close(fd, err, listen, "listen");
	return fd;
}

static bool
port_of(int fd, char *out, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;

	return getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
		getnameinfo((struct sockaddr *)&addr, len, NULL, 0, out, (socklen_t)size, NI_NUMERICSERV) == 0;
}

static bool
open_for_workers(struct listeners *listeners, size_t i, struct error *err)
{
	const struct listen *listen = &listeners->listen[i];
	char port[16];

	for (size_t w = 0; w < listeners->n_workers; w++) {
		int *fd = &listeners->fds[w * listeners->n_listen + i];

		if (listen->unix_socket != NULL)
			*fd = w == 0 ? open_unix(listen, err) : dup_of(listeners->fds[i]);
		else
			*fd = open_tcp(listen, w == 0 ? listen->port : port, err);
		if (*fd < 0)
			return error_set(err, ERR_SYSTEM, "listen \"%s\": %s", listen->source, strerror(errno));
		if (w == 0 && listen->unix_socket == NULL && !port_of(*fd, port, sizeof port))
			return error_set(err, ERR_SYSTEM, "listen \"%s\": no port", listen->source);
	}
	if (listen->unix_socket == NULL)
		return true;
	listeners->made[i] = (struct made_socket){ str_dup(str_of(listen->unix_socket)),
		inode_of(listen->unix_socket) };
	return listeners->made[i].path != NULL ? true : error_set(err, ERR_NOMEM, "out of memory");
}

bool
listeners_open(
	struct listeners *listeners, const struct listen *listen, size_t n, size_t n_workers, struct error *err)
{
	*listeners = (struct listeners){ .n_workers = n_workers, .n_listen = n, .listen = listen };
	listeners->fds = mem_array(n_workers * n, sizeof(int));
	listeners->made = mem_array(n, sizeof *listeners->made);
	if (listeners->fds == NULL || listeners->made == NULL) {
		listeners_close(listeners);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	for (size_t i = 0; i < n_workers * n; i++)
		listeners->fds[i] = -1;
	for (size_t i = 0; i < n; i++)
		if (!open_for_workers(listeners, i, err)) {
			listeners_close(listeners);
			return false;
		}
	listeners->listen = NULL;
	return true;
}

/* Another penstock may have put its own socket there meanwhile: that one stays. */
static void
remove_unix_sockets(const struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->n_listen; i++) {
		const struct made_socket *made = &listeners->made[i];

		if (made->path != NULL && made->inode != 0 && inode_of(made->path) == made->inode)
			unlink(made->path);
		mem_free(made->path);
	}
}

void
listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; listeners->fds != NULL && i < listeners->n_workers * listeners->n_listen; i++)
		if (listeners->fds[i] >= 0)
			close(listeners->fds[i]);
	if (listeners->made != NULL)
		remove_unix_sockets(listeners);
	mem_free(listeners->fds);
	mem_free(listeners->made);
	*listeners = (struct listeners){ 0 };
}

static void
name_tcp(int fd, char *out, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;
	char host[64] = "?", port[16] = "?";

	if (getsockname(fd, (struct sockaddr *)&addr, &len) == 0)
		getnameinfo((struct sockaddr *)&addr, len, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, size, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
}

void
listener_name(int fd, const struct listen *listen, char *out, size_t size)
{
	if (listen->unix_socket != NULL)
		snprintf(out, size, "unix:%s", listen->unix_socket);
	else
		name_tcp(fd, out, size);
}
