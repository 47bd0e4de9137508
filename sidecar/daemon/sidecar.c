// SPDX-License-Identifier: MIT
/* sidecar.c - see sidecar.h. start() is the list of everything that lives as long as the process. stop() ends all
 * threads before it frees what they told one another, and delivers the mail that they have left in between. */
#include "daemon/sidecar.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/load.h"
#include "daemon/machine.h"
#include "daemon/sidecar_priv.h"
#include "sink/sinks.h"
#include "source/multipart/form.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BIG_BLOCK                                                                                                  \
	131072 /* malloc gets such blocks from the kernel and gives them back: libcurl's buffers then cost only \
		* the pages that were touched; glibc would raise this by itself */

/* -- the workers' threads ---------------------------------------------------------------------------- */

static void
on_stopped(struct mail *mail, unsigned bits)
{
	struct worker_thread *thread = container_of(mail, struct worker_thread, stopped);

	(void)bits;
	if (--thread->sidecar->n_running == 0)
		loop_stop(thread->sidecar->loop);
}

static void *
run_worker(void *arg)
{
	struct worker_thread *thread = arg;
	char name[16];

	snprintf(name, sizeof name, "worker %u", (unsigned)thread->index % 1000);
	pthread_setname_np(pthread_self(), name);
	loop_run(thread->loop);
	counter_set(&thread->ended, 1);
	mailbox_post(loop_mailbox(thread->sidecar->loop), &thread->stopped, 1);
	return NULL;
}

static bool
start_threads(struct sidecar *sidecar, struct error *err)
{
	counter_add(&sidecar->busy, sidecar->n_workers);
	for (size_t i = 0; i < sidecar->n_workers; i++) {
		struct worker_thread *thread = &sidecar->workers[i];
		int rc = pthread_create(&thread->id, NULL, run_worker, thread);

		if (rc != 0) {
			counter_sub(&sidecar->busy, sidecar->n_workers - i);
			return error_set(err, ERR_SYSTEM, "cannot start a thread: %s", strerror(rc));
		}
		thread->has_thread = true;
		sidecar->n_running++;
	}
	return true;
}

static bool
uploads_idle(void *arg)
{
	struct worker_thread *thread = arg;

	return uploads_worker_is_idle(thread->sidecar->uploads, thread->index);
}

static void
set_worker_table(void *worker, struct table *table)
{
	worker_set_table(worker, table);
}

static bool
make_worker(struct sidecar *sidecar, size_t i, struct error *err)
{
	struct worker_thread *thread = &sidecar->workers[i];
	struct reload_taker *taker = reload_add(&sidecar->reload, set_worker_table);
	size_t n = sidecar->listeners.n_listen;
	struct worker_setup setup = {
		.table = sidecar->reload.table,
		.pool = sidecar->pool,
		.queue = sidecar->queue,
		.loop = thread->loop,
		.outlets = uploads_outlets(sidecar->uploads, i),
		.state = sidecar->state,
		.listen_fds = sidecar->listeners.fds + i * n,
		.n_listen_fds = n,
		.max_connections = machine_max_connections(config_of(sidecar), sidecar->n_workers),
		.max_large = machine_max_large(config_of(sidecar), sidecar->n_workers),
		.max_middle = machine_max_middle(config_of(sidecar), sidecar->n_workers),
		.max_kept_alive = machine_max_kept_alive(config_of(sidecar), sidecar->n_workers),
		.requests = &sidecar->requests,
		.busy = &sidecar->busy,
		.metrics = &sidecar->metrics,
		.uploads_idle = uploads_idle,
		.uploads_idle_arg = thread,
		.on_table = reload_taken,
		.on_table_arg = taker,
	};

	thread->worker = worker_new(&setup, err);
	taker->who = thread->worker;
	for (size_t k = 0; k < n; k++)
		sidecar->listeners.fds[i * n + k] = -1; /* the worker's now, also where it failed */
	return thread->worker != NULL;
}

