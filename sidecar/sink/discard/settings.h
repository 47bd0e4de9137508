// SPDX-License-Identifier: MIT
/* settings.h - what a route file says of a destination of type discard. For sink/discard alone. */
#ifndef PENSTOCK_DISCARD_SETTINGS_H
#define PENSTOCK_DISCARD_SETTINGS_H

#include "config/kind.h"

struct discard_settings {
	struct destination_settings common;
	uint64_t memory; /* bytes that it holds before it forgets them; 0: none */
};

extern const struct destination_kind discard_kind;
extern const struct key_table discard_keys;

static inline const struct discard_settings *
discard_settings(const struct destination *to)
{
	return (const struct discard_settings *)(const void *)to->settings;
}

#endif
