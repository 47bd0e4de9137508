// SPDX-License-Identifier: MIT
/* keys.c - the keys of a destination of type directory. */
#include "config/rows.h"
#include "sink/directory/settings.h"

static const struct key rows[] = {
	{ "type", KEY_WORD, .required = true, WORDS({ "directory", 0 }), .help = "The kind of destination." },
	{ "path", KEY_TEXT, .required = true, AT(directory_settings, path),
		.help = "The folder, absolute or from the working directory. A start makes it, if what it lies in is there." },
	{ "exists", KEY_WORD, .fallback = "refuse",
		WORDS({ "refuse", EXISTS_REFUSE }, { "replace", EXISTS_REPLACE }), AT(directory_settings, exists),
		.help = "What happens to a file of the same name: `refuse` answers 409." },
	{ "names", KEY_TABLE, AT(directory_settings, common), TABLES(&destination_names),
		.help = "What clients may bring into names." },
};
const struct key_table directory_keys = { "a destination of type directory", "destinations.NAME (type: directory)",
	KEYS(rows) };
