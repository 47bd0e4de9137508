// SPDX-License-Identifier: MIT
/* acceptor.c - see acceptor.h. */
#include "loop/acceptor.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define AGAIN_MS 100u /* after running out of descriptors */

struct socket {
	struct watch watch;
	struct acceptor *acceptor;
};

struct acceptor {
	struct acceptor_setup setup; /* but its fds: those are in the sockets */
	struct timer again;
	struct socket sockets[];
};

static void
unwatch_all(struct acceptor *acceptor)
{
	for (size_t i = 0; i < acceptor->setup.n_fds; i++)
		loop_unwatch(acceptor->setup.loop, &acceptor->sockets[i].watch);
}

static void
try_later(struct acceptor *acceptor)
{
	struct loop *loop = acceptor->setup.loop;

	unwatch_all(acceptor);
	loop_set_timer(loop, &acceptor->again, clock_after(loop_now_ms(loop), AGAIN_MS));
}

static void
on_again(struct timer *timer)
{
	acceptor_resume(container_of(timer, struct acceptor, again));
}

static void
on_error(struct acceptor *acceptor, int error)
{
	if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
		return;
	log_line(LOG_WARN, acceptor->setup.room, "cannot accept", LOG_TEXTVAL("why", strerror(error)));
	try_later(acceptor);
}

/* False: there is none, or none may be taken. */
static bool
accept_one(struct socket *from)
{
	const struct acceptor_setup *setup = &from->acceptor->setup;
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof addr;
	int fd;

	if (setup->has_room != NULL && !setup->has_room(setup->arg)) {
		acceptor_pause(from->acceptor);
		return false;
	}
	fd = accept4(from->watch.fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		on_error(from->acceptor, errno);
		return false;
	}
	setup->take(setup->arg, (size_t)(from - from->acceptor->sockets), fd, &addr, len);
	return true;
}

static void
on_ready(struct watch *watch, uint32_t events)
{
	struct socket *from = container_of(watch, struct socket, watch);
	unsigned left = from->acceptor->setup.batch;

	(void)events;
	while (left-- > 0 && watch->is_watched && accept_one(from))
		;
}

/* Also one that was to try again: woken without room it would take nothing, and of several who share a socket only one is woken. */
void
acceptor_pause(struct acceptor *acceptor)
{
	if (acceptor == NULL)
		return;
	loop_clear_timer(acceptor->setup.loop, &acceptor->again);
	unwatch_all(acceptor);
}

/* An exclusive watch cannot be modified, only removed and added again (epoll_ctl(2)). */
static bool
watch_all(struct acceptor *acceptor, struct error *err)
{
	uint32_t events = acceptor->setup.is_shared ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN;

	for (size_t i = 0; i < acceptor->setup.n_fds; i++)
		if (!acceptor->sockets[i].watch.is_watched &&
			!loop_watch(acceptor->setup.loop, &acceptor->sockets[i].watch, events, err))
			return false;
	return true;
}

void
acceptor_resume(struct acceptor *acceptor)
{
	struct error err = { 0 };

	if (acceptor != NULL && !watch_all(acceptor, &err))
		on_error(acceptor, ENOMEM);
}

static void
close_all(const struct acceptor_setup *setup)
{
	for (size_t i = 0; setup->owns_fds && i < setup->n_fds; i++)
		close(setup->fds[i]);
}

struct acceptor *
acceptor_new(const struct acceptor_setup *setup, struct error *err)
{
	struct acceptor *acceptor = mem_zalloc(sizeof *acceptor + setup->n_fds * sizeof acceptor->sockets[0]);

	if (acceptor == NULL) {
		close_all(setup);
		error_nomem(err);
		return NULL;
	}
	acceptor->setup = *setup;
	acceptor->again.fire = on_again;
	for (size_t i = 0; i < setup->n_fds; i++)
		acceptor->sockets[i] = (struct socket){ { .fd = setup->fds[i], .ready = on_ready }, acceptor };
	if (watch_all(acceptor, err))
		return acceptor;
	acceptor_free(acceptor);
	return NULL;
}

void
acceptor_free(struct acceptor *acceptor)
{
	if (acceptor == NULL)
		return;
	acceptor_pause(acceptor);
	for (size_t i = 0; acceptor->setup.owns_fds && i < acceptor->setup.n_fds; i++)
		close(acceptor->sockets[i].watch.fd);
	mem_free(acceptor);
}