static bool
make_loops(struct sidecar *sidecar, struct error *err)
{
	sidecar->workers = mem_array(sidecar->n_workers, sizeof *sidecar->workers);
	sidecar->loops = mem_array(sidecar->n_workers, sizeof(struct loop *));
	if (sidecar->workers == NULL || sidecar->loops == NULL)
		return error_nomem(err);
	for (size_t i = 0; i < sidecar->n_workers; i++) {
		struct worker_thread *thread = &sidecar->workers[i];

		*thread = (struct worker_thread){ .sidecar = sidecar, .index = i };
		mail_init(&thread->stopped, on_stopped);
		thread->loop = sidecar->loops[i] = loop_new(err);
		if (thread->loop == NULL)
			return false;
	}
	sidecar->loop = loop_new(err);
	return sidecar->loop != NULL;
}

/* -- start and stop ---------------------------------------------------------------------------------- */

static void
say_listening(const struct sidecar *sidecar)
{
	for (size_t i = 0; i < sidecar->listeners.n_listen; i++)
		log_line(LOG_INFO, "sidecar", "listening",
			LOG_TEXTVAL("address", listeners_name(&sidecar->listeners, i)),
			LOG_NUM("workers", sidecar->n_workers));
}

static void
set_agent_table(void *agent, struct table *table)
{
	agent_set_table(agent, table);
}

/* It answers until the last upload is done: "draining", so that the gateway need not find out by itself. */
static bool
start_agent(struct sidecar *sidecar, struct error *err)
{
	struct agent_setup setup = {
		.table = sidecar->reload.table,
		.pool = sidecar->pool,
		.draining = &sidecar->draining,
		.on_table = reload_taken,
	};
	struct reload_taker *taker;

	if (config_of(sidecar)->spoa.n_listen == 0)
		return true;
	setup.on_table_arg = taker = reload_add(&sidecar->reload, set_agent_table);
	taker->who = sidecar->agent = agent_new(&setup, err);
	return sidecar->agent != NULL;
}

static void
set_settle_table(void *settle, struct table *table)
{
	settle_set_table(settle, table);
}

/* Before the workers: nobody else has been on its loop then. */
static bool
start_state(struct sidecar *sidecar, struct error *err)
{
	struct settle_setup setup = {
		.state = sidecar->state,
		.table = sidecar->reload.table,
		.metrics = &sidecar->metrics,
		.on_table = reload_taken,
	};
	struct reload_taker *taker;

	if (sidecar->state == NULL)
		return true;
	setup.on_table_arg = taker = reload_add(&sidecar->reload, set_settle_table);
	taker->who = sidecar->settle = settle_new(&setup, err);
	return sidecar->settle != NULL && state_start(sidecar->state, err);
}

/* All loops: what is alive is what turns. The main loop is the first, the admin server's the last. */
static size_t
list_loops(const struct sidecar *sidecar, struct watchdog_target *targets)
{
	size_t n = 0;

	targets[n++] = (struct watchdog_target){ .name = "main", .loop = sidecar->loop };
	for (size_t i = 0; i < sidecar->n_workers; i++) {
		targets[n].loop = sidecar->loops[i];
		targets[n].ended = &sidecar->workers[i].ended;
		snprintf(targets[n++].name, sizeof targets[0].name, "worker %u", (unsigned)i);
	}
	targets[n++] = (struct watchdog_target){ .name = "disk", .loop = uploads_disk_loop(sidecar->uploads) };
	if (sidecar->state != NULL)
		targets[n++] = (struct watchdog_target){ .name = "state", .loop = state_loop(sidecar->state) };
	if (sidecar->agent != NULL)
		targets[n++] = (struct watchdog_target){ .name = "spoa", .loop = agent_loop(sidecar->agent) };
	if (sidecar->admin != NULL)
		targets[n++] = (struct watchdog_target){ .name = "admin",
			.loop = admin_server_loop(sidecar->admin) };
	return n;
}

