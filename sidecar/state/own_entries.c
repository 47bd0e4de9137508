// SPDX-License-Identifier: MIT
/* own_entries.c - what this process's file tells: the entries that are alive, and what is noted of them. [its thread]
 *
 * One that is owing (its application has to be told that the form does not stand) stays alive after its last hold is gone, until the
 * application knows. Where no object is left it then forgets them: there may be thousands of entries while an application is down. */
#include "base/container_of.h"
#include "base/must.h"
#include "state/state_priv.h"

static void
link_live(struct own_file *own, struct state_entry *entry)
{
	entry->next = own->live;
	entry->before = NULL;
	if (own->live != NULL)
		own->live->before = entry;
	own->live = entry;
	own->live_bytes += entry->payload.len;
	entry->is_live = true;
}

void
own_entries_unlink(struct own_file *own, struct state_entry *entry)
{
	if (!entry->is_live)
		return;
	if (entry->before != NULL)
		entry->before->next = entry->next;
	else
		own->live = entry->next;
	if (entry->next != NULL)
		entry->next->before = entry->before;
	own->live_bytes -= entry->payload.len;
	entry->is_live = false;
}

void
own_entries_write(const struct state_entry *entry, struct buf *out)
{
	record_write(out, buf_str(&entry->payload));
	if (entry->is_asked)
		record_write_note(out, RECORD_ASKED, entry->id);
	if (entry->is_owed)
		record_write_note(out, RECORD_OWED, entry->id);
	if (entry->is_gone)
		record_write_note(out, RECORD_GONE, entry->id);
	if (entry->is_told)
		record_write_note(out, RECORD_TOLD, entry->id);
	if (entry->is_done)
		record_write_note(out, RECORD_DONE, entry->id);
}

/* -- waiting for the disk ------------------------------------------------------------------------------- */

static void
wait_for_disk(struct state_entry *entry, enum record_kind with)
{
	struct own_file *own = &entry->state->own;

	entry->waits_with = with;
	entry->next_waiting = NULL;
	*own->last_waiting = entry;
	own->last_waiting = &entry->next_waiting;
}

/* What was decided of a form stays decided, and is in the file once it is written anew. */
static void
take_back(struct own_file *own, struct state_entry *entry)
{
	if (entry->waits_with == RECORD_INTENT)
		own_entries_unlink(own, entry);
	else if (entry->waits_with == RECORD_ASKED)
		entry->is_asked = false;
	else if (entry->waits_with == RECORD_DONE)
		entry->is_done = false;
}

/* The maker may do anything with the entry as soon as it is told. */
void
own_entries_answer(struct own_file *own, int error)
{
	struct state_entry *entry = own->waiting, *next;

	own->waiting = NULL;
	own->last_waiting = &own->waiting;
	for (; entry != NULL; entry = next) {
		next = entry->next_waiting;
		entry->error = error;
		if (error != 0)
			take_back(own, entry);
		entry_answer(entry);
	}
}

/* -- orders --------------------------------------------------------------------------------------------- */

static void
tell(struct state_entry *entry)
{
	struct own_file *own = &entry->state->own;

	own_entries_write(entry, &own->batch);
	link_live(own, entry);
	wait_for_disk(entry, RECORD_INTENT);
}

static void
mention(struct state_entry *entry)
{
	struct own_file *own = &entry->state->own;

	own_entries_write(entry, &own->batch);
	link_live(own, entry);
	own->has_mentions = true;
}

static void
note(struct state_entry *entry, enum record_kind kind)
{
	record_write_note(&entry->state->own.batch, kind, entry->id);
	entry->is_asked = entry->is_asked || kind == RECORD_ASKED;
	entry->is_owed = entry->is_owed || kind == RECORD_OWED;
	entry->is_gone = entry->is_gone || kind == RECORD_GONE;
	entry->is_told = entry->is_told || kind == RECORD_TOLD;
	entry->is_done = entry->is_done || kind == RECORD_DONE;
}

