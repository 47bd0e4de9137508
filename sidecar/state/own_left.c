// SPDX-License-Identifier: MIT
/* own_left.c - what the makers of this process's entries have left. An upload that is left is settled by this process, so it does not
 * have to end before a store that comes back is asked again; all else is the next start's. [its thread] */
#include "base/mem.h"
#include "base/must.h"
#include "state/state_priv.h"

#include <string.h>

static const char *
destination_of(const struct state_entry *entry)
{
	return entry->upload->objects[0].is.destination;
}

/* Must there be no more of that destination? */
static bool
is_too_many(const struct own_file *own, const struct state_entry *entry)
{
	size_t n = 0;

	for (const struct state_entry *e = own->live; e != NULL; e = e->next)
		n += e != entry && e->upload != NULL && strcmp(destination_of(e), destination_of(entry)) == 0;
	return n >= STATE_LEFT_MAX;
}

/* Without memory it waits for the next start. */
static void
find_upload(struct state_entry *entry)
{
	struct record record;

	if (record_read(buf_str(&entry->payload), &record))
		entry->upload = dead_entry_new(NULL, &record);
	if (entry->upload == NULL || dead_is_upload(entry->upload))
		return;
	mem_free(entry->upload);
	entry->upload = NULL;
}

void
own_left_add(struct state_entry *entry)
{
	struct own_file *own = &entry->state->own;

	find_upload(entry);
	if (entry->upload != NULL && is_too_many(own, entry)) {
		own_entries_forget(entry);
		return;
	}
	entry->is_left = true;
	own->n_left++;
	if (entry->upload != NULL)
		counter_add(&entry->state->left, 1);
}

struct dead_object *
own_left_take(struct own_file *own)
{
	for (struct state_entry *entry = own->live; entry != NULL; entry = entry->next) {
		if (entry->upload == NULL || entry->upload->objects[0].is_taken)
			continue;
		entry->upload->objects[0].is_taken = true;
		return &entry->upload->objects[0];
	}
	return NULL;
}

void
own_left_settle(struct state *state, const struct dead_object *object)
{
	struct own_file *own = &state->own;
	struct state_entry *entry = own->live;

	while (entry != NULL && entry->upload != object->entry)
		entry = entry->next;
	must(entry != NULL);
	own->n_left--;
	counter_sub(&state->left, 1);
	own_entries_forget(entry);
}
