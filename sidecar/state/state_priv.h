// SPDX-License-Identifier: MIT
/* state_priv.h - what state.c (the folder, the dead), own_file.c (this process's file), own_entries.c (what it tells), own_left.c
 * (what its makers have left), owed.c (who is owed a word) and entry.c share. */
#ifndef PENSTOCK_STATE_PRIV_H
#define PENSTOCK_STATE_PRIV_H

#include "base/counter.h"
#include "base/refcount.h"
#include "loop/loop_thread.h"
#include "state/state.h"

#define STATE_PREFIX "penstock-"
#define STATE_SUFFIX ".journal"
#define STATE_NEW ".new"                 /* behind the name: the file that is to take its place */
#define STATE_REWRITE_AT (1024u * 1024u) /* bytes that a file must have before it is written anew */
#define STATE_AGAIN_MS 3000u             /* after a write that failed */
#define STATE_SYNC_MS 1000u              /* until what was mentioned is on disk */

enum entry_state {
	ENTRY_NEW,
	ENTRY_TELLING,
	ENTRY_TOLD,
	ENTRY_NOTING,
	ENTRY_ENDING,
	ENTRY_DONE,
	ENTRY_FAILED,
};

/* Orders to the thread, as bits of a mail. */
enum {
	ENTRY_TELL = 1,
	ENTRY_END = 2,
	ENTRY_FORGET = 4,
	ENTRY_GO = 8,
	ENTRY_NOTE_ASKED = 16,
	ENTRY_NOTE_OWED = 32,
	ENTRY_NOTE_TOLD = 64,
	ENTRY_OWE = 128,
	ENTRY_MENTION = 256
};

struct state_entry {
	struct state *state;
	struct refcount refs;
	char id[UUID_SIZE];
	struct buf payload;  /* of the intent; the writer's from tell on */
	bool has_app;        /* it tells of an application */
	bool leaves_objects; /* set before ENTRY_OWE: some of them may be there */
	bool is_asked_for;   /* set before ENTRY_GO: by a folder's journal, which may be there for good */
	/* the maker's: */
	enum entry_state is;
	struct mailbox *box;
	struct mail answer;
	void (*on_answer)(void *arg, const struct error *err);
	void *arg;
	/* the writer's: */
	struct mail orders;
	int error;                   /* of what was asked last; read by the maker in the answer */
	enum record_kind waits_with; /* what the disk is waited for with */
	bool is_live, is_left;
	bool is_asked, is_owed, is_gone, is_told, is_done; /* what was noted of it */
	bool is_owing;   /* the application does not know yet, and this process tells it */
	bool is_dropped; /* nobody holds it any more, but it is owing */
	struct state_owed owed;
	struct buf
		small; /* of one that is owing: the payload without its objects; `owed` points into it, or into the payload */
	struct dead_entry *left;           /* to be settled by this process; points into the payload */
	struct state_entry *next, *before; /* of the live ones */
	struct state_entry *next_waiting;
};

/* This process's file. [its thread] */
struct own_file {
	int fd;
	char name[DEAD_NAME_MAX];
	uint64_t size, live_bytes; /* of all that is good; of what entries tell */
	struct buf batch;
	struct state_entry *waiting, **last_waiting;
	struct state_entry *live;
	size_t n_left, n_owing;
	bool has_mentions; /* written, but perhaps not on disk ... */
	bool is_sync_due;  /* ... and `sync` will see to it */
	struct hook hook;
	struct timer again, sync;
};

struct state {
	char *path;
	int folder;
	struct loop *loop;
	struct loop_thread thread;
	struct mail stop;
	struct own_file own;
	struct counter unsettled; /* objects of the dead */
	struct counter left;      /* uploads and objects of this process that are to be settled */
	struct counter broken;    /* errno of the last write; 0: it went well */
	struct counter owed;      /* forms of which an application does not know yet */
	struct counter owing;     /* of those, the ones of this process */
	void (*on_owed)(void *arg);
	void *on_owed_arg;
	pthread_mutex_t lock; /* of all below */
	struct dead_file *dead;
	struct state_owed *queue, **queue_end; /* that nobody has taken yet */
	char owing_to[STATE_OWING_TO_SIZE];    /* see state_owing_to() */
};

/* own_file.c */
bool own_file_open(struct state *state, struct error *err); /* [main] makes the file */
void own_file_close(struct state *state);                   /* removes it, unless it tells of something */

/* own_entries.c */
void own_entries_unlink(struct own_file *own, struct state_entry *entry); /* nothing of it is told any more */
void own_entries_write(const struct state_entry *entry, struct buf *out); /* all that is told of it */
void own_entries_answer(struct own_file *own, int error); /* to all that wait for the disk; 0: it has them */
void own_entries_told(struct state_entry *entry);         /* the application of one that is owing knows */
void own_entries_forget(struct state_entry *entry);       /* which nobody holds; frees it */

/* No object is left of one that nobody holds: it is forgotten as soon as its application, if that is to be told, knows. */
void own_entries_gone(struct state_entry *entry);

/* own_left.c */
void own_left_add(struct state_entry *entry); /* its last hold is gone: it stays in the file, or is forgotten */

/* Nobody holds it any more, and this process begins to settle what it can of it. May be called again. False: it is an upload, and there are too
 * many. */
bool own_left_begin(struct state_entry *entry);

/* What was left: the next that nobody has taken (NULL: none), and one that is gone. */
struct dead_object *own_left_take(struct state *state);
void own_left_settle(struct state *state, struct dead_object *object);

/* owed.c: the caller holds the lock, but for owed_add_own() */
void owed_add_dead(struct state *state, struct dead_file *file); /* all that it owes */
void owed_count(struct state *state);
void owed_add_own(struct state_entry *entry);

/* state_dead.c: the caller holds the lock */
void state_drop(struct state *state, struct dead_file *file); /* nothing of it is left: frees it */
void state_count_unsettled(struct state *state);              /* of all these files */

struct state_entry *entry_new(/* without its orders; NULL: out of memory */
	struct state *state, struct mailbox *box, void (*call)(void *arg, const struct error *err), void *arg);
void entry_answer(struct state_entry *entry);
void entry_free(struct state_entry *entry);

#endif
