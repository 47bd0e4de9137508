// SPDX-License-Identifier: MIT
/* worker_threads.c - see running.h. */
#include "base/container_of.h"
#include "base/mem.h"
#include "daemon/machine.h"
#include "daemon/running.h"

#include <stdio.h>
#include <string.h>

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

bool
worker_threads_start(struct sidecar *sidecar, struct error *err)
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
		.intake = {
			.table = sidecar->reload.table,
			.pool = sidecar->pool,
			.queue = sidecar->queue,
			.clients = sidecar->clients,
			.loop = thread->loop,
			.sinks = uploads_sinks(sidecar->uploads, i),
			.state = sidecar->state,
			.requests = &sidecar->requests,
			.busy = &sidecar->busy,
			.metrics = &sidecar->metrics,
			.n_workers = sidecar->n_workers,
		},
		.listen_fds = sidecar->listeners.fds + i * n,
		.n_listen_fds = n,
		.max_connections = machine_max_connections(config_of(sidecar), sidecar->n_workers),
		.max_large = machine_max_large(config_of(sidecar), sidecar->n_workers),
		.kept_memory = machine_kept_memory(config_of(sidecar), sidecar->n_workers),
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

bool
worker_threads_make_loops(struct sidecar *sidecar, struct error *err)
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
	return true;
}

bool
worker_threads_make(struct sidecar *sidecar, struct error *err)
{
	for (size_t i = 0; i < sidecar->n_workers; i++)
		if (!make_worker(sidecar, i, err))
			return false;
	return true;
}

void
worker_threads_drain(struct sidecar *sidecar)
{
	for (size_t i = 0; i < sidecar->n_workers; i++)
		if (sidecar->workers[i].has_thread)
			worker_drain(sidecar->workers[i].worker);
}

void
worker_threads_join(struct sidecar *sidecar)
{
	for (size_t i = 0; sidecar->workers != NULL && i < sidecar->n_workers; i++)
		if (sidecar->workers[i].has_thread)
			pthread_join(sidecar->workers[i].id, NULL);
}

void
worker_threads_free_workers(struct sidecar *sidecar)
{
	for (size_t i = 0; sidecar->workers != NULL && i < sidecar->n_workers; i++)
		worker_free(sidecar->workers[i].worker);
}

void
worker_threads_deliver_rest(struct sidecar *sidecar)
{
	for (size_t i = 0; sidecar->workers != NULL && i < sidecar->n_workers; i++)
		if (sidecar->workers[i].loop != NULL)
			loop_deliver_rest(sidecar->workers[i].loop);
}

void
worker_threads_free_loops(struct sidecar *sidecar)
{
	for (size_t i = 0; sidecar->workers != NULL && i < sidecar->n_workers; i++)
		loop_free(sidecar->workers[i].loop);
	mem_free(sidecar->workers);
	mem_free(sidecar->loops);
}
