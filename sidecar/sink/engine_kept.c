// SPDX-License-Identifier: MIT
/* engine_kept.c - see engine_kept.h. libcurl does not say which socket a request is about to go over, but it says the port. */
#include "sink/engine_kept.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int
port_of(int fd)
{
	struct sockaddr_storage own = { 0 };
	socklen_t len = sizeof own;

	if (getsockname(fd, (struct sockaddr *)&own, &len) != 0)
		return 0;
	if (own.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&own)->sin_port);
	if (own.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&own)->sin6_port);
	return 0;
}

void
engine_kept_remove(struct engine_kept *kept, int fd)
{
	for (size_t i = 0; i < kept->n; i++)
		if (kept->sockets[i].fd == fd)
			kept->sockets[i--] = kept->sockets[--kept->n];
}

void
engine_kept_add(struct engine_kept *kept, int fd)
{
	engine_kept_remove(kept, fd);
	if (kept->n < ENGINE_KEPT_MAX)
		kept->sockets[kept->n++] = (struct kept_socket){ .fd = fd, .own_port = port_of(fd) };
}

static bool
has_bytes(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool
engine_kept_has_stray(const struct engine_kept *kept, int own_port)
{
	for (size_t i = 0; i < kept->n; i++)
		if (kept->sockets[i].own_port == (own_port > 0 ? own_port : 0) && has_bytes(kept->sockets[i].fd))
			return true;
	return false;
}
