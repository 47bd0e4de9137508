// SPDX-License-Identifier: MIT
/* state_priv.h - what state.c (the folder, the dead), own_file.c (this process's file) and entry.c share. */
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

enum entry_state {
	ENTRY_NEW,
	ENTRY_TELLING,
	ENTRY_TOLD,
	ENTRY_ENDING,
	ENTRY_DONE,
	ENTRY_FAILED,
};

/* Orders to the thread, as bits of a mail. */
enum { ENTRY_TELL = 1, ENTRY_END = 2, ENTRY_FORGET = 4, ENTRY_GO = 8 };

struct state_entry {
	struct state *state;
	struct refcount refs;
	char id[UUID_SIZE];
	struct buf payload; /* of the intent; the writer's from tell on */
	/* the maker's: */
	enum entry_state is;
	struct mailbox *box;
	struct mail answer;
	void (*on_answer)(void *arg, const struct error *err);
	void *arg;
	/* the writer's: */
	struct mail orders;
	int error; /* of what was asked last; read by the maker in the answer */
	bool is_live, is_done, is_left;
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
	size_t n_left;
	struct hook hook;
	struct timer again;
};

struct state {
	char *path;
	int folder;
	struct loop *loop;
	struct loop_thread thread;
	struct mail stop;
	struct own_file own;
	struct counter unsettled; /* objects of the dead */
	struct counter broken;    /* errno of the last write; 0: it went well */
	pthread_mutex_t lock;     /* of all below */
	struct dead_file *dead;
};

/* own_file.c */
bool own_file_open(struct state *state, struct error *err); /* [main] makes the file */
void own_file_close(struct state *state);                   /* removes it, unless it tells of something */
void own_file_tell(struct state_entry *entry);
void own_file_end(struct state_entry *entry, bool want_answer);
void own_file_drop(struct state_entry *entry); /* the last hold is gone: frees it, now or at the end */

void entry_init_orders(struct state_entry *entry);
void entry_answer(struct state_entry *entry);
void entry_free(struct state_entry *entry);

#endif