static void
note_and_answer(struct state_entry *entry, enum record_kind kind)
{
	note(entry, kind);
	wait_for_disk(entry, kind);
}

/* Without memory for the small payload the large one stays. */
static void
say_whom(struct state_entry *entry)
{
	struct record record;

	must(record_read(buf_str(&entry->payload), &record) && record.has_app);
	record_begin(&entry->small, entry->id, &record.app);
	if (entry->small.failed)
		buf_free(&entry->small);
	else
		must(record_read(buf_str(&entry->small), &record));
	entry->owed = (struct state_owed){ .id = entry->id, .app = record.app, .entry = entry };
}

static void
owe(struct state_entry *entry)
{
	if (!entry->is_owed)
		note(entry, RECORD_OWED);
	if (!entry->leaves_objects)
		note(entry, RECORD_GONE);
	say_whom(entry);
	entry->is_owing = true;
	entry->state->own.n_owing++;
	owed_add_own(entry);
}

/* No folder has a journal any more that would ask for it. */
static void
forget_objects(struct state_entry *entry)
{
	struct own_file *own = &entry->state->own;

	if (!entry->is_gone || entry->small.len == 0)
		return;
	own_entries_unlink(own, entry);
	buf_free(&entry->payload);
	entry->payload = entry->small;
	entry->small = (struct buf){ 0 };
	link_live(own, entry);
}

static void
remove_entry(struct state_entry *entry)
{
	own_entries_unlink(&entry->state->own, entry);
	entry_free(entry);
}

void
own_entries_forget(struct state_entry *entry)
{
	note(entry, RECORD_DONE);
	remove_entry(entry);
}

void
own_entries_gone(struct state_entry *entry)
{
	if (!entry->is_owing) {
		own_entries_forget(entry);
		return;
	}
	note(entry, RECORD_GONE);
	forget_objects(entry);
}

/* The last hold is gone: it is freed, now or at the end. */
static void
drop(struct state_entry *entry)
{
	if (entry->is_owing) {
		entry->is_dropped = true;
		forget_objects(entry);
		own_left_begin(entry);
	} else if (entry->is_live && (!entry->is_done || entry->is_asked_for)) {
		own_left_add(entry); /* something of it may be there, or unfinished */
	} else {
		remove_entry(entry);
	}
}

void
own_entries_told(struct state_entry *entry)
{
	must(entry->is_owing);
	note(entry, entry->is_gone ? RECORD_DONE : RECORD_TOLD);
	entry->is_owing = false;
	entry->state->own.n_owing--;
	if (entry->is_dropped)
		drop(entry);
}

static void
on_orders(struct mail *mail, unsigned bits)
{
	struct state_entry *entry = container_of(mail, struct state_entry, orders);

	if (bits & ENTRY_TELL)
		tell(entry);
	if ((bits & ENTRY_MENTION) && !(bits & ENTRY_FORGET))
		mention(entry);
	if (bits & ENTRY_NOTE_ASKED)
		note_and_answer(entry, RECORD_ASKED);
	if (bits & ENTRY_NOTE_OWED)
		note_and_answer(entry, RECORD_OWED);
	if (bits & ENTRY_NOTE_TOLD)
		note_and_answer(entry, RECORD_TOLD);
	if (bits & ENTRY_END)
		note_and_answer(entry, RECORD_DONE);
	if ((bits & ENTRY_FORGET) && !(bits & ENTRY_MENTION)) /* else nothing was ever written */
		note(entry, RECORD_DONE);
	if (bits & ENTRY_OWE)
		owe(entry);
	if (bits & ENTRY_GO)
		drop(entry);
}

struct state_entry *
state_entry_new(
	struct state *state, struct mailbox *box, void (*call)(void *arg, const struct error *err), void *arg)
{
	struct state_entry *entry = entry_new(state, box, call, arg);

	if (entry != NULL)
		mail_init(&entry->orders, on_orders);
	return entry;
}
