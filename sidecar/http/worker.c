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

#define CUT_MS 1000u      /* after an abort: how long stores are waited for that owe an answer */
#define LOOK_AGAIN_MS 20u /* while draining: whether the other workers are done too */
#define ACCEPT_SLACK 16u  /* libmicrohttpd counts a connection until its next clean-up */

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
	log_line(LOG_DEBUG, "intake", "libmicrohttpd", LOG_TEXTVAL("said", text));
}

/* 1.0 refuses by itself, if it is told to be strict, what mhd_head_check() refuses for 0.9. That would only refuse a
 * missing Host and blanks in the target, which decide/ and mhd_head_check() do, and say its refusal twice. */
static int
strictness(void)
{
	return MHD_get_version()[0] != '0';
}

static bool
start_daemon(struct lane *lane, struct error *err)
{
	struct worker *worker = lane->worker;
	const union MHD_DaemonInfo *info;

	lane->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, request_on_access, lane, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log,
		NULL, /* first: it is to hear of the others */
		MHD_OPTION_URI_LOG_CALLBACK, request_on_target, lane, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape,
		NULL, MHD_OPTION_NOTIFY_COMPLETED, request_on_completed, lane, MHD_OPTION_NOTIFY_CONNECTION,
		connection_notify, lane, MHD_OPTION_CONNECTION_MEMORY_LIMIT, lane->memory,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)worker->setup.max_connections + ACCEPT_SLACK,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, strictness(), MHD_OPTION_END);
	if (lane->daemon == NULL)
		return error_set(err, ERR_SYSTEM, "libmicrohttpd did not start: %s", strerror(errno));
	info = MHD_get_daemon_info(lane->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	lane->watch.fd = info->epoll_fd;
	return loop_watch(worker->setup.loop, &lane->watch, EPOLLIN, err);
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
	if (worker->state != WORKER_DRAINING || worker->connections != NULL || worker->greetings != NULL)
		return;
	worker->state = WORKER_CLOSED;
	counter_sub(worker->setup.busy, 1);
}

/* Nothing left to wait for, on any worker? Then the turn that runs is the last. */
static void
stop_if_done(struct worker *worker)
{
	if (worker->state != WORKER_CLOSED || counter_read(worker->setup.busy) > 0)
		return;
	if (!worker->setup.uploads_idle(worker->setup.uploads_idle_arg))
		return;
	worker->state = WORKER_STOPPED;
	loop_stop(worker->setup.loop);
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

	requests_look_at_news(worker);
	for (int i = 0; i < N_LANES; i++) {
		uint64_t lane_ms = run_daemon(&worker->lanes[i], now_ms);

		next_ms = lane_ms < next_ms ? lane_ms : next_ms;
	}
	turns_pass_on(&worker->turns);
	connection_nudge_all(worker);
	close_if_empty(worker);
	stop_if_done(worker);
	for (int i = 0; i < N_LANES; i++)
		if (worker->lanes[i].is_due)
			return 0;
	return next_ms;
}

/* -- waiting for chunks ---------------------------------------------------------------------------- */

static void
on_pool_mail(struct mail *mail, unsigned bits)
{
	struct worker *worker = container_of(mail, struct worker, pool_mail);
	struct request *list = worker->waiting;

	(void)bits;
	waits_look_again(worker);
	worker->waiting = NULL;
	worker->waiting_end = &worker->waiting;
	while (list != NULL) {
		struct request *next = list->next_waiting;

		list->waits_for_chunks = false;
		request_on_chunks(list); /* goes back to the end of the list if its turn has not come */
		list = next;
	}
}

/* -- another table --------------------------------------------------------------------------------- */

static void
take_table(struct worker *worker)
{
	table_release(worker->table);
	worker->table = worker->next_table;
	worker->next_table = NULL;
	worker->setup.on_table(worker->setup.on_table_arg);
}

void
worker_set_table(struct worker *worker, struct table *table)
{
	must(worker->next_table == NULL);
	worker->next_table = table; /* the worker reads it when the mail is delivered, and not before */
	mailbox_post(loop_mailbox(worker->setup.loop), &worker->command_mail, COMMAND_TABLE);
}

