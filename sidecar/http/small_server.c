// SPDX-License-Identifier: MIT
/* small_server.c - see small_server.h. libmicrohttpd in external mode, as in worker.c: its epoll descriptor stands
 * in the loop's set. Its own timeout counts inactivity alone, so each connection has a deadline here. */
#include "http/small_server.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/listener.h"
#include "http/mhd_query.h"
#include "loop/acceptor.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CONNECTION_MEMORY 16384u
#define ACCEPT_SLACK 8u /* libmicrohttpd counts a connection until its next clean-up */

struct small_connection {
	struct small_server *server;
	int fd;
	struct timer deadline;
};

struct small_server {
	struct loop *loop;
	struct small_handler handler;
	struct listeners listeners;
	struct acceptor *acceptor; /* NULL: it accepts no more */
	struct MHD_Daemon *daemon;
	struct watch watch; /* libmicrohttpd's own epoll descriptor */
	struct hook hook;
	bool is_due;
	unsigned n_connections;
};

/* -- accepting ------------------------------------------------------------------------------------- */

static bool
has_room(void *arg)
{
	const struct small_server *server = arg;

	return server->n_connections < SMALL_SERVER_CONNECTIONS;
}

static void
take(void *arg, size_t i, int fd, const struct sockaddr_storage *addr, socklen_t len)
{
	struct small_server *server = arg;

	(void)i;
	MHD_add_connection(server->daemon, fd, (const struct sockaddr *)addr, len); /* closes fd if it refuses */
	server->is_due = true;
}

static bool
start_accepting(
	struct small_server *server, const char *room, const struct listen *listen, size_t n, struct error *err)
{
	struct acceptor_setup setup = {
		.loop = server->loop,
		.room = room,
		.n_fds = n,
		.batch = 1,
		.arg = server,
		.has_room = has_room,
		.take = take,
	};

	if (!listeners_open(&server->listeners, listen, n, 1, err))
		return false;
	setup.fds = server->listeners.fds;
	server->acceptor = acceptor_new(&setup, err);
	if (server->acceptor == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		log_line(
			LOG_INFO, room, "listening", LOG_TEXTVAL("address", listeners_name(&server->listeners, i)));
	return true;
}

/* -- connections ----------------------------------------------------------------------------------- */

static void
on_deadline(struct timer *timer)
{
	struct small_connection *connection = container_of(timer, struct small_connection, deadline);

	shutdown(connection->fd, SHUT_RDWR); /* libmicrohttpd will see it closed */
	connection->server->is_due = true;
}

static void
connection_new(struct small_server *server, struct MHD_Connection *mhd, void **context)
{
	struct small_connection *connection = mem_zalloc(sizeof *connection);
	int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

	*context = connection;
	server->n_connections++;
	if (connection == NULL) {
		shutdown(fd, SHUT_RDWR); /* without a deadline nobody may stay */
		return;
	}
	connection->server = server;
	connection->fd = fd;
	connection->deadline.fire = on_deadline;
	if (!loop_set_timer(
		    server->loop, &connection->deadline, clock_after(loop_now_ms(server->loop), SMALL_SERVER_MS)))
		shutdown(fd, SHUT_RDWR);
}

static void
on_connection(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what)
{
	struct small_server *server = arg;
	struct small_connection *connection = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connection_new(server, mhd, context);
		return;
	}
	server->n_connections--;
	if (connection != NULL)
		loop_clear_timer(server->loop, &connection->deadline);
	mem_free(connection);
	*context = NULL;
	acceptor_resume(server->acceptor);
}

/* -- questions and answers ------------------------------------------------------------------------- */

static bool
add_header(struct MHD_Response *response, const char *name, const char *value)
{
	return value == NULL || MHD_add_response_header(response, name, value) == MHD_YES;
}

static enum MHD_Result
queue(struct MHD_Connection *mhd, struct small_answer *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->body.len, answer->body.data, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result queued = MHD_NO;

	if (response == NULL)
		return MHD_NO;
	if (add_header(response, "Content-Type", answer->type) && add_header(response, "Allow", answer->allow) &&
		add_header(response, "Cache-Control", "no-store") && add_header(response, "Connection", "close"))
		queued = MHD_queue_response(mhd, answer->status, response);
	MHD_destroy_response(response);
	return queued;
}

static void *
on_target(void *arg, const char *target, struct MHD_Connection *mhd)
{
	(void)arg;
	(void)mhd;
	mhd_query_drop(target);
	return NULL;
}

/* The answer is queued with the head: of a body that may follow nothing is read. */
static enum MHD_Result
on_access(void *arg, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
	const char *data, size_t *len, void **context)
{
	struct small_server *server = arg;
	struct small_answer answer = { 0 };
	enum MHD_Result queued = MHD_NO;

	(void)version;
	(void)data;
	(void)len;
	(void)context;
	server->handler.answer(server->handler.arg, method, url, &answer);
	if (!answer.body.failed)
		queued = queue(mhd, &answer);
	buf_free(&answer.body);
	return queued;
}

/* -- libmicrohttpd in the loop --------------------------------------------------------------------- */

static void
on_daemon_ready(struct watch *watch, uint32_t events)
{
	struct small_server *server = container_of(watch, struct small_server, watch);

	(void)events;
	server->is_due = true;
}

static uint64_t
daemon_turn(struct hook *hook, uint64_t now_ms)
{
	struct small_server *server = container_of(hook, struct small_server, hook);
	MHD_UNSIGNED_LONG_LONG in_ms = 0;

	if (server->is_due) {
		server->is_due = false;
		MHD_run(server->daemon);
	}
	if (server->is_due)
		return 0;
	if (MHD_get_timeout(server->daemon, &in_ms) != MHD_YES)
		return CLOCK_NEVER;
	server->is_due = in_ms == 0;
	return clock_after(now_ms, in_ms);
}

static bool
start_daemon(struct small_server *server, struct error *err)
{
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_access,
		server, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
		server, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
		SMALL_SERVER_CONNECTIONS + ACCEPT_SLACK, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (server->daemon == NULL)
		return error_set(err, ERR_SYSTEM, "libmicrohttpd did not start: %s", strerror(errno));
	server->watch.ready = on_daemon_ready;
	server->watch.fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	server->hook.turn = daemon_turn;
	if (!loop_watch(server->loop, &server->watch, EPOLLIN, err))
		return false;
	loop_add_hook(server->loop, &server->hook);
	return true;
}

struct small_server *
small_server_new(struct loop *loop, const char *room, const struct listen *listen, size_t n,
	const struct small_handler *handler, struct error *err)
{
	struct small_server *server = mem_zalloc(sizeof *server);

	if (server == NULL) {
		error_nomem(err);
		return NULL;
	}
	server->loop = loop;
	server->handler = *handler;
	if (start_accepting(server, room, listen, n, err) && start_daemon(server, err))
		return server;
	small_server_free(server);
	return NULL;
}

void
small_server_free(struct small_server *server)
{
	if (server == NULL)
		return;
	acceptor_free(
		server->acceptor); /* before the daemon's connections end: nothing is accepted in their place */
	server->acceptor = NULL;
	loop_unwatch(server->loop, &server->watch);
	if (server->daemon != NULL)
		MHD_stop_daemon(server->daemon);
	listeners_close(&server->listeners);
	mem_free(server);
}
