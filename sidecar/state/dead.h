// SPDX-License-Identifier: MIT
/* dead.h - one state file whose process has died: what its intents tell, which of their objects are settled, and which
 * applications know what became of a form.
 *
 * The file is locked as long as it is held, so that no other process settles it, too; it is removed when its last object is
 * settled and its last application knows. Of a commit that was done, only the journals of its folders have to be ended. What is
 * decided later is written behind what its process has written. The caller holds the lock of state.c. Blocking calls. */
#ifndef PENSTOCK_DEAD_H
#define PENSTOCK_DEAD_H

#include "state/record.h"

struct dead_object {
	struct record_object is;
	struct dead_entry *entry;
	bool is_taken;   /* state_take_dead() has given it to somebody who settles it */
	bool is_settled; /* nothing of it is left to do */
};

/* What became of a commit, as far as its file tells. */
enum state_fate {
	STATE_UNKNOWN, /* no file tells of it, or a living process does */
	STATE_CUT,     /* an intent that was not done: to be taken back */
	STATE_OPEN, /* everything is visible, and an application was asked: it alone knows. Nothing may be touched yet */
	STATE_DONE, /* all of it is there for good */
};

/* A form of which an application is to be told that it does not stand, or to be asked whether it does. Valid until the caller says
 * which answer came. */
struct state_owed {
	struct state_owed *next;
	const char *id; /* of the commit */
	struct record_app app;
	bool is_question; /* it is to be asked, at app.resolve (NULL: it cannot be); else told, at app.failed */
	struct state_entry *entry; /* who tells of it: of this process, ... */
	struct dead_entry *dead;   /* ... or of a dead one; the other is NULL */
};

struct dead_entry {
	struct dead_entry *next;
	struct dead_file *file; /* NULL: this process, which lives, has left it */
	const char *id;
	bool has_app;
	bool is_asked, is_owed, is_gone, is_told, is_done; /* the notes that were found, or written since */
	struct state_owed owed;                            /* if has_app */
	size_t n;
	struct dead_object objects[];
};

/* Of an intent; it points into the record's text. `file`: that it is of, or NULL. NULL: out of memory. To be freed by mem_free(). */
struct dead_entry *dead_entry_new(struct dead_file *file, const struct record *record);

/* Does it tell of nothing but an upload that is to be ended? */
bool dead_is_upload(const struct dead_entry *entry);

#define DEAD_NAME_MAX 64

struct dead_file {
	struct dead_file *next;
	int folder; /* borrowed */
	int fd;
	char name[DEAD_NAME_MAX];
	struct buf text; /* what entries point into */
	struct dead_entry *entries;
	size_t n_open; /* objects that are not settled */
	size_t n_owed; /* forms of which an application does not know yet */
};

enum dead_result {
	DEAD_TAKEN, /* *out holds it */
	DEAD_GONE,  /* it told nothing, and is removed; or it was gone already */
	DEAD_LIVES, /* its process lives */
	DEAD_STAYS, /* it cannot be read: *why, a constant or of strerror() */
};
enum dead_result dead_take(int folder, const char *name, struct dead_file **out, const char **why);

/* NULL: the file does not tell of this id. */
const struct dead_entry *dead_find(const struct dead_file *file, const char *id);

enum state_fate dead_fate(const struct dead_entry *entry);

/* Its application does not know yet what became of the form. */
bool dead_is_owed(const struct dead_entry *entry);

/* Writes behind all what has been decided of an entry: RECORD_DONE or RECORD_TOLD, after which it is not owed any more. `durable`:
 * only if the disk has it. False: errno says why; nothing has changed. */
bool dead_note(struct dead_entry *entry, enum record_kind kind, bool durable);

/* Notes that one object, or all that the folder at `at` had to take back, are settled. True: nothing is left of what the file
 * tells; it is removed from the folder, and the caller may free it. */
bool dead_settle(struct dead_file *file, struct dead_object *object);
bool dead_settle_place(struct dead_file *file, const char *at);
bool dead_settle_rest(struct dead_file *file); /* after dead_note() */

void dead_free(struct dead_file *file); /* NULL is fine; the file stays */

#endif
