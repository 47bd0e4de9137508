// SPDX-License-Identifier: MIT
/* sink.h - the running half of a kind of destination: who takes the bytes of its orders away. The half that a route file
 * knows is config/kind.h's. Each is one constant, NAME_sink, for the line of sinks.def. */
#ifndef PENSTOCK_SINK_H
#define PENSTOCK_SINK_H

#include "sink/engine.h"
#include "sink/order.h"

struct disk;

/* What a sink may run on. */
struct sink_place {
	struct engine *engine; /* of the worker that was chosen for the order */
	struct pool *pool;
	struct disk *disk;
};

struct sink {
	/* [producer] As outlets.open. */
	bool (*begin)(const struct sink_place *place, struct order *order, const struct channel_side *producer,
		struct error *err);

	/* [producer] As outlets.pump. */
	void (*pump)(struct order *order);
};

const struct sink *sink_of(const struct destination *to);

#endif
