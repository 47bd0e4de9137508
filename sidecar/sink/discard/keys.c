// SPDX-License-Identifier: MIT
/* keys.c - the keys of a destination of type discard. */
#include "config/kind.h"
#include "config/rows.h"

static const struct key rows[] = {
	{ "type", KEY_WORD, .required = true, WORDS({ "discard", 0 }), .help = "The kind of destination." },
	{ "names", KEY_TABLE, TABLES(&destination_names), .help = "What clients may bring into names." },
};
extern const struct key_table discard_keys;
const struct key_table discard_keys = { "a destination of type discard", "destinations.NAME (type: discard)",
	KEYS(rows) };
