// SPDX-License-Identifier: MIT
/* own_left.c - what the makers of this process's entries have left: uploads that may be unfinished, and forms that were given up and of
 * which stores have not taken everything back. This process settles both, so it does not have to end before a store that comes back is
 * asked again. What nobody may touch, and what the journal of a folder still asks for, goes on being told to the next start.
 * [its thread] */
#include "base/mem.h"
#include "base/must.h"
#include "state/state_priv.h"

#include <string.h>

/* Whatever became of it, nobody else has an object, or an upload, of that name. */
static bool
is_to_settle(const struct dead_object *object)
{
	return !object->is_settled && (object->is.back == RECORD_BACK_UPLOAD || object->is.back == RECORD_BACK_ASK);
}

static bool
is_alike(const struct dead_object *a, const struct dead_object *b)
{
	return is_to_settle(a) && a->is.back == b->is.back && strcmp(a->is.destination, b->is.destination) == 0;
}

static size_t
count_to_settle(const struct dead_entry *left)
{
	size_t n = 0;

	for (size_t i = 0; i < left->n; i++)
		n += is_to_settle(&left->objects[i]);
	return n;
}

static size_t
count_alike(const struct own_file *own, const struct dead_object *object)
{
	size_t n = 0;

	for (const struct state_entry *e = own->live; e != NULL; e = e->next)
		for (size_t i = 0; e->left != NULL && i < e->left->n; i++)
			n += is_alike(&e->left->objects[i], object);
	return n;
}

/* Of one destination, with those of this entry. */
static bool
are_too_many(const struct own_file *own, const struct dead_entry *left)
{
	if (left->n > STATE_LEFT_MAX)
		return true;
	for (size_t i = 0; i < left->n; i++)
		if (is_to_settle(&left->objects[i]) && count_alike(own, &left->objects[i]) > STATE_LEFT_MAX)
			return true;
	return false;
}

/* NULL: out of memory. */
static struct dead_entry *
read_left(const struct state_entry *entry)
{
	struct dead_entry *left;
	struct record record;

	if (!record_read(buf_str(&entry->payload), &record))
		return NULL;
	left = dead_entry_new(NULL, &record);
	if (left == NULL)
		return NULL;
	left->is_asked = entry->is_asked;
	left->is_owed = entry->is_owed;
	left->is_told = entry->is_told;
	left->is_done = entry->is_done;
	return left;
}

static void
forget_left(struct state_entry *entry)
{
	mem_free(entry->left);
	entry->left = NULL;
}

bool
own_left_begin(struct state_entry *entry)
{
	bool is_upload;
	size_t n;

	if (entry->left != NULL || entry->is_gone)
		return true;
	entry->left = read_left(entry);
	if (entry->left == NULL) /* waits for the next start */
		return true;
	is_upload = dead_is_upload(entry->left);
	n = dead_fate(entry->left) == STATE_CUT ? count_to_settle(entry->left) : 0;
	if (n > 0 && !are_too_many(&entry->state->own, entry->left)) {
		counter_add(&entry->state->left, n);
		return true;
	}
	forget_left(entry);
	return !is_upload;
}

void
own_left_add(struct state_entry *entry)
{
	if (!own_left_begin(entry)) {
		own_entries_forget(entry);
		return;
	}
	entry->is_left = true;
	entry->state->own.n_left++;
}

/* That a form does not stand is on the disk before anything of it is taken back: else the next start could hear of its application that it
 * stands. */
static bool
must_wait(const struct state *state, const struct state_entry *entry)
{
	return entry->has_app && counter_read(&state->broken) != 0;
}

struct dead_object *
own_left_take(struct state *state)
{
	for (struct state_entry *entry = state->own.live; entry != NULL; entry = entry->next) {
		if (entry->left == NULL || must_wait(state, entry))
			continue;
		for (size_t i = 0; i < entry->left->n; i++) {
			struct dead_object *object = &entry->left->objects[i];

			if (!is_to_settle(object) || object->is_taken)
				continue;
			object->is_taken = true;
			return object;
		}
	}
	return NULL;
}

/* Is there something that is for the next start to see? */
static bool
is_still_told(const struct state_entry *entry)
{
	for (size_t i = 0; i < entry->left->n; i++)
		if (entry->left->objects[i].is.back == RECORD_BACK_TELL)
			return true;
	return entry->is_asked_for;
}

void
own_left_settle(struct state *state, struct dead_object *object)
{
	struct own_file *own = &state->own;
	struct state_entry *entry = own->live;

	while (entry != NULL && entry->left != object->entry)
		entry = entry->next;
	must(entry != NULL);
	object->is_settled = true;
	counter_sub(&state->left, 1);
	if (count_to_settle(entry->left) > 0 || is_still_told(entry))
		return;
	own->n_left -= entry->is_left;
	forget_left(entry);
	own_entries_gone(entry);
}
