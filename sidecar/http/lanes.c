// SPDX-License-Identifier: MIT
/* lanes.c - how many connections a worker has, and which of its libmicrohttpd daemons a new one goes to.
 *
 * Accepting stops while the worker has as many connections as it may have. */
#include "http/http_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define ACCEPT_BATCH 16     /* per turn of the loop, so that a flood of connections leaves time for bodies */
#define CROWD_RECEIVE 32768 /* what the kernel may hold of a client of the crowd, twice that in its own count */

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
lanes_take(struct worker *worker, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct lane *lane = choose_lane(worker);
	int on = 1, receive = CROWD_RECEIVE;

	if (addr->sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* The kernel's buffers count against a container's memory too, and would grow to megabytes each. */
	if (lane == &worker->lanes[LANE_SMALL])
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
	if (MHD_add_connection(lane->daemon, fd, addr, len) != MHD_YES)
		log_line(LOG_WARN, "http", "connection refused by libmicrohttpd",
			LOG_TEXTVAL("why", strerror(errno)));
	lane->is_due = true; /* MHD closes fd itself if it refused */
}

/* -- accepting ------------------------------------------------------------------------------------- */

static bool
has_room(void *arg)
{
	const struct worker *worker = arg;

	return worker->n_connections < worker->setup.max_connections;
}

static void
take(void *arg, size_t i, int fd, const struct sockaddr_storage *addr, socklen_t len)
{
	struct worker *worker = arg;

	if (intake_config(worker->intake)->listen[i].proxy_protocol)
		handshake_new(worker, fd, addr, len);
	else
		lanes_take(worker, fd, (const struct sockaddr *)addr, len);
}

/* At once, not when the next one waits: that one would wake this worker, and no other that has room for it. */
void
lanes_count_up(struct worker *worker)
{
	worker->n_connections++;
	if (!has_room(worker))
		acceptor_pause(worker->acceptor);
}

void
lanes_count_down(struct worker *worker)
{
	worker->n_connections--;
	if (has_room(worker))
		acceptor_resume(worker->acceptor);
}

bool
lanes_start_accepting(struct worker *worker, struct error *err)
{
	struct acceptor_setup setup = {
		.loop = worker->loop,
		.room = "http",
		.fds = worker->setup.listen_fds,
		.n_fds = worker->setup.n_listen_fds,
		.owns_fds = true,
		.is_shared = true, /* a unix socket is, by all workers */
		.batch = ACCEPT_BATCH,
		.arg = worker,
		.has_room = has_room,
		.take = take,
	};

	worker->acceptor = acceptor_new(&setup, err);
	return worker->acceptor != NULL;
}

void
lanes_stop_accepting(struct worker *worker)
{
	acceptor_free(worker->acceptor);
	worker->acceptor = NULL;
}
