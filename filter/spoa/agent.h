// SPDX-License-Identifier: MIT
/* agent.h - the SPOP agent that HAProxy asks, before a byte of body, whether an upload may come in.
 *
 * It has a thread and a loop of its own, so that no upload delays an answer. It reads the immutable routes and figures
 * that any thread may read, and changes none of them: an admission reserves nothing, and the request counts against
 * limits.concurrent and limits.per_client only when it arrives. SPOP 2.0 with pipelining; no fragmentation, no async.
 */
#ifndef PENSTOCK_SPOA_AGENT_H
#define PENSTOCK_SPOA_AGENT_H

#include "base/counter.h"
#include "base/error.h"
#include "channel/pool.h"
#include "config/route.h"
#include "loop/loop.h"
#include "route/clients.h"
#include "route/table.h"

struct agent;

struct agent_setup {
	struct table *table;            /* in force at the start; its spoa.listen has at least one entry */
	const struct pool *pool;        /* whether the memory budget is used up */
	struct clients *clients;        /* what each client has */
	const struct counter *draining; /* not 0: the process is shutting down */
	void (*on_table)(void *arg);    /* [agent] it has taken what agent_set_table() brought */
	void *on_table_arg;
};

/* [main] Binds its addresses and starts its thread. NULL: err says why. */
struct agent *agent_new(const struct agent_setup *setup, struct error *err);

/* [main] From the next question on the agent answers from this table. Takes the reference over. Must not be called again before
 * on_table. */
void agent_set_table(struct agent *agent, struct table *table);

struct loop *agent_loop(struct agent *agent);

/* [main] Stops accepting, sends DISCONNECT 0 on every connection after its last ACK, ends the thread, waits for it
 * and frees everything. NULL is fine. */
void agent_free(struct agent *agent);

#endif
