// SPDX-License-Identifier: MIT
/* state.h - the folder of `state`: what is on disk of commits that span more than one object or of which an application is told, and
 * of uploads that may be unfinished, so that a later process can take back what a kill has left half visible or half done, and no
 * application believes in a form that does not stand.
 *
 * Each process has a file of its own there, "penstock-<random>.journal" (record.h), which it locks while it lives; during a rolling
 * replacement there are two. A file that nobody has locked belongs to a dead process: the next start takes it over (dead.h). A
 * thread of its own writes. All entries that wait are written together and reach the disk by one fdatasync(), so many forms
 * cost little more than one.
 *
 *   an entry:  NEW ─tell▶ TELLING ─on disk▶ TOLD ─done▶ ENDING ─on disk▶ DONE     any ─the last release▶ freed
 *                            └─no▶ FAILED     ▲            └─no─┐
 *                                             └─────────────────┘
 *              NEW ─mention▶ TOLD, without a word
 *                                          TOLD ─note▶ NOTING ─on disk or not▶ TOLD
 *                                          TOLD ─forget▶ DONE, without a word
 *                                          TOLD ─owe▶ DONE: it lives on until its application knows
 *
 * Its maker holds an entry, and so does each journal of a folder in which its id stands: such a journal is removed only after the
 * entry is done, and until then the file tells of the entry. An entry that is released without being done is left: it stays in
 * the file for the next start. This process is given what it tells of by state_take_dead(), too, and settles it: an upload, and
 * each object that nobody else can have made. When the last of them is settled it is forgotten, unless it tells of what is not for this process
 * to touch, or the journal of a folder still asks for it. Of one destination at most STATE_LEFT_MAX objects, and as many uploads,
 * are settled at a time; a form with more waits for the next start, and of an upload only the log knows. */
#ifndef PENSTOCK_STATE_FOLDER_H
#define PENSTOCK_STATE_FOLDER_H

#include "base/error.h"
#include "loop/loop.h"
#include "state/dead.h"
#include "state/record.h"

#define STATE_LEFT_MAX 1000u

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

/* `on_answer` [from the mailbox] comes once after each tell, note and done: err is NULL, or says why it is not
 * on disk. An entry that is mentioned and forgotten needs neither it nor the mailbox. NULL: out of memory. */
struct state_entry *state_entry_new(
	struct state *state, struct mailbox *box, void (*on_answer)(void *arg, const struct error *err), void *arg);
void state_entry_set_app(
	struct state_entry *entry, const struct record_app *app); /* NEW, before anything is added; copied */

const char *state_entry_id(const struct state_entry *entry);                         /* [any] */
void state_entry_add(struct state_entry *entry, const struct record_object *object); /* NEW; copied */
bool state_entry_tell(struct state_entry *entry); /* NEW -> TELLING; false: out of memory, it stays NEW */
bool state_entry_tell_asked(
	struct state_entry *entry); /* the same; with one that has an app: RECORD_ASKED is on disk with it */

/* NEW -> TOLD, for who does not wait for it. It is in the file at once, so a kill leaves it there, and is on disk with the next
 * entry that somebody waits for, or a second later. If the file cannot be written now, it is written when it can.
 * False: out of memory, it stays NEW. */
bool state_entry_mention(struct state_entry *entry);

void state_entry_done(struct state_entry *entry);   /* TOLD -> ENDING: every object is there for good */
void state_entry_forget(struct state_entry *entry); /* TOLD -> DONE: no object is there; need not reach the disk */

/* Of one that has an app. TOLD -> NOTING: RECORD_ASKED, RECORD_OWED or RECORD_TOLD. Of the last two the disk has at least a try: what
 * they say counts from then on in this process. */
void state_entry_note(struct state_entry *entry, enum record_kind kind);

/* TOLD -> DONE: the form does not stand, and its application is told so until it knows, by this process or the next.
 * `leaves_objects`: some of them may be there, and are to be taken back. */
void state_entry_owe(struct state_entry *entry, bool leaves_objects);

struct state_entry *state_entry_acquire(struct state_entry *entry); /* [any] the caller holds it */
void state_entry_release(struct state_entry *entry); /* [any] no answer may be outstanding; NULL is fine */

/* [any] Instead of releasing a hold: the journal of a folder in which its id stands may be there for good. Also after it is done the
 * file tells of it, for the next start. */
void state_entry_leave(struct state_entry *entry);

/* -- the dead [any, unless it says otherwise] --------------------------------------------------------------------------------------------- */

/* Of what a dead process has told under that id. Blocking. */
enum state_fate state_fate(struct state *state, const char *id);

/* Takes over the files of processes that have died since this one began; what they have left can be taken then. Those that tell of
 * objects in folders are left to the next start, which looks into the folders. Blocking. */
void state_look(struct state *state);

/* Says that the folder at `at` has no journal of a dead process any more. Blocking. */
void state_settle_place(struct state *state, const char *at);

/* [its thread, or main before it runs] The next object of a dead process that its destination has to be asked about, or that can only
 * be reported; or an upload or an object that this process has left. The caller settles it, and it lasts until then. NULL: none is
 * left now. */
struct dead_object *state_take_dead(struct state *state);
void state_settle(struct state *state, struct dead_object *object); /* likewise; Blocking */

size_t state_unsettled(
	const struct state *state); /* objects of the dead, and what this process has left and settles */

/* -- who is owed a word [its thread, or main before it runs] ------------------------------------------------------- */

#define STATE_OWING_MAX 4096u

/* Calls when a form of this process is owed. Those of dead processes are found by taking. */
void state_on_owed(struct state *state, void (*on_owed)(void *arg), void *arg);

/* The next form of which an application does not know yet. The caller tells or asks it until it has answered, and then says so
 * by one of the two that follow, which end the struct. NULL: none is left now. */
struct state_owed *state_take_owed(struct state *state);
void state_owed_told(struct state *state, struct state_owed *owed); /* not is_question */

/* is_question: whether the form stands. From then on its fate is STATE_DONE, or STATE_CUT, and there may be more to take by
 * state_take_dead(). False: that is not on the disk, and nothing has changed; errno says why. Blocking. */
bool state_owed_answered(struct state *state, struct state_owed *owed, bool stands);

size_t state_owed(const struct state *state); /* [any] how many there are */

/* [any] So many forms of this process are owed (STATE_OWING_MAX) that no more should come, until an application answers. */
bool state_is_owing_much(const struct state *state);

/* [any] The destination of the form of this process that was the last to be owed, or "". */
#define STATE_OWING_TO_SIZE 64u /* a longer name is cut */
void state_owing_to(struct state *state, char name[STATE_OWING_TO_SIZE]);

#endif
