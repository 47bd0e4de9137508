// SPDX-License-Identifier: MIT
/* entry.c - the entries of state.h, on the side of who makes them; the other side is own_entries.c. */
#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "state/state_priv.h"

#include <errno.h>
#include <string.h>

static const unsigned may_become[] = {
	[ENTRY_NEW] = BIT(ENTRY_TELLING) | BIT(ENTRY_TOLD),
	[ENTRY_TELLING] = BIT(ENTRY_TOLD) | BIT(ENTRY_FAILED),
	[ENTRY_TOLD] = BIT(ENTRY_NOTING) | BIT(ENTRY_ENDING) | BIT(ENTRY_DONE),
	[ENTRY_NOTING] = BIT(ENTRY_TOLD),
	[ENTRY_ENDING] = BIT(ENTRY_DONE) | BIT(ENTRY_TOLD),
	[ENTRY_DONE] = 0,
	[ENTRY_FAILED] = 0,
};

static void
entry_move(struct state_entry *entry, enum entry_state to)
{
	must(state_may_become(may_become, (int)entry->is, (int)to));
	entry->is = to;
}

static bool
fail(struct error *err, int error)
{
	bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;

	return error_set(err, is_full ? ERR_UPSTREAM_FULL : ERR_BUSY,
		"the journal of commits cannot be written: %s", strerror(error));
}

/* [the maker, from its mailbox] */
static void
on_answer(struct mail *mail, unsigned bits)
{
	struct state_entry *entry = container_of(mail, struct state_entry, answer);
	bool ok = entry->error == 0;
	struct error err = { 0 };

	(void)bits;
	if (entry->is == ENTRY_TELLING)
		entry_move(entry, ok ? ENTRY_TOLD : ENTRY_FAILED);
	else
		entry_move(entry, ok && entry->is == ENTRY_ENDING ? ENTRY_DONE : ENTRY_TOLD);
	if (!ok)
		fail(&err, entry->error);
	entry->on_answer(entry->arg, ok ? NULL : &err);
}

struct state_entry *
entry_new(struct state *state, struct mailbox *box, void (*call)(void *arg, const struct error *err), void *arg)
{
	struct state_entry *entry = mem_zalloc(sizeof *entry);

	if (entry == NULL)
		return NULL;
	*entry = (struct state_entry){ .state = state, .box = box, .on_answer = call, .arg = arg };
	refcount_init(&entry->refs);
	uuid_make(entry->id);
	record_begin(&entry->payload, entry->id, NULL);
	mail_init(&entry->answer, on_answer);
	return entry;
}

void
state_entry_set_app(struct state_entry *entry, const struct record_app *app)
{
	must(entry->is == ENTRY_NEW);
	entry->has_app = true;
	record_begin(&entry->payload, entry->id, app);
}

const char *
state_entry_id(const struct state_entry *entry)
{
	return entry->id;
}

void
state_entry_add(struct state_entry *entry, const struct record_object *object)
{
	must(entry->is == ENTRY_NEW);
	record_add(&entry->payload, object);
}

static void
order(struct state_entry *entry, unsigned bits)
{
	mailbox_post(loop_mailbox(entry->state->loop), &entry->orders, bits);
}

bool
state_entry_tell(struct state_entry *entry)
{
	if (entry->payload.failed)
		return false;
	entry_move(entry, ENTRY_TELLING);
	order(entry, ENTRY_TELL);
	return true;
}

bool
state_entry_tell_asked(struct state_entry *entry)
{
	must(entry->has_app);
	entry->is_asked = true;
	return state_entry_tell(entry);
}

bool
state_entry_mention(struct state_entry *entry)
{
	if (entry->payload.failed)
		return false;
	entry_move(entry, ENTRY_TOLD);
	order(entry, ENTRY_MENTION);
	return true;
}

void
state_entry_note(struct state_entry *entry, enum record_kind kind)
{
	must(entry->has_app);
	entry_move(entry, ENTRY_NOTING);
	order(entry,
		kind == RECORD_ASKED          ? ENTRY_NOTE_ASKED
			: kind == RECORD_OWED ? ENTRY_NOTE_OWED
					      : ENTRY_NOTE_TOLD);
}

void
state_entry_owe(struct state_entry *entry, bool leaves_objects)
{
	must(entry->has_app);
	entry_move(entry, ENTRY_DONE);
	entry->leaves_objects = leaves_objects;
	order(entry, ENTRY_OWE);
}

void
state_entry_done(struct state_entry *entry)
{
	entry_move(entry, ENTRY_ENDING);
	order(entry, ENTRY_END);
}

void
state_entry_forget(struct state_entry *entry)
{
	entry_move(entry, ENTRY_DONE);
	order(entry, ENTRY_FORGET);
}

struct state_entry *
state_entry_acquire(struct state_entry *entry)
{
	refcount_acquire(&entry->refs);
	return entry;
}

/* The writer may still have a forgotten one in its hands. */
void
state_entry_release(struct state_entry *entry)
{
	if (entry != NULL && refcount_release(&entry->refs))
		order(entry, ENTRY_GO);
}

/* Only one of those that hold it has a folder's journal, and it says so before its hold is gone. */
void
state_entry_leave(struct state_entry *entry)
{
	entry->is_asked_for = true;
	state_entry_release(entry);
}

void
entry_answer(struct state_entry *entry)
{
	mailbox_post(entry->box, &entry->answer, 1);
}

void
entry_free(struct state_entry *entry)
{
	mem_free(entry->left);
	buf_free(&entry->payload);
	buf_free(&entry->small);
	mem_free(entry);
}
