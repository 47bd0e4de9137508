// SPDX-License-Identifier: MIT
/* keys.c - the keys of a destination of type discard. */
#include "config/rows.h"
#include "sink/discard/settings.h"

static const struct key rows[] = {
	{ "type", KEY_WORD, .required = true, WORDS({ "discard", 0 }), .help = "The kind of destination." },
	{ "memory", KEY_SIZE, .fallback = "0B", .min = 0, .max = TIB, AT(discard_settings, memory),
		.help = "It holds up to so much of each form before it forgets it, as a store does that takes large pieces: to try "
			"how many uploads a `memory` bears." },
	{ "names", KEY_TABLE, AT(discard_settings, common), TABLES(&destination_names),
		.help = "What clients may bring into names." },
};
const struct key_table discard_keys = { "a destination of type discard", "destinations.NAME (type: discard)",
	KEYS(rows) };
