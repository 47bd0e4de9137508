// SPDX-License-Identifier: MIT
/* acceptor.c - takes new connections off a worker's listening sockets and hands them to libmicrohttpd.
 *
 * Accepting stops while the worker has as many connections as it may have: the kernel's backlog then holds
 * the next ones back. Out of descriptors, it tries again a little later instead of spinning. */
#include "http/http_priv.h"

#include "base/container_of.h"
#include "base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH 16 /* per turn of the loop, so that a flood of connections leaves time for bodies */
#define ACCEPT_AGAIN_MS 100
#define CROWD_RECEIVE 32768 /* what the kernel may hold of a client of the crowd, twice that in its own count */

struct acceptor {
	struct watch watch;
	struct worker *worker;
	bool proxy_protocol;
};

/* EPOLLEXCLUSIVE: of the workers that share a unix socket only one is woken for a connection. */
#define ACCEPT_EVENTS (EPOLLIN | EPOLLEXCLUSIVE)

/* The largest pieces whose share of the memory is not taken. */
static struct lane *
choose_lane(struct worker *worker)
{
	struct lane *lanes = worker->lanes;

	if (lanes[LANE_LARGE].n_connections < worker->setup.max_large)
		return &lanes[LANE_LARGE];
	return &lanes[lanes[LANE_MIDDLE].n_connections < worker->setup.max_middle ? LANE_MIDDLE : LANE_SMALL];
}

void
acceptor_hand_over(struct worker *worker, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct lane *lane = choose_lane(worker);
	int on = 1, receive = CROWD_RECEIVE;

	if (addr->sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* The kernel's buffers count against a container's memory too, and would grow to megabytes each. */
	if (lane == &worker->lanes[LANE_SMALL])
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
	if (MHD_add_connection(lane->daemon, fd, addr, len) != MHD_YES)
		log_line(LOG_WARN, "intake", "connection refused by libmicrohttpd",
			LOG_TEXTVAL("why", strerror(errno)));
	lane->is_due = true; /* MHD closes fd itself if it refused */
}

static void
on_accept_error(struct worker *worker, int error)
{
	if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
		return;
	log_line(LOG_WARN, "intake", "cannot accept", LOG_TEXTVAL("why", strerror(error)));
	acceptor_pause(worker);
	loop_set_timer(
		worker->loop, &worker->accept_again, clock_after(loop_now_ms(worker->loop), ACCEPT_AGAIN_MS));
}

static void
on_ready(struct watch *watch, uint32_t events)
{
	struct acceptor *acceptor = container_of(watch, struct acceptor, watch);
	struct worker *worker = acceptor->worker;

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH && worker->n_connections < worker->setup.max_connections; i++) {
		struct sockaddr_storage addr = { 0 };
		socklen_t len = sizeof addr;
		int fd = accept4(watch->fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			on_accept_error(worker, errno);
			return;
		}
		if (acceptor->proxy_protocol)
			handshake_new(worker, fd, &addr, len);
		else
			acceptor_hand_over(worker, fd, (const struct sockaddr *)&addr, len);
	}
	if (worker->n_connections >= worker->setup.max_connections)
		acceptor_pause(worker);
}

static void
on_accept_again(struct timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, accept_again);

	acceptor_resume(worker);
}

bool
acceptor_start(struct worker *worker, struct error *err)
{
	worker->accept_again.fire = on_accept_again;
	worker->acceptors = mem_array(worker->setup.n_listen_fds, sizeof *worker->acceptors);
	if (worker->acceptors == NULL)
		return error_nomem(err);
	/* All of them first: acceptor_stop() closes whatever stands in them, also after a failure. */
	for (size_t i = 0; i < worker->setup.n_listen_fds; i++)
		worker->acceptors[i] = (struct acceptor){
			.watch = { .fd = worker->setup.listen_fds[i], .ready = on_ready },
			.worker = worker,
			.proxy_protocol = worker->setup.intake.table->config->listen[i].proxy_protocol,
		};
	for (size_t i = 0; i < worker->setup.n_listen_fds; i++)
		if (!loop_watch(worker->loop, &worker->acceptors[i].watch, ACCEPT_EVENTS, err))
			return false;
	return true;
}

void
acceptor_pause(struct worker *worker)
{
	for (size_t i = 0; worker->acceptors != NULL && i < worker->setup.n_listen_fds; i++)
		loop_unwatch(worker->loop, &worker->acceptors[i].watch);
}

/* An exclusive watch cannot be modified, only removed and added again (epoll_ctl(2)). */
void
acceptor_resume(struct worker *worker)
{
	struct error err = { 0 };

	if (worker->state != WORKER_RUNNING || worker->n_connections >= worker->setup.max_connections)
		return;
	for (size_t i = 0; i < worker->setup.n_listen_fds; i++)
		if (!worker->acceptors[i].watch.is_watched &&
			!loop_watch(worker->loop, &worker->acceptors[i].watch, ACCEPT_EVENTS, &err))
			on_accept_error(worker, ENOMEM);
}

void
acceptor_stop(struct worker *worker)
{
	if (worker->acceptors == NULL)
		return;
	acceptor_pause(worker);
	loop_clear_timer(worker->loop, &worker->accept_again);
	for (size_t i = 0; i < worker->setup.n_listen_fds; i++)
		if (worker->acceptors[i].watch.fd >= 0)
			close(worker->acceptors[i].watch.fd);
	mem_free(worker->acceptors);
	worker->acceptors = NULL;
}
