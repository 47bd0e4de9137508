// SPDX-License-Identifier: MIT
/* sinks.c - the running half of each kind of destination, and what all of them keep open for a route table. */
#include "sink/sinks.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/kind.h"
#include "sink/sink.h"

#define SINK(name) extern const struct sink name##_sink;
#include "sink/sinks.def"
#undef SINK

#define SINK(name) &name##_sink,
static const struct sink *const sinks[] = {
#include "sink/sinks.def"
};

#define N_SINKS (sizeof sinks / sizeof sinks[0])

const struct sink *
sink_of(const struct destination *to)
{
	size_t i = 0;

	while (i < N_SINKS && destination_kinds[i] != to->kind)
		i++;
	must(i < N_SINKS);
	return sinks[i];
}

/* -- opening and closing ------------------------------------------------------------------------------ */

/* table->opened is what each sink keeps open, in the order of sinks.def: opened.c. */

static void
close_all(void *arg)
{
	void **opened = arg;

	for (size_t i = 0; i < N_SINKS; i++)
		if (opened[i] != NULL && sinks[i]->close != NULL)
			sinks[i]->close(opened[i]);
	mem_free(opened);
}

static bool
open_one(void **opened, size_t i, const struct config *config, void *const *before, struct state *state,
	struct error *err)
{
	if (sinks[i]->open == NULL)
		return true;
	opened[i] = sinks[i]->open(config, before != NULL ? before[i] : NULL, state, err);
	return opened[i] != NULL;
}

static void *
open_all(const struct config *config, const void *before, struct state *state, struct error *err)
{
	void **opened = mem_array(N_SINKS, sizeof *opened);

	if (opened == NULL) {
		error_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < N_SINKS; i++)
		if (!open_one(opened, i, config, before, state, err)) {
			close_all(opened);
			return NULL;
		}
	return opened;
}

const struct table_opener sinks_opener = { .open = open_all, .close = close_all };

/* -- is all well? ------------------------------------------------------------------------------------- */

void
sinks_look(const struct table *table)
{
	/* Trying writes to the disk: only where somebody can ask for the result. */
	bool write = table->config->admin.n_listen > 0;

	for (size_t i = 0; i < N_SINKS; i++)
		if (sinks[i]->look != NULL)
			sinks[i]->look(sink_opened(table, destination_kinds[i]), table->config, write);
}

bool
sinks_are_good(const struct table *table, struct buf *why)
{
	bool good = true;

	for (size_t i = 0; i < N_SINKS; i++)
		if (sinks[i]->is_good != NULL)
			good = sinks[i]->is_good(sink_opened(table, destination_kinds[i]), table->config, why) &&
				good;
	return good;
}

void
sinks_metrics(const struct table *table, struct buf *out)
{
	for (size_t i = 0; i < N_SINKS; i++)
		if (sinks[i]->metrics != NULL)
			sinks[i]->metrics(sink_opened(table, destination_kinds[i]), table->config, out);
}

void
sinks_would(const struct order *order, struct would *would)
{
	const struct sink *sink = sink_of(order->to);

	if (sink->would != NULL)
		sink->would(order, would);
}

unsigned
sinks_check(const struct config *config, struct buf *out)
{
	unsigned n = 0;

	for (size_t i = 0; i < N_SINKS; i++)
		if (sinks[i]->check != NULL)
			n += sinks[i]->check(config, out);
	return n;
}
