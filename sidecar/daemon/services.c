// SPDX-License-Identifier: MIT
/* services.c - see running.h. Each brings the mail by which it hears of a reload. */
#include "base/mem.h"
#include "daemon/running.h"

#include <stdio.h>

static void
set_agent_table(void *agent, struct table *table)
{
	agent_set_table(agent, table);
}

/* The agent answers until the last upload is done. It answers "draining", so that the gateway need not find out by itself. */
bool
services_start_agent(struct sidecar *sidecar, struct error *err)
{
	struct agent_setup setup = {
		.table = sidecar->reload.table,
		.pool = sidecar->pool,
		.clients = sidecar->clients,
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

/* To be called before the workers are made: no other thread uses its loop before that. */
bool
services_start_state(struct sidecar *sidecar, struct error *err)
{
	struct settle_setup setup = {
		.state = sidecar->state,
		.table = sidecar->reload.table,
		.pool = sidecar->pool,
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

static void
set_sweeper_table(void *sweeper, struct table *table)
{
	sweeper_set_table(sweeper, table);
}

bool
services_start_sweeper(struct sidecar *sidecar, struct error *err)
{
	struct sweeper_setup setup = { .table = sidecar->reload.table, .on_table = reload_taken };
	struct reload_taker *taker;

	setup.on_table_arg = taker = reload_add(&sidecar->reload, set_sweeper_table);
	taker->who = sidecar->sweeper = sweeper_new(&setup, err);
	return sidecar->sweeper != NULL;
}

/* All loops, because the process is alive if all of them turn. The main loop is the first, the admin server's the last. */
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

/* The admin server answers until the last upload is done. */
static bool
start_admin(struct sidecar *sidecar, struct watchdog_target *targets, struct error *err)
{
	struct admin_setup setup = {
		.table = sidecar->reload.table,
		.gauges = { &sidecar->metrics, sidecar->pool, sidecar->queue, sidecar->clients, &sidecar->requests,
			&sidecar->leaving, sidecar->state },
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

/* Starts last, because uploads may come as soon as the service manager is told. */
bool
services_start_admin(struct sidecar *sidecar, struct error *err)
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
