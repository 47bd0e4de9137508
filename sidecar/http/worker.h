// SPDX-License-Identifier: MIT
/* worker.h - one thread that takes uploads: its share of the listening sockets, its three libmicrohttpd daemons (for large,
 * small and the least pieces) driven by the worker's loop, and its intake, the requests that live on it.
 *
 *   RUNNING ─worker_drain▶ DRAINING ─last connection closed▶ CLOSED ─nothing left▶ STOPPED (the loop ends)
 *
 * worker_abort() drains, too, and gives up what still runs. CLOSED: no request can begin here any more. "Nothing left" is when all
 * workers are CLOSED, no request lives on any of them, and no transfer on this one. All workers count, because with `placement:
 * spread` any of them may put a transfer on this one's loop.
 */
#ifndef PENSTOCK_WORKER_H
#define PENSTOCK_WORKER_H

#include "request/intake.h"

struct worker;

struct worker_setup {
	struct intake_setup
		intake; /* the worker counts itself in its `busy` until it is CLOSED: the caller has added one */
	const int *listen_fds; /* n of them, one for each entry of `listen`; closed when it drains, or is freed */
	size_t n_listen_fds;
	uint64_t max_connections; /* of this worker */
	uint64_t max_large;   /* of these, how many are read in large pieces at a time, beside one in huge ones */
	uint64_t kept_memory; /* bytes of buffers of those that may wait for a further request */
	bool (*uploads_idle)(void *arg); /* [worker] no transfer lives on this worker any more */
	void *uploads_idle_arg;
	void (*on_table)(void *arg); /* [worker] it has taken what worker_set_table() brought */
	void *on_table_arg;
};

/* [main] Before the loop runs. NULL: err says why. */
struct worker *worker_new(const struct worker_setup *setup, struct error *err);

/* [main] From its next request on the worker goes by this table. Takes the reference over. Must not be called again before
 * on_table. */
void worker_set_table(struct worker *worker, struct table *table);

/* [any] Stops accepting, lets running requests finish, then stops the loop. */
void worker_drain(struct worker *worker);

/* [any] worker_drain(), and gives up what still runs, cleanly: nothing more becomes visible. It waits a second for
 * stores that have not answered yet; then the clients get their answers without them. */
void worker_abort(struct worker *worker);

/* [main] After its loop and every thread that gives chunks back to the pool have ended. NULL is fine. */
void worker_free(struct worker *worker);

const char *worker_library_version(void); /* of the libmicrohttpd that runs */

#endif
