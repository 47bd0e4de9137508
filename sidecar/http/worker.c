// SPDX-License-Identifier: MIT
/* worker.c - see worker.h. libmicrohttpd runs in external mode: each daemon's epoll descriptor stands in the
 * loop's own set, and MHD_run() is called when that is ready, after a resume, and when a connection was added. */
#include "http/http_priv.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define COMMAND_DRAIN 1u
#define COMMAND_ABORT 2u
#define COMMAND_TABLE 4u

#define LOOK_AGAIN_MS 20u /* while draining: whether the other workers are done too */
#define ACCEPT_SLACK 16u  /* libmicrohttpd counts a connection until its next clean-up */

static const size_t lane_memory[N_LANES] = {
	[LANE_HUGE] = LANE_HUGE_MEMORY,
	[LANE_LARGE] = LANE_LARGE_MEMORY,
	[LANE_SMALL] = LANE_SMALL_MEMORY,
	[LANE_LEAST] = LANE_LEAST_MEMORY,
};

/* Leaves the request target as it was sent: path and query are decoded by route/, once. */
static size_t
no_unescape(void *arg, struct MHD_Connection *mhd, char *text)
{
	size_t n = 0;

	(void)arg;
	(void)mhd;
	while (text[n] != '\0')
		n++;
	return n;
}

static void on_mhd_log(void *arg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void
on_mhd_log(void *arg, const char *fmt, va_list ap)
{
	char text[256];

	(void)arg;
	if (!log_enabled(LOG_DEBUG))
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	log_line(LOG_DEBUG, "http", "libmicrohttpd", LOG_TEXTVAL("said", text));
}

static bool
start_daemon(struct lane *lane, struct error *err)
{
	struct worker *worker = lane->worker;
	const union MHD_DaemonInfo *info;

	lane->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, callback_on_access, lane, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log,
		NULL, /* first: it is to hear of the others */
		MHD_OPTION_URI_LOG_CALLBACK, callback_on_target, lane, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape,
		NULL, MHD_OPTION_NOTIFY_COMPLETED, callback_on_completed, lane, MHD_OPTION_NOTIFY_CONNECTION,
		connection_notify, lane, MHD_OPTION_CONNECTION_MEMORY_LIMIT, lane->memory,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)worker->setup.max_connections + ACCEPT_SLACK,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, mhd_head_is_strict(),
		MHD_OPTION_END);
	if (lane->daemon == NULL)
		return error_set(err, ERR_SYSTEM, "libmicrohttpd did not start: %s", strerror(errno));
	info = MHD_get_daemon_info(lane->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	lane->watch.fd = info->epoll_fd;
	return loop_watch(worker->loop, &lane->watch, EPOLLIN, err);
}

static void
on_daemon_ready(struct watch *watch, uint32_t events)
{
	struct lane *lane = container_of(watch, struct lane, watch);

	(void)events;
	lane->is_due = true;
}

/* A request begins on a connection, and no more of these will come. */
static void
close_if_empty(struct worker *worker)
{
	if (worker->state != WORKER_DRAINING || worker->connections != NULL || worker->handshakes != NULL ||
		worker->arrivals != NULL)
		return;
	worker->state = WORKER_CLOSED;
	counter_sub(worker->setup.intake.busy, 1);
}

/* Nothing left to wait for, on any worker? Then the turn that runs is the last. */
static void
stop_if_done(struct worker *worker)
{
	if (worker->state != WORKER_CLOSED || counter_read(worker->setup.intake.busy) > 0)
		return;
	if (!worker->setup.uploads_idle(worker->setup.uploads_idle_arg))
		return;
	worker->state = WORKER_STOPPED;
	loop_stop(worker->loop);
}

/* When it wants to run again at the latest. */
static uint64_t
run_daemon(struct lane *lane, uint64_t now_ms)
{
	MHD_UNSIGNED_LONG_LONG in_ms = 0;

	if (lane->is_due) {
		lane->is_due = false;
		MHD_run(lane->daemon);
	}
	if (lane->is_due)
		return 0;
	if (MHD_get_timeout(lane->daemon, &in_ms) != MHD_YES)
		return CLOCK_NEVER;
	lane->is_due = in_ms == 0;
	return clock_after(now_ms, in_ms);
}

