// SPDX-License-Identifier: MIT
/* owed.c - the forms of state.h of which an application does not know yet what became of them: those that dead processes have left,
 * and those of this one. */
#include "base/must.h"
#include "state/state_priv.h"

#include <stdio.h>
#include <string.h>

static void
queue(struct state *state, struct state_owed *owed)
{
	owed->next = NULL;
	*state->queue_end = owed;
	state->queue_end = &owed->next;
}

void
owed_count(struct state *state)
{
	size_t n = counter_read(&state->owing);

	for (const struct dead_file *file = state->dead; file != NULL; file = file->next)
		n += file->n_owed;
	counter_set(&state->owed, n);
}

void
owed_add_dead(struct state *state, struct dead_file *file)
{
	for (struct dead_entry *entry = file->entries; entry != NULL; entry = entry->next)
		if (dead_is_owed(entry))
			queue(state, &entry->owed);
}

static void
count_own(struct state *state)
{
	counter_set(&state->owing, state->own.n_owing);
	owed_count(state);
}

void
owed_add_own(struct state_entry *entry)
{
	struct state *state = entry->state;

	pthread_mutex_lock(&state->lock);
	queue(state, &entry->owed);
	count_own(state);
	snprintf(state->owing_to, sizeof state->owing_to, "%s", entry->owed.app.destination);
	pthread_mutex_unlock(&state->lock);
	if (state->on_owed != NULL)
		state->on_owed(state->on_owed_arg);
}

void
state_on_owed(struct state *state, void (*on_owed)(void *arg), void *arg)
{
	state->on_owed = on_owed;
	state->on_owed_arg = arg;
}

struct state_owed *
state_take_owed(struct state *state)
{
	struct state_owed *owed;

	pthread_mutex_lock(&state->lock);
	owed = state->queue;
	if (owed != NULL)
		state->queue = owed->next;
	if (state->queue == NULL)
		state->queue_end = &state->queue;
	pthread_mutex_unlock(&state->lock);
	return owed;
}

/* False: the disk does not have it. */
static bool
decide(struct state *state, struct dead_entry *entry, enum record_kind kind, bool durable)
{
	struct dead_file *file = entry->file;
	bool ok;

	pthread_mutex_lock(&state->lock);
	ok = dead_note(entry, kind, durable);
	if (ok && dead_settle_rest(file))
		state_drop(state, file);
	state_count_unsettled(state);
	owed_count(state);
	pthread_mutex_unlock(&state->lock);
	return ok;
}

/* If that does not reach the disk the application is told once more, which is no harm. */
void
state_owed_told(struct state *state, struct state_owed *owed)
{
	must(!owed->is_question);
	if (owed->dead != NULL) {
		decide(state, owed->dead, RECORD_TOLD, false);
		return;
	}
	own_entries_told(owed->entry);
	pthread_mutex_lock(&state->lock);
	count_own(state);
	pthread_mutex_unlock(&state->lock);
}

bool
state_owed_answered(struct state *state, struct state_owed *owed, bool stands)
{
	must(owed->is_question && owed->dead != NULL);
	return decide(state, owed->dead, stands ? RECORD_DONE : RECORD_TOLD, true);
}

size_t
state_owed(const struct state *state)
{
	return counter_read(&state->owed);
}

bool
state_is_owing_much(const struct state *state)
{
	return counter_read(&state->owing) >= STATE_OWING_MAX;
}

void
state_owing_to(struct state *state, char name[STATE_OWING_TO_SIZE])
{
	pthread_mutex_lock(&state->lock);
	memcpy(name, state->owing_to, STATE_OWING_TO_SIZE);
	pthread_mutex_unlock(&state->lock);
}
