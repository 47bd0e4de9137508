// SPDX-License-Identifier: MIT
/* gauges.c - see gauges.h. */
#include "admin/gauges.h"

#include "sink/sinks.h"

static void
write_one(struct buf *out, const char *name, const char *help, uint64_t n)
{
	metrics_write_head(out, name, "gauge", help);
	metrics_write_sample(out, name, NULL, NULL, n);
}

static void
write_pool(const struct pool *pool, struct buf *out)
{
	uint64_t total = pool_total(pool), left = pool_available(pool);

	write_one(out, "penstock_memory_bytes", "Memory for bodies in flight: `memory` of the route file.",
		total * CHUNK_SIZE);
	write_one(out, "penstock_memory_used_bytes", "Of these, in use or reserved.",
		(left < total ? total - left : 0) * CHUNK_SIZE);
}

static void
write_routes(const struct table *table, struct buf *out)
{
	static const char name[] = "penstock_route_requests";

	metrics_write_head(out, name, "gauge", "Requests under way, by route.");
	for (size_t i = 0; i < table->config->n_routes; i++)
		metrics_write_sample(
			out, name, "route", table->config->routes[i].id, counter_read(table->active[i]));
}

static void
write_destinations(const struct probe *probe, struct buf *out)
{
	static const char name[] = "penstock_destination_reachable";
	const char *destination;
	bool is_reachable;

	metrics_write_head(
		out, name, "gauge", "1 if the destination could be connected to; those with `ready: connect`.");
	for (size_t i = 0; probe_result(probe, i, &destination, &is_reachable); i++)
		metrics_write_sample(out, name, "destination", destination, is_reachable);
}

static void
write_state(const struct state *state, struct buf *out)
{
	write_one(out, "penstock_state_unsettled",
		"Objects of commits that were cut short, and of forms that were given up, of which something is left to do or to be told.",
		state_unsettled(state));
	write_one(out, "penstock_state_owed",
		"Forms of which an application has still to be told that they do not stand, or to be asked whether they do.",
		state_owed(state));
}

void
gauges_write(const struct gauges *gauges, const struct table *table, const struct probe *probe, struct buf *out)
{
	metrics_write(gauges->metrics, out);
	write_one(out, "penstock_requests", "Requests under way.", counter_read(gauges->requests));
	write_routes(table, out);
	write_pool(gauges->pool, out);
	write_one(out, "penstock_requests_waiting",
		"Of the requests under way, those that wait for memory before their body.",
		queue_length(gauges->queue));
	write_one(out, "penstock_client_counts",
		"What is counted of clients (limits.per_client) at this moment: for each client and route one of each limit.",
		clients_length(gauges->clients));
	if (probe != NULL)
		write_destinations(probe, out);
	sinks_metrics(table, out);
	write_one(
		out, "penstock_draining", "1 if the process is shutting down.", counter_read(gauges->draining) > 0);
	if (gauges->state != NULL)
		write_state(gauges->state, out);
	metrics_write_head(out, "penstock_build_info", "gauge", "1; which version this is.");
	metrics_write_sample(out, "penstock_build_info", "version", PENSTOCK_VERSION, 1);
}