/* -- drain and abort ------------------------------------------------------------------------------- */

static void
drain(struct worker *worker)
{
	if (worker->state != WORKER_RUNNING)
		return;
	worker->state = WORKER_DRAINING;
	acceptor_stop(worker);
	greeting_close_all(worker);
	waits_drain(worker);
	for (struct connection *c = worker->connections; c != NULL; c = c->next)
		connection_drain(c);
}

static void
on_cut(struct timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, cut);

	struct request *next;

	worker->is_cutting = true;
	for (struct request *r = worker->requests; r != NULL; r = next) {
		next = r->next;
		request_step(r);
		request_free_if_over(r);
	}
}

static void
abort_all(struct worker *worker)
{
	struct loop *loop = worker->setup.loop;
	struct request *next;

	worker->is_aborting = true;
	for (struct request *r = worker->requests; r != NULL; r = next) {
		next = r->next;
		request_failf(r, ERR_DRAINING, "shutting down");
		request_free_if_over(r);
	}
	for (struct connection *c = worker->connections; c != NULL; c = c->next) {
		if (c->request != NULL && c->request->state != REQ_ANSWERED)
			continue;
		connection_shut(c);
		if (c->request != NULL)
			request_resume(c->request);
	}
	if (!loop_set_timer(loop, &worker->cut, clock_after(loop_now_ms(loop), CUT_MS)))
		on_cut(&worker->cut);
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
	mailbox_post(loop_mailbox(worker->setup.loop), &worker->command_mail, COMMAND_DRAIN);
}

void
worker_abort(struct worker *worker)
{
	mailbox_post(loop_mailbox(worker->setup.loop), &worker->command_mail, COMMAND_ABORT);
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

struct worker *
worker_new(const struct worker_setup *setup, struct error *err)
{
	struct worker *worker = mem_zalloc(sizeof *worker);

	if (worker == NULL) {
		error_nomem(err);
		return NULL;
	}
	worker->setup = *setup;
	worker->table = table_acquire(setup->table);
	worker->waiting_end = &worker->waiting;
	turns_init(&worker->turns);
	stalled_start(worker);
	waits_start(worker);
	worker->daemon_hook.turn = daemon_turn;
	worker->cut.fire = on_cut;
	mail_init(&worker->pool_mail, on_pool_mail);
	mail_init(&worker->command_mail, on_command);
	worker->pool_waiter = (struct pool_waiter){ .box = loop_mailbox(setup->loop), .mail = &worker->pool_mail };
	for (int i = 0; i < N_LANES; i++)
		worker->lanes[i] = (struct lane){ .worker = worker, .watch.ready = on_daemon_ready };
	worker->lanes[LANE_LARGE].memory = LANE_LARGE_MEMORY;
	worker->lanes[LANE_MIDDLE].memory = LANE_MIDDLE_MEMORY;
	worker->lanes[LANE_SMALL].memory = LANE_SMALL_MEMORY;
	worker->blocks = blocks_new(setup->pool);
	if (worker->blocks == NULL)
		error_nomem(err);
	if (worker->blocks == NULL || !start_lanes(worker, err) || !acceptor_start(worker, err)) {
		worker_free(worker);
		return NULL;
	}
	pool_add_waiter(setup->pool, &worker->pool_waiter);
	loop_add_hook(setup->loop, &worker->daemon_hook);
	return worker;
}

void
worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	must(worker->requests == NULL);
	loop_deliver_rest(worker->setup.loop); /* "chunks came back" may have come in the last turn */
	acceptor_stop(worker);
	loop_clear_timer(worker->setup.loop, &worker->cut);
	stalled_stop(worker);
	for (int i = 0; i < N_LANES; i++) {
		if (worker->lanes[i].daemon == NULL)
			continue;
		loop_unwatch(worker->setup.loop, &worker->lanes[i].watch);
		MHD_stop_daemon(worker->lanes[i].daemon);
	}
	blocks_free(worker->blocks);
	table_release(worker->table);
	mem_free(worker);
}

const char *
intake_library_version(void)
{
	return MHD_get_version();
}
