// SPDX-License-Identifier: MIT
/* sidecar.c - see sidecar.h. start() is the list of everything that lives as long as the process. stop() ends all
 * threads before it frees what they have shared, and in between delivers the mail that they had left for one another. */
#include "daemon/sidecar.h"

#include "base/log.h"
#include "base/small_blocks.h"
#include "config/load.h"
#include "daemon/machine.h"
#include "daemon/running.h"
#include "sink/sinks.h"
#include "source/source.h"

#include <malloc.h>
#include <unistd.h>

#define BIG_BLOCK                                                                                                  \
	131072 /* malloc gets such blocks from the kernel and gives them back: libcurl's buffers then cost only \
		* the pages that were touched; glibc would raise this by itself */

static void
say_listening(const struct sidecar *sidecar)
{
	for (size_t i = 0; i < sidecar->listeners.n_listen; i++)
		log_line(LOG_INFO, "daemon", "listening",
			LOG_TEXTVAL("address", listeners_name(&sidecar->listeners, i)),
			LOG_NUM("workers", sidecar->n_workers));
}

static bool
start(struct sidecar *sidecar, struct error *err)
{
	const struct config *config = config_of(sidecar);

	sidecar->n_workers = machine_workers(config);
	if (!sources_start(err) || !upload_setup(err) || !worker_threads_make_loops(sidecar, err))
		return false;
	sidecar->loop = loop_new(err);
	if (sidecar->loop == NULL || !signals_watch(sidecar, err))
		return false;
	if (!reload_expect(&sidecar->reload, sidecar->loop, sidecar->n_workers + 4))
		return error_nomem(err);
	sidecar->pool = pool_new(config->memory, err);
	sidecar->queue = sidecar->pool != NULL ? queue_new(sidecar->pool, err) : NULL;
	sidecar->clients = sidecar->queue != NULL ? clients_new(CLIENTS_MOST, err) : NULL;
	if (sidecar->clients == NULL || !ebb_start(&sidecar->ebb, sidecar->loop, sidecar->pool, err))
		return false;
	if (!services_start_state(sidecar, err))
		return false;
	sidecar->uploads = uploads_new(config->placement, sidecar->pool, sidecar->loops, sidecar->n_workers, err);
	if (sidecar->uploads == NULL ||
		!listeners_open(&sidecar->listeners, config->listen, config->n_listen, sidecar->n_workers, err))
		return false;
	if (!worker_threads_make(sidecar, err))
		return false;
	sidecar->reload.lookout = lookout_new(sidecar->loop, sidecar->reload.table, err);
	if (sidecar->reload.lookout == NULL || !services_start_sweeper(sidecar, err) ||
		!services_start_agent(sidecar, err) || !worker_threads_start(sidecar, err) ||
		!services_start_admin(sidecar, err))
		return false;
	say_listening(sidecar);
	return true;
}

static void
stop(struct sidecar *sidecar)
{
	bool hangs = !lookout_stop(sidecar->reload.lookout);

	sweeper_free(sidecar->sweeper);
	worker_threads_join(sidecar);
	/* A command to abort that came too late wants uploads that are there. */
	worker_threads_deliver_rest(sidecar);
	sd_notify_stop(sidecar->sd_notify);
	admin_server_stop(sidecar->admin);
	agent_free(sidecar->agent);
	uploads_free(sidecar->uploads); /* until then the disk thread may give chunks back and send workers mail */
	state_stop(sidecar->state);     /* all entries have been released by now */
	worker_threads_free_workers(sidecar);
	listeners_close(&sidecar->listeners);
	worker_threads_deliver_rest(sidecar);
	if (sidecar->loop != NULL)
		loop_deliver_rest(sidecar->loop);
	admin_server_free(sidecar->admin); /* delivers the rest of its own */
	settle_free(sidecar->settle);
	if (sidecar->loop != NULL)
		loop_deliver_rest(sidecar->loop);
	sd_notify_free(sidecar->sd_notify);
	if (!hangs)
		lookout_free(sidecar->reload.lookout);
	worker_threads_free_loops(sidecar);
	clients_free(sidecar->clients);
	queue_free(sidecar->queue);
	pool_free(sidecar->pool);
	ebb_stop(&sidecar->ebb);
	signals_unwatch(sidecar);
	if (!hangs) {
		state_free(sidecar->state);
		loop_free(sidecar->loop);
	}
	reload_fini(&sidecar->reload);
	upload_teardown();
	sources_stop();
}

/* If a worker thread cannot be made, others may run already. They have no requests, so they drain at once. */
static void
stop_half_started(struct sidecar *sidecar)
{
	if (sidecar->n_running > 0) {
		worker_threads_drain(sidecar);
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

/* What a table keeps open may have a thread that logs, so the log begins before the table is made. Signals are blocked after that,
 * and end the process until then, because opening a folder may never return. False: err says why. */
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

	small_blocks_start();
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
	log_event(LOG_INFO, "daemon", "stopped", NULL, 0);
	log_stop();
	return true;
}