static uint64_t
daemon_turn(struct hook *hook, uint64_t now_ms)
{
	struct worker *worker = container_of(hook, struct worker, daemon_hook);
	uint64_t next_ms = worker->state == WORKER_RUNNING ? CLOCK_NEVER : now_ms + LOOK_AGAIN_MS;

	intake_before_reading(worker->intake);
	for (int i = 0; i < N_LANES; i++) {
		uint64_t lane_ms = run_daemon(&worker->lanes[i], now_ms);

		next_ms = lane_ms < next_ms ? lane_ms : next_ms;
	}
	arrival_forget_handed(worker);
	intake_after_reading(worker->intake);
	connection_nudge_all(worker);
	close_if_empty(worker);
	stop_if_done(worker);
	for (int i = 0; i < N_LANES; i++)
		if (worker->lanes[i].is_due)
			return 0;
	return next_ms;
}

/* -- another table --------------------------------------------------------------------------------- */

static void
take_table(struct worker *worker)
{
	intake_set_table(worker->intake, worker->next_table);
	worker->next_table = NULL;
	worker->setup.on_table(worker->setup.on_table_arg);
}

void
worker_set_table(struct worker *worker, struct table *table)
{
	must(worker->next_table == NULL);
	worker->next_table = table; /* the worker reads it when the mail is delivered, and not before */
	mailbox_post(loop_mailbox(worker->loop), &worker->command_mail, COMMAND_TABLE);
}

/* -- drain and abort ------------------------------------------------------------------------------- */

static void
drain(struct worker *worker)
{
	if (worker->state != WORKER_RUNNING)
		return;
	worker->state = WORKER_DRAINING;
	lanes_stop_accepting(worker);
	handshake_close_all(worker);
	arrival_take_all(worker); /* their heads may be on their way */
	intake_drain(worker->intake);
	for (struct connection *c = worker->connections; c != NULL; c = c->next)
		connection_drain(c);
}

static void
abort_all(struct worker *worker)
{
	const struct sinks *sinks = worker->setup.intake.sinks;

	sinks->cut(sinks->arg);
	intake_abort(worker->intake);
	for (struct connection *c = worker->connections; c != NULL; c = c->next)
		if (c->request == NULL)
			connection_shut(c);
}

static void
on_command(struct mail *mail, unsigned bits)
{
	struct worker *worker = container_of(mail, struct worker, command_mail);

	if (bits & COMMAND_TABLE)
		take_table(worker);
	if (bits & (COMMAND_DRAIN | COMMAND_ABORT))
		drain(worker);
	if (bits & COMMAND_ABORT)
		abort_all(worker);
}

void
worker_drain(struct worker *worker)
{
	mailbox_post(loop_mailbox(worker->loop), &worker->command_mail, COMMAND_DRAIN);
}

void
worker_abort(struct worker *worker)
{
	mailbox_post(loop_mailbox(worker->loop), &worker->command_mail, COMMAND_ABORT);
}

/* -- start and stop -------------------------------------------------------------------------------- */

static bool
start_lanes(struct worker *worker, struct error *err)
{
	for (int i = 0; i < N_LANES; i++)
		if (!start_daemon(&worker->lanes[i], err))
			return false;
	return true;
}

static bool
start(struct worker *worker, struct error *err)
{
	const struct intake_setup *setup = &worker->setup.intake;

	if (!start_lanes(worker, err) || !lanes_start_accepting(worker, err))
		return false;
	worker->intake = intake_new(setup, err); /* the last: the pool knows it from here on */
	return worker->intake != NULL;
}

struct worker *
worker_new(const struct worker_setup *setup, struct error *err)
{
	struct worker *worker = mem_zalloc(sizeof *worker);

	if (worker == NULL) {
		error_nomem(err);
		return NULL;
	}
	worker->setup = *setup;
	worker->loop = setup->intake.loop;
	worker->daemon_hook.turn = daemon_turn;
	mail_init(&worker->command_mail, on_command);
	for (int i = 0; i < N_LANES; i++)
		worker->lanes[i] =
			(struct lane){ .worker = worker, .memory = lane_memory[i], .watch.ready = on_daemon_ready };
	if (!start(worker, err)) {
		worker_free(worker);
		return NULL;
	}
	loop_add_hook(worker->loop, &worker->daemon_hook);
	return worker;
}

void
worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	loop_deliver_rest(worker->loop); /* "chunks came back" may have come in the last turn */
	lanes_stop_accepting(worker);
	arrival_forget_handed(worker);
	for (int i = 0; i < N_LANES; i++) {
		if (worker->lanes[i].daemon == NULL)
			continue;
		loop_unwatch(worker->loop, &worker->lanes[i].watch);
		MHD_stop_daemon(worker->lanes[i].daemon);
	}
	intake_free(worker->intake);
	mem_free(worker);
}

const char *
worker_library_version(void)
{
	return MHD_get_version();
}
