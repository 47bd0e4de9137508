// SPDX-License-Identifier: MIT
/* kinds.c - all kinds of destinations, for config/kind.h. */
#include "config/kind.h"

#define SINK(name)                                                                                                 \
	extern const struct destination_kind name##_kind;                                                          \
	extern const struct key_table name##_keys;
#include "sink/sinks.def"
#undef SINK

#define SINK(name) &name##_kind,
const struct destination_kind *const destination_kinds[] = {
#include "sink/sinks.def"
	NULL
};
#undef SINK

#define SINK(name) &name##_keys,
const struct key_table *const destination_tables[] = {
#include "sink/sinks.def"
	NULL
};
