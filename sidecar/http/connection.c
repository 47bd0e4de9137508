// SPDX-License-Identifier: MIT
/* connection.c - what penstock keeps for each client connection beside libmicrohttpd.
 *
 * libmicrohttpd's own timeout counts inactivity only (a byte now and then outlives it) and it does not look
 * at a suspended connection, so heads have a deadline here, and a hang-up is watched for here: an edge
 * triggered EPOLLRDHUP in our own epoll set, beside libmicrohttpd's. */
#include "http/http_priv.h"

#include "base/container_of.h"
#include "base/mem.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define WATCH_EVENTS (EPOLLRDHUP | EPOLLET)
#define UNFIT_MAX 2u        /* bodies for another lane, one after the other: then a new connection costs less */
#define DRAIN_HEAD_MS 1000u /* for a head that is on its way when the drain begins */

static void
on_deadline(struct timer *timer)
{
	struct connection *connection = container_of(timer, struct connection, deadline);

	connection_shut(connection);
}

static void
on_event(struct watch *watch, uint32_t events)
{
	struct connection *connection = container_of(watch, struct connection, watch);

	if ((events & EPOLLOUT) && connection->request != NULL)
		client_go_on(connection);
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0)
		return;
	if (!connection->has_hung_up) { /* the nudge itself makes an event here */
		connection->has_hung_up = true;
		connection_nudge(connection);
	}
	if (connection->request != NULL)
		request_on_hangup(connection->request, (events & (EPOLLHUP | EPOLLERR)) != 0);
}

void
connection_nudge(struct connection *connection)
{
	if (!connection->has_hung_up || connection->is_nudged)
		return;
	connection->is_nudged = true;
	connection->next_nudge = connection->worker->nudges;
	connection->worker->nudges = connection;
}

/* Shutting the side that the client has shut already changes nothing, but makes a new edge. */
void
connection_nudge_all(struct worker *worker)
{
	while (worker->nudges != NULL) {
		struct connection *connection = worker->nudges;

		worker->nudges = connection->next_nudge;
		connection->is_nudged = false;
		shutdown(connection->watch.fd, SHUT_RD);
	}
}

static void
leave_nudges(struct connection *connection)
{
	struct connection **at = &connection->worker->nudges;

	while (connection->is_nudged && *at != connection)
		at = &(*at)->next_nudge;
	if (connection->is_nudged)
		*at = connection->next_nudge;
}

static int
fd_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static uint64_t
ms_from_now(const struct worker *worker, uint64_t ms)
{
	return clock_after(loop_now_ms(worker->loop), ms);
}

/* When its first head must be whole. */
static uint64_t
head_at(struct worker *worker, int fd)
{
	uint64_t known = arrival_known_until(worker, fd);
	bool is_draining = worker->state != WORKER_RUNNING;
	uint64_t own = ms_from_now(
		worker, is_draining ? DRAIN_HEAD_MS : intake_config(worker->intake)->client.head_ms);

	return known < own ? known : own;
}

static void
connection_new(struct lane *lane, struct MHD_Connection *mhd, void **context)
{
	struct worker *worker = lane->worker;
	struct connection *connection = mem_zalloc(sizeof *connection);
	struct error err = { 0 };

	lane->n_connections++;
	lanes_count_up(worker);
	*context = connection;
	if (connection == NULL)
		return; /* its first request is refused for lack of memory */
	connection->client.ops = &client_ops;
	connection->worker = worker;
	connection->lane = lane;
	connection->mhd = mhd;
	connection->watch = (struct watch){ .fd = fd_of(mhd), .ready = on_event };
	connection->deadline.fire = on_deadline;
	connection->next = worker->connections;
	connection->link = &worker->connections;
	if (connection->next != NULL)
		connection->next->link = &connection->next;
	worker->connections = connection;
	loop_watch(worker->loop, &connection->watch, WATCH_EVENTS, &err);
	loop_set_timer(worker->loop, &connection->deadline, head_at(worker, connection->watch.fd));
}

static void
connection_free(struct connection *connection)
{
	struct worker *worker = connection->worker;

	leave_nudges(connection);
	loop_unwatch(worker->loop, &connection->watch);
	loop_clear_timer(worker->loop, &connection->deadline);
	worker->kept_memory -= connection->kept_memory;
	worker->n_kept -= connection->kept_memory > 0;
	*connection->link = connection->next;
	if (connection->next != NULL)
		connection->next->link = connection->link;
	mem_free(connection);
}

