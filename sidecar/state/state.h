// SPDX-License-Identifier: MIT
/* state.h - the folder of `state`: what is on disk of commits that span more than one object, so that a later process can
 * take back what a kill has left half visible.
 *
 * Each process has a file of its own there, "penstock-<random>.journal" (record.h), which it locks while it lives; during a rolling
 * replacement there are two. A file that nobody has locked belongs to a dead process: the next start takes it over (dead.h). A
 * thread of its own writes. All entries that wait are written together and reach the disk by one fdatasync(), so many forms
 * cost little more than one.
 *
 *   an entry:  NEW ─tell▶ TELLING ─on disk▶ TOLD ─done▶ ENDING ─on disk▶ DONE     any ─the last release▶ freed
 *                            └─no▶ FAILED     ▲            └─no─┐
 *                                             └─────────────────┘
 *                                          TOLD ─forget▶ DONE, without a word
 *
 * Its maker holds an entry, and so does each journal of a folder in which its id stands: such a journal is removed only after the
 * entry is done, and until then the file tells of the entry. An entry that is released without being done stays in the file
 * for the next start. */
#ifndef PENSTOCK_STATE_FOLDER_H
#define PENSTOCK_STATE_FOLDER_H

#include "base/error.h"
#include "loop/loop.h"
#include "state/dead.h"
#include "state/record.h"

struct state;
struct state_entry;

/* [main] Opens the folder, made if it is missing, makes this process's file, and takes over those of the dead. NULL: err says
 * why. */
struct state *state_open(const char *path, struct error *err);

struct loop *state_loop(struct state *state); /* others may live on it, too, made before state_start() */
bool state_start(struct state *state, struct error *err); /* [main] its thread */

/* [main] Ends the thread, if it runs. Every entry must have been released before. */
void state_stop(struct state *state);
void state_free(struct state *state); /* [main] after state_stop(); NULL is fine */

/* [any] True: what is told now would be written, as far as is known. Else a sentence and a newline are added to `why`. */
bool state_is_good(const struct state *state, struct buf *why);

/* -- entries [a thread with a mailbox; the same for all calls but acquire and release] ------------------------------ */

/* `on_answer` [from the mailbox] comes once after each state_entry_tell() and state_entry_done(): err is NULL, or says why it is not
 * on disk. NULL: out of memory. */
struct state_entry *state_entry_new(
	struct state *state, struct mailbox *box, void (*on_answer)(void *arg, const struct error *err), void *arg);

const char *state_entry_id(const struct state_entry *entry);                         /* [any] */
void state_entry_add(struct state_entry *entry, const struct record_object *object); /* NEW; copied */
bool state_entry_tell(struct state_entry *entry);   /* NEW -> TELLING; false: out of memory, it stays NEW */
void state_entry_done(struct state_entry *entry);   /* TOLD -> ENDING: every object is there for good */
void state_entry_forget(struct state_entry *entry); /* TOLD -> DONE: no object is there; need not reach the disk */

struct state_entry *state_entry_acquire(struct state_entry *entry); /* [any] the caller holds it */
void state_entry_release(struct state_entry *entry); /* [any] no answer may be outstanding; NULL is fine */

/* -- the dead [any] --------------------------------------------------------------------------------------------- */

enum state_fate {
	STATE_UNKNOWN, /* no file tells of it, or a living process does */
	STATE_CUT,     /* an intent that was not done: to be taken back */
	STATE_DONE,    /* all of it is there for good */
};

/* Of what a dead process has told under that id. Blocking. */
enum state_fate state_fate(struct state *state, const char *id);

/* Says that the folder at `at` has no journal of a dead process any more. Blocking. */
void state_settle_place(struct state *state, const char *at);

/* The next object of a dead process that its destination has to be asked about, or that can only be reported. The caller settles
 * it, and it lasts until then. NULL: none is left now. */
struct dead_object *state_take_dead(struct state *state);
void state_settle(struct state *state, struct dead_object *object); /* Blocking */

size_t state_unsettled(const struct state *state); /* objects of the dead */

#endif
