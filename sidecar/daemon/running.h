// SPDX-License-Identifier: MIT
/* running.h - what sidecar.c (starts and stops everything), worker_threads.c and services.c (the threads) and signals.c (the
 * phases of the end) share. [main] */
#ifndef PENSTOCK_RUNNING_H
#define PENSTOCK_RUNNING_H

#include "admin/admin_server.h"
#include "base/metrics.h"
#include "channel/pool.h"
#include "channel/queue.h"
#include "daemon/ebb.h"
#include "daemon/reload.h"
#include "daemon/sd_notify.h"
#include "http/listener.h"
#include "http/worker.h"
#include "loop/loop.h"
#include "sink/settle.h"
#include "sink/sweeper.h"
#include "sink/upload.h"
#include "spoa/agent.h"

#include <pthread.h>

struct worker_thread { /* one worker with its thread */
	struct sidecar *sidecar;
	struct loop *loop;
	struct worker *worker;
	pthread_t id;
	bool has_thread;
	size_t index;
	struct mail stopped;  /* to the main loop, when the thread ends */
	struct counter ended; /* 1: its loop has ended */
};

enum phase { PHASE_SERVING, PHASE_LEAVING, PHASE_DRAINING, PHASE_ABORTING };

struct sidecar {
	struct reload reload; /* the route table in force */
	enum phase phase;
	struct pool *pool;
	struct queue *queue;     /* of forms that wait for memory of the pool */
	struct clients *clients; /* what each client has */
	struct worker_thread *workers;
	size_t n_workers, n_running;
	struct counter requests; /* alive on all workers */
	struct counter busy;     /* the same, and one for each worker that runs and is not closed */
	struct loop **loops;
	struct uploads *uploads;
	struct state *state;   /* NULL: the route file has no `state` */
	struct settle *settle; /* NULL likewise */
	struct sweeper *sweeper;
	struct listeners listeners;
	struct agent *agent;        /* NULL: the route file has no `spoa` */
	struct admin_server *admin; /* NULL: it has no `admin` */
	struct sd_notify *sd_notify;
	struct counter leaving;  /* 1 from the first signal on: for the admin server */
	struct counter draining; /* 1 while draining without shutdown.delay: the agent refuses */
	struct metrics metrics;
	struct loop *loop; /* of the main thread: signals, the drain's deadline */
	struct ebb ebb;
	struct watch signals;
	struct timer deadline;
	bool ended_hard;
};

/* The configuration in force. */
static inline const struct config *
config_of(const struct sidecar *sidecar)
{
	return sidecar->reload.table->config;
}

/* worker_threads.c: to be called in this order: the loops come first, because other objects send mail to them; then the workers,
 * which take the listening sockets over; then their threads. False: err says why; the functions below free what was made. */
bool worker_threads_make_loops(struct sidecar *sidecar, struct error *err);
bool worker_threads_make(struct sidecar *sidecar, struct error *err);
bool worker_threads_start(struct sidecar *sidecar, struct error *err);

/* Lets no new uploads in. Each thread ends after its last request, and the last thread stops the main loop. */
void worker_threads_drain(struct sidecar *sidecar);

/* To be called in this order, also after a start that failed halfway: waits for the threads; frees the workers; delivers the mail
 * that is left on their loops; frees the loops. */
void worker_threads_join(struct sidecar *sidecar);
void worker_threads_free_workers(struct sidecar *sidecar);
void worker_threads_deliver_rest(struct sidecar *sidecar);
void worker_threads_free_loops(struct sidecar *sidecar);

/* services.c: the threads beside the workers, each only if the route file has it. The state is made before the workers, which put
 * entries on its loop; the admin server and the service manager come last, because uploads come as soon as these say that the
 * process is ready. The agent and the admin server answer until the last upload is done. The sweeper is always there, because a
 * reload may bring something to sweep. */
bool services_start_state(struct sidecar *sidecar, struct error *err);
bool services_start_sweeper(struct sidecar *sidecar, struct error *err);
bool services_start_agent(struct sidecar *sidecar, struct error *err);
bool services_start_admin(struct sidecar *sidecar, struct error *err);

/* signals.c: to be called before any thread is made, so that all inherit the mask, and only the main loop gets signals. */
void signals_block(const struct sidecar *sidecar);
bool signals_watch(struct sidecar *sidecar, struct error *err);
void signals_unwatch(struct sidecar *sidecar); /* also where they were not watched */

#endif
