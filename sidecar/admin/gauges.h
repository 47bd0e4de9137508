// SPDX-License-Identifier: MIT
/* gauges.h - the text of GET /metrics: the counters of base/metrics.def, what the sinks count, and gauges that any thread may
 * read at any moment. */
#ifndef PENSTOCK_GAUGES_H
#define PENSTOCK_GAUGES_H

#include "base/metrics.h"
#include "channel/pool.h"
#include "channel/queue.h"
#include "route/clients.h"
#include "route/table.h"
#include "sink/probe.h"
#include "state/state.h"

struct gauges {
	const struct metrics *metrics;
	const struct pool *pool;
	struct queue *queue;
	const struct clients *clients;
	const struct counter *requests; /* under way */
	const struct counter *draining;
	struct state *state; /* NULL: there is none */
};

/* [admin] Text in the format of Prometheus, version 0.0.4. `probe` may be NULL. */
void gauges_write(
	const struct gauges *gauges, const struct table *table, const struct probe *probe, struct buf *out);

#endif
