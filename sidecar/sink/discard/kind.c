// SPDX-License-Identifier: MIT
/* kind.c - what a route file must know of destinations of type discard: next to nothing. */
#include "sink/discard/settings.h"

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

static bool
restores(const struct destination_settings *settings)
{
	(void)settings;
	return true;
}

static uint64_t
form_memory(const struct destination_settings *settings, uint64_t largest)
{
	(void)largest;
	return ((const struct discard_settings *)(const void *)settings)->memory;
}

const struct destination_kind discard_kind = {
	.word = "discard",
	.noun = "a discard",
	.keys = &discard_keys,
	.settings_size = sizeof(struct discard_settings),
	.traits = KIND_LOCAL | KIND_NAMES_LATE,
	.style = TEMPLATE_FOR_FILE,
	.place = place,
	.can_undo = can_undo,
	.restores = restores,
	.form_memory = form_memory,
};
