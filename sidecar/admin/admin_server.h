// SPDX-License-Identifier: MIT
/* admin_server.h - tells how the process is (`admin.listen`). It has a thread and a loop of its own, so that it answers also when
 * all other threads are stuck.
 *
 *   GET /livez    200 if every loop turns, else 503 and which does not: restart it
 *   GET /readyz   200 if it also takes uploads, else 503 and a line for each reason: send nothing here for now. It takes them
 *                 if it is not shutting down, memory is under its mark, destinations with `ready: connect` can be reached,
 *                 and folders and `state` can be written and have nothing unsettled
 *   GET /version  JSON
 *   GET /metrics  for Prometheus: counters (base/metrics.def) and gauges (gauges.h)
 *
 * It takes GET and HEAD. No answer waits for another thread: it is made of what the watchdog, the probe and the lookout have found
 * last, and of gauges that any thread may read. No answer holds a secret, an address of a destination or a path of this machine.
 */
#ifndef PENSTOCK_ADMIN_SERVER_H
#define PENSTOCK_ADMIN_SERVER_H

#include "admin/gauges.h"
#include "admin/watchdog.h"
#include "base/error.h"
#include "route/table.h"

struct admin_server;

struct admin_setup {
	struct table *table; /* in force at the start; its admin.listen has at least one entry */
	struct gauges gauges;
	const struct settle *settle;           /* NULL: there is no `state` */
	const struct watchdog_target *targets; /* every other loop; copied */
	size_t n_targets;
	void (*on_table)(void *arg); /* [server] it has taken what admin_server_set_table() brought */
	void *on_table_arg;
};

/* [main] Binds its addresses and starts its thread. NULL: err says why. */
struct admin_server *admin_server_new(const struct admin_setup *setup, struct error *err);

/* [main] From now on the answers are about the destinations of this table. Takes the reference over. Must not be called again
 * before on_table. */
void admin_server_set_table(struct admin_server *server, struct table *table);

struct loop *admin_server_loop(struct admin_server *server); /* for another watchdog */

/* [main] Ends its thread and waits for it: from then on it sends no mail. Once. NULL is fine. */
void admin_server_stop(struct admin_server *server);

/* [main] After admin_server_stop(), and after the targets' threads have ended and their mail is delivered. NULL is fine. */
void admin_server_free(struct admin_server *server);

#endif
