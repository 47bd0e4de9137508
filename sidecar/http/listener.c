// SPDX-License-Identifier: MIT
/* listener.c - see listener.h. */
#include "http/listener.h"

#include "base/mem.h"
#include "http/listener_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

struct bound {
	char name[160];
	char *path; /* of the unix socket that was made; NULL: none */
	ino_t inode;
};

static bool is_taking_over;

bool
listener_is_taking_over(void)
{
	return is_taking_over;
}

/* A struct listen of the configuration is a parameter nearly everywhere here, so listen(2) has a name of
 * its own. */
int
listener_begin(int fd)
{
	return listen(fd, BACKLOG);
}

static int
dup_of(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int
listener_fail_close(int fd, struct error *err, const struct listen *listen, const char *what, const char *why)
{
	error_set(err, ERR_SYSTEM, "%s:%u: listen \"%s\": %s%s", listen->place.file, listen->place.line,
		listen->source, what, why);
	if (fd >= 0)
		close(fd);
	return -1;
}

int
listener_fail_in_use(int fd, struct error *err, const struct listen *listen)
{
	return listener_fail_close(fd, err, listen, "in use: somebody listens there already",
		is_taking_over ? ", who does not share it: another program, or another user's penstock"
			       : "; `penstock run --take-over` takes over from a penstock that runs");
}

/* -- TCP ---------------------------------------------------------------------------------------------- */

static bool
is_any(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr);
	return ((const struct sockaddr_in *)(const void *)addr)->sin_addr.s_addr == INADDR_ANY;
}

static bool
is_same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
			&((const struct sockaddr_in6 *)(const void *)b)->sin6_addr);
	return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr ==
		((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
}

/* The port stands at the same place in both families. */
static in_port_t
port_number(const struct sockaddr *addr)
{
	return ((const struct sockaddr_in *)(const void *)addr)->sin_port;
}

/* Is it we who listen there: on every address ("0.0.0.0:80" beside "[::]:80"), or by another name of the same one? */
static bool
is_ours(const struct listeners *listeners, const struct addrinfo *ai)
{
	struct sockaddr_storage bound;
	socklen_t len;
	bool found = false;

	for (size_t i = 0; i < listeners->n_listen && !found; i++) {
		const struct sockaddr *addr = (const struct sockaddr *)&bound;

		len = sizeof bound;
		if (listeners->fds[i] < 0 || getsockname(listeners->fds[i], (struct sockaddr *)&bound, &len) < 0 ||
			(addr->sa_family != AF_INET && addr->sa_family != AF_INET6))
			continue;
		found = port_number(addr) == port_number(ai->ai_addr) &&
			(is_any(addr) || is_any(ai->ai_addr) || is_same_host(addr, ai->ai_addr));
	}
	return found;
}

/* Sockets may share an address if each says so before it is bound, and all are one user's. One that does not say it gets the
 * address alone or not at all; the kernel settles that when it begins to listen, so of two that start at once one is refused. It
 * may be shared from then on. -1: errno says why. */
static int
bind_tcp(const struct addrinfo *ai, bool share)
{
	int on = 1, error, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if ((!share || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
		bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listener_begin(fd) == 0 &&
		(share || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* `port` is NULL for the first worker; the others share what that one got. */
static int
open_tcp(const struct listeners *listeners, const struct listen *listen, const char *port, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	bool share = port != NULL || is_taking_over;
	int fd,
		rc = getaddrinfo(listen->host[0] != '\0' ? listen->host : NULL,
			share && port != NULL ? port : listen->port, &hints, &list);

	if (rc != 0)
		return listener_fail_close(-1, err, listen, gai_strerror(rc), "");
	fd = bind_tcp(list, share);
	if (fd < 0 && errno == EADDRINUSE && !share && is_ours(listeners, list))
		fd = bind_tcp(list, true);
	freeaddrinfo(list);
	if (fd >= 0)
		return fd;
	return errno == EADDRINUSE ? listener_fail_in_use(-1, err, listen)
				   : listener_fail_close(-1, err, listen, strerror(errno), "");
}

/* -- all of them -------------------------------------------------------------------------------------- */

static bool
port_of(int fd, char *out, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;

	return getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
		getnameinfo((struct sockaddr *)&addr, len, NULL, 0, out, (socklen_t)size, NI_NUMERICSERV) == 0;
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

/* Where the first worker's is bound. */
static bool
note_place(struct listeners *listeners, size_t i, struct error *err)
{
	const struct listen *listen = &listeners->listen[i];
	struct bound *bound = &listeners->bounds[i];

	if (listen->unix_socket == NULL) {
		name_tcp(listeners->fds[i], bound->name, sizeof bound->name);
		return true;
	}
	snprintf(bound->name, sizeof bound->name, "unix:%s", listen->unix_socket);
	bound->inode = listener_inode_of(listen->unix_socket);
	bound->path = str_dup(str_of(listen->unix_socket));
	return bound->path != NULL ? true : error_nomem(err);
}

static int
open_one(const struct listeners *listeners, size_t i, const char *port, struct error *err)
{
	const struct listen *listen = &listeners->listen[i];
	int fd;

	if (listen->unix_socket == NULL)
		return open_tcp(listeners, listen, port, err);
	if (port == NULL)
		return listener_open_unix(listen, err);
	fd = dup_of(listeners->fds[i]);
	return fd >= 0 ? fd : listener_fail_close(-1, err, listen, strerror(errno), "");
}

static bool
open_for_workers(struct listeners *listeners, size_t i, struct error *err)
{
	char port[16] = "";

	for (size_t w = 0; w < listeners->n_workers; w++) {
		int *fd = &listeners->fds[w * listeners->n_listen + i];

		*fd = open_one(listeners, i, w == 0 ? NULL : port, err);
		if (*fd < 0)
			return false;
		if (w == 0 && listeners->listen[i].unix_socket == NULL && !port_of(*fd, port, sizeof port))
			return error_set(err, ERR_SYSTEM, "listen \"%s\": no port", listeners->listen[i].source);
	}
	return note_place(listeners, i, err);
}

void
listeners_take_over(void)
{
	is_taking_over = true;
}

bool
listeners_open(
	struct listeners *listeners, const struct listen *listen, size_t n, size_t n_workers, struct error *err)
{
	*listeners = (struct listeners){ .n_workers = n_workers, .n_listen = n, .listen = listen };
	listeners->fds = mem_array(n_workers * n, sizeof(int));
	listeners->bounds = mem_array(n, sizeof *listeners->bounds);
	if (listeners->fds == NULL || listeners->bounds == NULL) {
		listeners_close(listeners);
		return error_nomem(err);
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
		const struct bound *bound = &listeners->bounds[i];

		if (bound->path != NULL && bound->inode != 0 && listener_inode_of(bound->path) == bound->inode)
			unlink(bound->path);
		mem_free(bound->path);
	}
}

void
listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; listeners->fds != NULL && i < listeners->n_workers * listeners->n_listen; i++)
		if (listeners->fds[i] >= 0)
			close(listeners->fds[i]);
	if (listeners->bounds != NULL)
		remove_unix_sockets(listeners);
	mem_free(listeners->fds);
	mem_free(listeners->bounds);
	*listeners = (struct listeners){ 0 };
}

const char *
listeners_name(const struct listeners *listeners, size_t i)
{
	return listeners->bounds[i].name;
}
