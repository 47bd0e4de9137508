// SPDX-License-Identifier: MIT
/* entry.c - the entries of state.h, on the side of who makes them; the other side is own_file.c. */
#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "state/state_priv.h"

#include <errno.h>
#include <string.h>

static const unsigned may_become[] = {
	[ENTRY_NEW] = BIT(ENTRY_TELLING),
	[ENTRY_TELLING] = BIT(ENTRY_TOLD) | BIT(ENTRY_FAILED),
	[ENTRY_TOLD] = BIT(ENTRY_ENDING) | BIT(ENTRY_DONE),
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
		entry_move(entry, ok ? ENTRY_DONE : ENTRY_TOLD);
	if (!ok)
		fail(&err, entry->error);
	entry->on_answer(entry->arg, ok ? NULL : &err);
}

struct state_entry *
state_entry_new(
	struct state *state, struct mailbox *box, void (*call)(void *arg, const struct error *err), void *arg)
{
	struct state_entry *entry = mem_zalloc(sizeof *entry);

	if (entry == NULL)
		return NULL;
	*entry = (struct state_entry){ .state = state, .box = box, .on_answer = call, .arg = arg };
	refcount_init(&entry->refs);
	uuid_make(entry->id);
	record_begin(&entry->payload, entry->id);
	mail_init(&entry->answer, on_answer);
	entry_init_orders(entry);
	return entry;
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

void
entry_answer(struct state_entry *entry)
{
	mailbox_post(entry->box, &entry->answer, 1);
}

void
entry_free(struct state_entry *entry)
{
	buf_free(&entry->payload);
	mem_free(entry);
}
