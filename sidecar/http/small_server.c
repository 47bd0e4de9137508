// SPDX-License-Identifier: MIT
/* small_server.c - see small_server.h. libmicrohttpd in external mode, as in worker.c: its epoll descriptor stands
 * in the loop's set. Its own timeout counts inactivity alone, so each connection has a deadline here. */
#include "http/small_server.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/listener.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CONNECTION_MEMORY 16384u
#define ACCEPT_SLACK 8u /* libmicrohttpd counts a connection until its next clean-up */
#define ACCEPT_AGAIN_MS 100u

struct door {
	struct watch watch;
	struct small_server *server;
};

struct visitor {
	struct small_server *server;
	int fd;
	struct timer deadline;
};

struct small_server {
	struct loop *loop;
	struct small_handler handler;
	struct listeners listeners;
	struct door *doors;
	struct timer accept_again;
	struct MHD_Daemon *daemon;
	struct watch watch; /* libmicrohttpd's own epoll descriptor */
	struct hook hook;
	bool is_due;
	unsigned n_visitors;
};

/* -- accepting ------------------------------------------------------------------------------------- */

static size_t
n_doors(const struct small_server *server)
{
	return server->doors != NULL ? server->listeners.n_listen : 0;
}

static void
pause_accepting(struct small_server *server)
{
	for (size_t i = 0; i < n_doors(server); i++)
		loop_unwatch(server->loop, &server->doors[i].watch);
}

static void
accept_later(struct small_server *server)
{
	pause_accepting(server);
	loop_set_timer(
		server->loop, &server->accept_again, clock_after(loop_now_ms(server->loop), ACCEPT_AGAIN_MS));
}

static bool
resume_accepting(struct small_server *server, struct error *err)
{
	for (size_t i = 0; i < n_doors(server) && server->n_visitors < SMALL_SERVER_CONNECTIONS; i++)
		if (!server->doors[i].watch.is_watched &&
			!loop_watch(server->loop, &server->doors[i].watch, EPOLLIN, err))
			return false;
	return true;
}

static void
on_accept_again(struct timer *timer)
{
	struct small_server *server = container_of(timer, struct small_server, accept_again);
	struct error err = { 0 };

	if (!resume_accepting(server, &err))
		accept_later(server);
}

/* One a turn: the watch is level-triggered. */
static void
on_knock(struct watch *watch, uint32_t events)
{
	struct small_server *server = (container_of(watch, struct door, watch))->server;
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof addr;
	int fd = accept4(watch->fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		log_line(LOG_WARN, "admin", "cannot accept", LOG_TEXTVAL("why", strerror(errno)));
		accept_later(server);
		return;
	}
	MHD_add_connection(server->daemon, fd, (const struct sockaddr *)&addr, len); /* closes fd if it refuses */
	server->is_due = true;
	if (server->n_visitors >= SMALL_SERVER_CONNECTIONS)
		pause_accepting(server);
}

static bool
open_doors(struct small_server *server, const char *room, const struct listen *listen, size_t n, struct error *err)
{
	if (!listeners_open(&server->listeners, listen, n, 1, err))
		return false;
	server->doors = mem_array(n, sizeof *server->doors);
	if (server->doors == NULL)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++) {
		server->doors[i] = (struct door){ { .fd = server->listeners.fds[i], .ready = on_knock }, server };
		log_line(
			LOG_INFO, room, "listening", LOG_TEXTVAL("address", listeners_name(&server->listeners, i)));
	}
	return resume_accepting(server, err);
}

/* -- connections ----------------------------------------------------------------------------------- */

static void
on_deadline(struct timer *timer)
{
	struct visitor *visitor = container_of(timer, struct visitor, deadline);

	shutdown(visitor->fd, SHUT_RDWR); /* libmicrohttpd will see it closed */
	visitor->server->is_due = true;
}

static void
visitor_new(struct small_server *server, struct MHD_Connection *mhd, void **context)
{
	struct visitor *visitor = mem_zalloc(sizeof *visitor);
	int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

	*context = visitor;
	server->n_visitors++;
	if (visitor == NULL) {
		shutdown(fd, SHUT_RDWR); /* without a deadline nobody may stay */
		return;
	}
	visitor->server = server;
	visitor->fd = fd;
	visitor->deadline.fire = on_deadline;
	if (!loop_set_timer(
		    server->loop, &visitor->deadline, clock_after(loop_now_ms(server->loop), SMALL_SERVER_MS)))
		shutdown(fd, SHUT_RDWR);
}

static void
on_connection(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what)
{
	struct small_server *server = arg;
	struct visitor *visitor = *context;
	struct error err = { 0 };

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		visitor_new(server, mhd, context);
		return;
	}
	server->n_visitors--;
	if (visitor != NULL)
		loop_clear_timer(server->loop, &visitor->deadline);
	mem_free(visitor);
	*context = NULL;
	if (!resume_accepting(server, &err))
		accept_later(server);
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
		server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, SMALL_SERVER_CONNECTIONS + ACCEPT_SLACK,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
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
	server->accept_again.fire = on_accept_again;
	if (open_doors(server, room, listen, n, err) && start_daemon(server, err))
		return server;
	small_server_free(server);
	return NULL;
}

void
small_server_free(struct small_server *server)
{
	if (server == NULL)
		return;
	pause_accepting(server);
	mem_free(server->doors); /* before the daemon's connections end: nothing is accepted in their place */
	server->doors = NULL;
	loop_unwatch(server->loop, &server->watch);
	if (server->daemon != NULL)
		MHD_stop_daemon(server->daemon);
	loop_clear_timer(server->loop, &server->accept_again);
	listeners_close(&server->listeners);
	mem_free(server);
}