/* Where its epoll fails libmicrohttpd closes a connection without a word about the request on it. */
static void
connection_end(struct connection *connection)
{
	connection_end_request(connection);
	request_forget_client(connection->worker->intake, &connection->client);
	connection_free(connection);
}

void
connection_notify(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what)
{
	struct lane *lane = arg;
	struct worker *worker = lane->worker;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connection_new(lane, mhd, context);
		return;
	}
	lane->n_connections--;
	if (*context != NULL)
		connection_end(*context);
	*context = NULL;
	lanes_count_down(worker);
}

struct connection *
connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void
connection_begin_request(struct connection *connection, struct request *request)
{
	connection->request = request;
	loop_clear_timer(connection->worker->loop, &connection->deadline);
}

void
connection_drop_early(struct connection *connection)
{
	buf_free(&connection->early);
	connection->early_sent = 0;
	connection->is_telling = false;
}

static void
await_next_head(struct connection *connection)
{
	struct worker *worker = connection->worker;

	connection_nudge(connection);
	if (worker->state != WORKER_RUNNING)
		connection_shut(connection);
	else
		loop_set_timer(worker->loop, &connection->deadline,
			ms_from_now(worker, intake_config(worker->intake)->client.keep_alive_ms));
	connection->is_idle = true;
}

void
connection_end_request(struct connection *connection)
{
	struct request *request = connection->begun;

	if (request == NULL)
		return;
	connection->request = connection->begun = NULL;
	connection->is_paused = connection->is_head_due = false;
	connection_drop_early(connection);
	await_next_head(connection);
	request_leave(request);
}

static uint64_t
length_of_body(const struct connection *connection)
{
	const char *text = MHD_lookup_connection_value(
		connection->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return arrival_length(str_of(text));
}

/* Nothing is known of those without a length: another connection would have the same lane. */
static bool
fits_lane(struct connection *connection)
{
	uint64_t body = length_of_body(connection);
	bool is_fit = body == LENGTH_UNKNOWN || lanes_fits(connection->lane, body);

	connection->n_unfit = is_fit ? 0 : connection->n_unfit + 1;
	return connection->n_unfit < UNFIT_MAX;
}

/* Whoever has nothing to ask must not keep out whoever has: a quarter of the places is for those who come. */
static bool
may_wait(const struct worker *worker)
{
	return worker->n_kept < worker->setup.max_connections * 3 / 4;
}

/* When a connection is used again libmicrohttpd clears all of its memory, which makes all of it resident.
 * So only so many connections may stay; the others are closed after their answer. */
bool
connection_keep_alive(struct connection *connection)
{
	struct worker *worker = connection->worker;
	size_t memory = connection->lane->memory;

	if (worker->state != WORKER_RUNNING || connection->client.is_too_much || !fits_lane(connection))
		return false;
	if (connection->kept_memory > 0)
		return true;
	if (worker->kept_memory + memory > worker->setup.kept_memory || !may_wait(worker))
		return false;
	worker->kept_memory += memory;
	worker->n_kept++;
	connection->kept_memory = memory;
	return true;
}

void
connection_watch_room(struct connection *connection, bool on)
{
	if (connection->watch.is_watched)
		loop_rewatch(
			connection->worker->loop, &connection->watch, on ? WATCH_EVENTS | EPOLLOUT : WATCH_EVENTS);
}

void
connection_shut(struct connection *connection)
{
	shutdown(connection->watch.fd, SHUT_RDWR);
	connection->lane->is_due = true;
}

void
connection_drain(struct connection *connection)
{
	uint64_t at = ms_from_now(connection->worker, DRAIN_HEAD_MS);
	int waiting = 0;

	if (connection->request != NULL)
		return;
	if (connection->is_idle && (ioctl(connection->watch.fd, FIONREAD, &waiting) < 0 || waiting <= 0))
		connection_shut(connection);
	else if (connection->deadline.slot == 0 || connection->deadline.at_ms > at)
		loop_set_timer(connection->worker->loop, &connection->deadline, at);
}
