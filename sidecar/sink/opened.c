// SPDX-License-Identifier: MIT
/* opened.c - see sink.h: what a sink keeps open for a route table, as sinks.c has opened it. Sinks ask here, and sinks.c knows them. */
#include "base/must.h"
#include "config/kind.h"
#include "sink/sink.h"

void *
sink_opened(const struct table *table, const struct destination_kind *kind)
{
	void *const *opened = table->opened;
	size_t i = 0;

	while (destination_kinds[i] != kind)
		must(destination_kinds[i++] != NULL);
	return opened[i];
}
