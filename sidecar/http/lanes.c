// SPDX-License-Identifier: MIT
/* lanes.c - how many connections a worker has, and which of its libmicrohttpd daemons a new one goes to.
 *
 * A connection cannot move to another daemon. So one whose bodies turn out to be for another is closed after an answer, and its
 * client makes a new one (connection_keep_alive()).
 *
 * Accepting stops while the worker has as many connections as it may have. */
#include "http/http_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define SMALL_BODY (128u * 1024) /* up to so many bytes a few small pieces cost less than clearing a large buffer */
#define LARGE_BODY (4u * 1024 * 1024) /* the same of large pieces */
#define HUGE_SHARE 16u                /* where so many connections may have large pieces, one may have huge ones */
#define ACCEPT_BATCH 16     /* per turn of the loop, so that a flood of connections leaves time for bodies */
#define CROWD_RECEIVE 32768 /* what the kernel may hold of a client of the crowd, twice that in its own count */

/* Larger pieces would not be filled, and all of a connection's memory is cleared when it is used again. A body of unknown length may be
 * small. */
static int
largest_for(uint64_t body)
{
	if (body <= LANES_LEAST_BODY)
		return LANE_LEAST;
	if (body <= SMALL_BODY)
		return LANE_SMALL;
	return body <= LARGE_BODY || body == LENGTH_UNKNOWN ? LANE_LARGE : LANE_HUGE;
}

static bool
has_place(const struct worker *worker, int lane)
{
	uint64_t most = worker->setup.max_large, n_large = worker->lanes[LANE_LARGE].n_connections;

	if (lane == LANE_HUGE)
		return most >= HUGE_SHARE && n_large == 0 && worker->lanes[LANE_HUGE].n_connections == 0;
	return lane != LANE_LARGE || n_large < most;
}

/* The largest pieces that are of use, and whose share of the memory is not taken. */
static int
choose_lane(const struct worker *worker, uint64_t body)
{
	int lane = largest_for(body);

	while (!has_place(worker, lane))
		lane++;
	return lane;
}

/* The least would do for such a body, but perhaps not for its head. Huge pieces are not worth another connection. */
bool
lanes_fits(const struct lane *lane, uint64_t body)
{
	int it = (int)(lane - lane->worker->lanes), best = choose_lane(lane->worker, body);

	if (it == LANE_SMALL && body <= LANES_LEAST_BODY)
		return true;
	return it >= largest_for(body) && it <= (best > LANE_LARGE ? best : LANE_LARGE);
}

void
lanes_take(struct worker *worker, int fd, const struct sockaddr *addr, socklen_t len, uint64_t body)
{
	struct lane *lane = &worker->lanes[choose_lane(worker, body)];
	int on = 1, receive = CROWD_RECEIVE;

	if (addr->sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* The kernel's buffers count against a container's memory too, and would grow to megabytes each. */
	if (lane >= &worker->lanes[LANE_SMALL])
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
	const struct config *config = intake_config(worker->intake);
	uint64_t head_until_ms = clock_after(loop_now_ms(worker->loop), config->client.head_ms);

	if (config->listen[i].proxy_protocol)
		handshake_new(worker, fd, addr, len, head_until_ms);
	else
		arrival_new(worker, fd, (const struct sockaddr *)addr, len, head_until_ms);
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
