// SPDX-License-Identifier: MIT
/* sinks.c - the running half of each kind of destination. */
#include "sink/sink.h"

#include "base/must.h"
#include "config/kind.h"

#define SINK(name) extern const struct sink name##_sink;
#include "sink/sinks.def"
#undef SINK

#define SINK(name) &name##_sink,
static const struct sink *const sinks[] = {
#include "sink/sinks.def"
};

const struct sink *
sink_of(const struct destination *to)
{
	size_t n = sizeof sinks / sizeof sinks[0], i = 0;

	while (i < n && destination_kinds[i] != to->kind)
		i++;
	must(i < n);
	return sinks[i];
}
