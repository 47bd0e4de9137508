// SPDX-License-Identifier: MIT
/* plan.h - pure: where all objects of a form stand -> what to do next, until everything is visible or
 * nothing is.
 *
 * The caller tells of each change with commit_set(), calls commit_next(), does what it says at once, and calls it again
 * until it says nothing; then it waits for news. A form may have a hundred thousand objects, and others wait for the
 * thread: none of this looks at all of them again. Works the same whether the form goes on (`commit: all`) or has been
 * given up.
 *
 *   going on:  1 prepare  kept files are written (not yet visible); streams get their last byte away
 *              2 files    all renames; each can be taken back
 *              3 http     streams that are held: complete; then what was kept: send. First those that can be
 *                         undone. One alone first, the others only after it succeeded, several at once:
 *                         a store that is down has then got one object less than nothing.
 *   giving up: whatever has not been told to complete is cancelled; what is completing is waited for; what
 *              was completed and can be taken back is undone.
 *
 * Whoever fails while the others complete makes it a giving up.
 */
#ifndef PENSTOCK_PLAN_H
#define PENSTOCK_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#define COMMIT_WINDOW 8 /* objects that are written, or that complete, at the same time */

enum commit_state {
	ITEM_OPEN,       /* more bytes may come */
	ITEM_KEPT,       /* whole, waiting here, not started */
	ITEM_SENDING,    /* whole, on its way, not yet all away */
	ITEM_PREPARED,   /* all away, completion held */
	ITEM_COMMITTING, /* told to complete */
	ITEM_COMMITTED,  /* visible */
	ITEM_CANCELLING, /* told to give up */
	ITEM_UNDOING,    /* told to take it back */
	ITEM_GONE,       /* failed, cancelled or undone: nothing of it is there, or nothing more can be done */
	N_ITEM_STATES
};

struct commit_item {
	enum commit_state state;
	bool is_file;        /* its completion is a rename on this machine */
	bool can_undo;       /* what was committed can be taken back */
	bool undo_was_tried; /* and failed */
	bool has_failed;     /* ITEM_GONE because something went wrong, or taken to be there without being sure */
};

enum commit_verb {
	COMMIT_NOTHING,
	COMMIT_PREPARE,  /* ITEM_KEPT: start it, completion held */
	COMMIT_SEND,     /* ITEM_KEPT: start it and complete it at once */
	COMMIT_COMPLETE, /* ITEM_PREPARED: let it complete */
	COMMIT_CANCEL,
	COMMIT_UNDO,
};

struct commit_step {
	enum commit_verb verb;
	size_t index;
};

/* What a step may be for, in the order in which it comes. */
enum commit_choice {
	CHOICE_CANCEL,
	CHOICE_PREPARE,
	CHOICE_FILE,
	CHOICE_HTTP,
	N_HTTP_RANKS = 4,
	N_CHOICES = CHOICE_HTTP + N_HTTP_RANKS
};

/* All objects of a form. Filled by commit_init() and commit_set() alone. */
struct commit {
	struct commit_item *items;
	size_t n;
	size_t in_state[2][N_ITEM_STATES]; /* [is_file]: how many there are */
	size_t n_failed;
	size_t first[N_CHOICES]; /* no item before it is a candidate ... */
	size_t undo_end;         /* ... and none from here on is one for COMMIT_UNDO */
};

/* `items` are borrowed, n of them, as they stand now. */
void commit_init(struct commit *commit, struct commit_item *items, size_t n);
void commit_set(struct commit *commit, size_t index, struct commit_item item);

/* `give_up`: the form is not to be committed. `may_undo`: false for `commit: each`, whose objects stay. */
struct commit_step commit_next(struct commit *commit, bool give_up, bool may_undo);

/* Nothing is under way any more and nothing is left to do. */
bool commit_is_over(struct commit *commit, bool give_up, bool may_undo);

/* Every item is ITEM_COMMITTED. */
bool commit_is_whole(const struct commit *commit);

#endif
