// SPDX-License-Identifier: MIT
/* engine_sockets.c - see engine_sockets.h. As many are loose as libcurl keeps, which is few: so they stand in a list.
 *
 * libcurl does not say which socket a request is about to go over, but it says the port. */
#include "sink/engine_sockets.h"

#include "base/mem.h"
#include "base/must.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
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

static void
loosen(struct engine_sockets *sockets, struct engine_socket *socket)
{
	socket->is_loose = true;
	socket->next = sockets->loose;
	sockets->loose = socket;
}

static struct engine_socket *
take_loose(struct engine_sockets *sockets, int fd)
{
	struct engine_socket **at = &sockets->loose, *socket;

	while (*at != NULL && (*at)->watch.fd != fd)
		at = &(*at)->next;
	socket = *at;
	if (socket == NULL)
		return NULL;
	*at = socket->next;
	socket->is_loose = false;
	return socket;
}

static struct engine_socket *
new_socket(int fd, bool is_made_here)
{
	struct engine_socket *socket = mem_zalloc(sizeof *socket);

	if (socket == NULL)
		return NULL;
	socket->watch.fd = fd;
	socket->own_port = -1;
	socket->is_made_here = is_made_here;
	return socket;
}

bool
engine_sockets_made(struct engine_sockets *sockets, int fd)
{
	struct engine_socket *socket = new_socket(fd, true);

	engine_sockets_close(sockets, fd);
	if (socket != NULL)
		loosen(sockets, socket);
	return socket != NULL;
}

void
engine_sockets_close(struct engine_sockets *sockets, int fd)
{
	struct engine_socket *socket = take_loose(sockets, fd);

	if (socket == NULL)
		return;
	loop_unwatch(sockets->loop, &socket->watch);
	mem_free(socket);
}

struct engine_socket *
engine_sockets_take(struct engine_sockets *sockets, int fd)
{
	struct engine_socket *socket = take_loose(sockets, fd);

	return socket != NULL ? socket : new_socket(fd, false);
}

static void
enter_changed(struct engine_sockets *sockets, struct engine_socket *socket)
{
	if (socket->link != NULL)
		return;
	socket->next_changed = sockets->changed;
	socket->link = &sockets->changed;
	if (socket->next_changed != NULL)
		socket->next_changed->link = &socket->next_changed;
	sockets->changed = socket;
}

static void
leave_changed(struct engine_socket *socket)
{
	if (socket->link == NULL)
		return;
	*socket->link = socket->next_changed;
	if (socket->next_changed != NULL)
		socket->next_changed->link = socket->link;
	socket->link = NULL;
}

bool
engine_sockets_watch(struct engine_sockets *sockets, struct engine_socket *socket, uint32_t epoll_events)
{
	struct error err = { 0 };

	socket->wanted = epoll_events;
	if (socket->watch.is_watched) {
		enter_changed(sockets, socket);
		return true;
	}
	socket->events = epoll_events;
	return loop_watch(sockets->loop, &socket->watch, epoll_events, &err);
}

struct engine_socket *
engine_sockets_settle(struct engine_sockets *sockets)
{
	struct engine_socket *socket;

	while ((socket = sockets->changed) != NULL) {
		leave_changed(socket);
		if (socket->events == socket->wanted)
			continue;
		socket->events = socket->wanted;
		if (!loop_rewatch(sockets->loop, &socket->watch, socket->events))
			return socket;
	}
	return NULL;
}

/* One that is watched for room would be ready at once. libcurl 7.88 closes without a word what it
 * gives up while it connects. */
void
engine_sockets_give(struct engine_sockets *sockets, struct engine_socket *socket)
{
	bool is_open = true;

	leave_changed(socket);
	if (!socket->is_made_here || socket->events != EPOLLIN)
		is_open = loop_unwatch(sockets->loop, &socket->watch);
	if (!socket->is_made_here || !is_open) {
		mem_free(socket);
		return;
	}
	if (socket->own_port < 0)
		socket->own_port = port_of(socket->watch.fd);
	loosen(sockets, socket);
}

bool
engine_sockets_ignores(struct engine_sockets *sockets, struct engine_socket *socket)
{
	if (socket->is_loose)
		loop_unwatch(sockets->loop, &socket->watch);
	return socket->is_loose;
}

static bool
has_bytes(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool
has_port(const struct engine_socket *socket, int own_port)
{
	return socket->own_port == (own_port > 0 ? own_port : 0);
}

int
engine_sockets_find(const struct engine_sockets *sockets, int own_port)
{
	const struct engine_socket *socket = sockets->loose;

	while (socket != NULL && !has_port(socket, own_port))
		socket = socket->next;
	return socket != NULL ? socket->watch.fd : -1;
}

bool
engine_sockets_has_stray(const struct engine_sockets *sockets, int own_port)
{
	for (const struct engine_socket *socket = sockets->loose; socket != NULL; socket = socket->next)
		if (has_port(socket, own_port) && has_bytes(socket->watch.fd))
			return true;
	return false;
}

void
engine_sockets_fini(struct engine_sockets *sockets)
{
	while (sockets->loose != NULL)
		engine_sockets_close(sockets, sockets->loose->watch.fd);
}
