// SPDX-License-Identifier: MIT
/* kind_keys.c - the keys that destinations of every kind have: see kind.h. */
#include "config/kind.h"

#include "config/rows.h"

static const struct key names_keys[] = {
	{ "unsafe", KEY_WORD, .fallback = "replace", WORDS({ "replace", false }, { "refuse", true }),
		AT(destination_settings, refuses_unsafe),
		.help = "What happens to a form that would bring `/`, `\\`, a control byte, an escape (`%2F`), or an empty or dot "
			"segment into a name: `replace` makes it harmless (see What a client may bring into a name), `refuse` answers 422." },
};
const struct key_table destination_names = { "`names` of a destination", "destinations.NAME.names",
	KEYS(names_keys) };
