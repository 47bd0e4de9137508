// SPDX-License-Identifier: MIT
/* kind.c - what a route file must know of destinations of type discard: next to nothing. */
#include "config/kind.h"

/* Nothing of two of them is ever in each other's way. */
static bool
place(const struct config *config, size_t at, bool elsewhere, struct buf *out)
{
	(void)elsewhere;
	buf_addf(out, "discard %s", config->destinations[at].name);
	return true;
}

static bool
can_undo(const struct destination_settings *settings)
{
	(void)settings;
	return true;
}

extern const struct key_table discard_keys;
extern const struct destination_kind discard_kind;
const struct destination_kind discard_kind = {
	.word = "discard",
	.noun = "a discard",
	.keys = &discard_keys,
	.settings_size = sizeof(struct destination_settings),
	.traits = KIND_LOCAL,
	.style = TEMPLATE_FOR_FILE,
	.place = place,
	.can_undo = can_undo,
};
