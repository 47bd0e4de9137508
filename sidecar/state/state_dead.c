// SPDX-License-Identifier: MIT
/* state_dead.c - the files of dead processes that this one has taken over, as long as anything of them is left. */
#include "base/log.h"
#include "base/mem.h"
#include "state/state_priv.h"

void
state_count_unsettled(struct state *state)
{
	size_t n = 0;

	for (const struct dead_file *file = state->dead; file != NULL; file = file->next)
		n += file->n_open;
	counter_set(&state->unsettled, n);
}

void
state_drop(struct state *state, struct dead_file *file)
{
	struct dead_file **at = &state->dead;

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	log_line(LOG_INFO, "state", "all that a process had left half done is settled",
		LOG_TEXTVAL("file", file->name));
	dead_free(file);
}