static void
set_admin_table(void *server, struct table *table)
{
	admin_server_set_table(server, table);
}

/* Answers while the last upload is under way, too. */
static bool
start_admin(struct sidecar *sidecar, struct watchdog_target *targets, struct error *err)
{
	struct admin_setup setup = {
		.table = sidecar->reload.table,
		.gauges = { &sidecar->metrics, sidecar->pool, sidecar->queue, &sidecar->requests, &sidecar->leaving,
			sidecar->state },
		.settle = sidecar->settle,
		.targets = targets,
		.n_targets = list_loops(sidecar, targets),
		.on_table = reload_taken,
	};
	struct reload_taker *taker;

	if (config_of(sidecar)->admin.n_listen == 0)
		return true;
	setup.on_table_arg = taker = reload_add(&sidecar->reload, set_admin_table);
	taker->who = sidecar->admin = admin_server_new(&setup, err);
	return sidecar->admin != NULL;
}

/* The last to start, so that whoever is told can send uploads. */
static bool
start_ops(struct sidecar *sidecar, struct error *err)
{
	struct watchdog_target *targets = mem_array(sidecar->n_workers + 5, sizeof *targets);

	if (targets == NULL)
		return error_nomem(err);
	if (start_admin(sidecar, targets, err))
		sidecar->reload.sd_notify = sidecar->sd_notify = sd_notify_new(
			sidecar->loop, targets + 1, list_loops(sidecar, targets) - 1, err);
	mem_free(targets);
	return sidecar->sd_notify != NULL;
}

static bool
start(struct sidecar *sidecar, struct error *err)
{
	const struct config *config = config_of(sidecar);

	sidecar->n_workers = machine_workers(config);
	if (!form_setup(err) || !upload_setup(err) || !make_loops(sidecar, err) || !signals_watch(sidecar, err))
		return false;
	if (!reload_expect(&sidecar->reload, sidecar->loop, sidecar->n_workers + 3))
		return error_nomem(err);
	sidecar->pool = pool_new(config->memory, err);
	sidecar->queue = sidecar->pool != NULL ? queue_new(sidecar->pool, err) : NULL;
	if (sidecar->queue == NULL)
		return false;
	if (!start_state(sidecar, err))
		return false;
	sidecar->uploads = uploads_new(config->placement, sidecar->pool, sidecar->loops, sidecar->n_workers, err);
	if (sidecar->uploads == NULL ||
		!listeners_open(&sidecar->listeners, config->listen, config->n_listen, sidecar->n_workers, err))
		return false;
	for (size_t i = 0; i < sidecar->n_workers; i++)
		if (!make_worker(sidecar, i, err))
			return false;
	sidecar->reload.lookout = lookout_new(sidecar->loop, sidecar->reload.table, err);
	if (sidecar->reload.lookout == NULL || !start_agent(sidecar, err) || !start_threads(sidecar, err) ||
		!start_ops(sidecar, err))
		return false;
	say_listening(sidecar);
	return true;
}

static void
join_workers(struct sidecar *sidecar)
{
	for (size_t i = 0; sidecar->workers != NULL && i < sidecar->n_workers; i++)
		if (sidecar->workers[i].has_thread)
			pthread_join(sidecar->workers[i].id, NULL);
}

static void
free_workers(struct sidecar *sidecar)
{
	for (size_t i = 0; sidecar->workers != NULL && i < sidecar->n_workers; i++)
		worker_free(sidecar->workers[i].worker);
}

