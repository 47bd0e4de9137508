// SPDX-License-Identifier: MIT
/* plan.h - pure: where all objects of a form stand -> what to do next, until everything is visible or nothing is.
 *
 * Each object has an item, which its owner embeds. The owner adds it when the object begins, and moves it on with plan_move():
 * plan.c is the only writer of its state. plan_next() says what to do. The caller does it at once, which moves an item, and asks
 * again until the answer is PLAN_NOTHING; then it waits for news. A form may have a hundred thousand objects while other
 * requests wait for the thread, so no step looks at all of them.
 *
 *   COLLECTING ─start▶ STREAMING ─finish▶ SENDING ─all away▶ PREPARED ─▶ COMMITTING ─▶ COMMITTED ─▶ UNDOING
 *      │ └─finish▶ KEPT ─start▶ SENDING or COMMITTING                                     ▲ taken back: GONE │
 *      └──────────▶ GONE (nothing had been started)                                       └─ could not be ───┘
 *   any of these that had been started ─▶ CANCELLING ─▶ GONE; one that is under way may always fail: GONE
 *
 * PLAN_ALL, once no object is open any more:
 *
 *   1 prepare  what was kept and completes by a rename is written (not yet visible); streams get their last byte away
 *   2 renames  all of them; each can be taken back
 *   3 stores   streams that are held: complete; then what was kept: send. First those that can be taken back. One alone
 *              first, the others only after it succeeded, several at once: a store that is down has then got one object
 *              less than nothing
 *
 * The caller says how far it may go: TXN_PREPARE ends with phase 1. What was kept for a store is sent in phase 3 alone.
 *
 * PLAN_EACH: every object completes as soon as it is whole, whatever becomes of the others, and whatever the goal is.
 *
 * Giving up (the goal says so, or one failed): whatever has not been told to complete is cancelled, what is completing
 * is waited for, and with PLAN_ALL what was completed and can be taken back is taken back, the last to come first.
 */
#ifndef PENSTOCK_PLAN_H
#define PENSTOCK_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#define PLAN_WINDOW 8 /* objects that are written, or that complete, at the same time */

enum plan_policy { PLAN_ALL, PLAN_EACH };

/* What a form has come to when a goal is reached. They follow each other, but any of them may be left out, and TXN_GIVE_UP may
 * come at any time. */
enum txn_goal {
	TXN_PREPARE, /* all that can be done while nothing is visible is done */
	TXN_COMMIT,  /* everything is visible, and could still be taken back */
	TXN_END,     /* everything is visible for good: the journal of commits knows */
	TXN_GIVE_UP, /* nothing is there any more, or cannot be taken back */
};

/* What its destination is for the order of a commit; a sink says which. */
enum plan_rank {
	RANK_RENAME, /* completes on this machine, by a rename if by anything */
	RANK_STORE,  /* completes by a request over the network */
	N_RANKS
};

enum plan_state {
	ITEM_COLLECTING, /* its bytes are kept; more may come */
	ITEM_STREAMING,  /* started; its bytes are on their way; more may come */
	ITEM_KEPT,       /* whole, kept, not started */
	ITEM_SENDING,    /* started; no more will come; not yet all away */
	ITEM_PREPARED,   /* all away, completion held */
	ITEM_COMMITTING, /* told to complete */
	ITEM_COMMITTED,  /* visible */
	ITEM_CANCELLING, /* told to give up */
	ITEM_UNDOING,    /* was visible, told to take it back */
	ITEM_GONE,       /* failed, cancelled or undone: nothing of it is there, or nothing more can be done */
	N_ITEM_STATES
};

struct plan_item {
	enum plan_state state; /* plan_move()'s */
	size_t index;          /* the plan's: how many were added before it */
	enum plan_rank rank;   /* never changes once it was added */
	bool can_undo;         /* what was committed can be taken back; plan_forbid_undo() */
	bool undo_was_tried;   /* and failed; plan_move()'s */
	bool has_failed; /* GONE because something went wrong, or because nobody knows whether it is there; plan_fail()'s */
};

enum plan_verb {
	PLAN_NOTHING,
	PLAN_PREPARE,  /* KEPT: start it, completion held */
	PLAN_SEND,     /* KEPT: start it and complete it at once */
	PLAN_COMPLETE, /* PREPARED, with PLAN_EACH also SENDING: let it complete */
	PLAN_CANCEL,
	PLAN_UNDO,
};

struct plan_step {
	enum plan_verb verb;
	struct plan_item *item; /* NULL with PLAN_NOTHING */
};

/* What a step may be for, in the order in which it comes. */
enum plan_choice {
	CHOICE_CANCEL,
	CHOICE_EACH_KEPT,
	CHOICE_EACH_SENT,
	CHOICE_PREPARE,
	CHOICE_RENAME,
	CHOICE_STORE,
	N_STORE_CHOICES = 4,
	N_CHOICES = CHOICE_STORE + N_STORE_CHOICES
};

/* All objects of a form; plan.c's own. */
struct plan {
	enum plan_policy policy;
	struct plan_item **items; /* borrowed */
	size_t n, room;
	size_t in_state[N_RANKS][N_ITEM_STATES]; /* how many there are */
	size_t n_failed;
	size_t first[N_CHOICES]; /* no item before it is a candidate ... */
	size_t undo_end;         /* ... and none from here on is one for PLAN_UNDO */
};

void plan_init(struct plan *plan, enum plan_policy policy);
void plan_fini(struct plan *plan); /* the items are the caller's */

/* The next item; rank and can_undo are set, it begins as COLLECTING. False: out of memory, nothing was added. */
bool plan_add(struct plan *plan, struct plan_item *item);

/* UNDOING -> COMMITTED says that it could not be taken back. */
void plan_move(struct plan *plan, struct plan_item *item, enum plan_state to);
void plan_fail(struct plan *plan, struct plan_item *item); /* to GONE, has_failed */
void plan_forbid_undo(struct plan *plan, struct plan_item *item);

/* Once an item has failed every goal is TXN_GIVE_UP. */
struct plan_step plan_next(struct plan *plan, enum txn_goal goal);

/* Nothing is under way any more and nothing is left to do for this goal. Unless it is TXN_GIVE_UP ask only when no item will be
 * added. */
bool plan_is_over(struct plan *plan, enum txn_goal goal);

bool plan_has_failed(const struct plan *plan); /* an item has */
bool plan_is_whole(const struct plan *plan);   /* every item is COMMITTED */

#endif