static void
stop(struct sidecar *sidecar)
{
	bool hangs = !lookout_stop(sidecar->reload.lookout);

	join_workers(sidecar);
	sd_notify_stop(sidecar->sd_notify);
	admin_server_stop(sidecar->admin);
	agent_free(sidecar->agent);
	uploads_free(sidecar->uploads); /* until then the disk thread may give chunks back, and tell workers so */
	state_stop(sidecar->state);     /* entries are let go of by now */
	free_workers(sidecar);
	listeners_close(&sidecar->listeners);
	for (size_t i = 0; sidecar->workers != NULL && i < sidecar->n_workers; i++)
		if (sidecar->workers[i].loop != NULL)
			loop_deliver_rest(sidecar->workers[i].loop);
	if (sidecar->loop != NULL)
		loop_deliver_rest(sidecar->loop);
	admin_server_free(sidecar->admin); /* delivers the rest of its own */
	settle_free(sidecar->settle);
	if (sidecar->loop != NULL)
		loop_deliver_rest(sidecar->loop);
	sd_notify_free(sidecar->sd_notify);
	if (!hangs)
		lookout_free(sidecar->reload.lookout);
	for (size_t i = 0; sidecar->workers != NULL && i < sidecar->n_workers; i++)
		loop_free(sidecar->workers[i].loop);
	queue_free(sidecar->queue);
	pool_free(sidecar->pool);
	signals_unwatch(sidecar);
	if (!hangs) {
		state_free(sidecar->state);
		loop_free(sidecar->loop);
	}
	mem_free(sidecar->workers);
	mem_free(sidecar->loops);
	reload_fini(&sidecar->reload);
	upload_teardown();
	form_teardown();
}

/* Some worker threads may run already when another cannot be made: they have nothing to do, so they drain
 * at once. */
static void
stop_half_started(struct sidecar *sidecar)
{
	if (sidecar->n_running > 0) {
		for (size_t i = 0; i < sidecar->n_workers; i++)
			if (sidecar->workers[i].has_thread)
				worker_drain(sidecar->workers[i].worker);
		loop_run(sidecar->loop);
	}
	stop(sidecar);
}

/* NULL: err says why, and all that was made is gone. */
static struct table *
make_table(struct sidecar *sidecar, struct config *config, struct error *err)
{
	struct table *table;

	if (config->state != NULL) {
		sidecar->state = state_open(config->state, err);
		if (sidecar->state == NULL) {
			config_free(config);
			return NULL;
		}
	}
	table = table_new(config, NULL, &sinks_opener, sidecar->state, err);
	if (table == NULL)
		state_free(sidecar->state);
	return table;
}

/* What a table keeps open may have a thread that logs, so the log begins before it. Signals end the process until it is there:
 * to open a folder may take for ever. False: err says why. */
static bool
open_table(struct sidecar *sidecar, struct config *config, struct error *err)
{
	if (!log_start(&sidecar->metrics, err)) {
		config_free(config);
		return false;
	}
	sidecar->reload.table = make_table(sidecar, config, err);
	sidecar->reload.state = sidecar->state;
	if (sidecar->reload.table == NULL)
		log_stop();
	return sidecar->reload.table != NULL;
}

bool
sidecar_run(struct config *config, char *const *paths, size_t n_paths, struct error *err)
{
	struct sidecar sidecar = { 0 };

	reload_init(&sidecar.reload, paths, n_paths);
	sidecar.reload.metrics = &sidecar.metrics;
	if (!open_table(&sidecar, config, err))
		return false;
	signals_block(&sidecar);
	machine_raise_descriptor_limit();
	mallopt(M_MMAP_THRESHOLD, BIG_BLOCK);
	if (!start(&sidecar, err)) {
		stop_half_started(&sidecar);
		log_stop();
		return false;
	}
	sd_notify_ready(sidecar.sd_notify, "taking uploads");
	loop_run(sidecar.loop);
	if (sidecar.ended_hard) { /* threads still run: nothing may be freed under them */
		log_stop();
		_exit(1);
	}
	stop(&sidecar);
	log_event(LOG_INFO, "sidecar", "stopped", NULL, 0);
	log_stop();
	return true;
}
