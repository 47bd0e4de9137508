// SPDX-License-Identifier: MIT
/* commit.h - pure: where all objects of a form stand -> what to do next, until everything is visible or
 * nothing is.
 *
 * The caller calls commit_next() after every change, does what it says at once, and calls it again until it
 * says nothing; then it waits for news. Works the same whether the form goes on (`commit: all`) or has been
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
#ifndef PENSTOCK_COMMIT_H
#define PENSTOCK_COMMIT_H

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

/* `give_up`: the form is not to be committed. `may_undo`: false for `commit: each`, whose objects stay. */
struct commit_step commit_next(const struct commit_item *items, size_t n, bool give_up, bool may_undo);

/* Nothing is under way any more and nothing is left to do. */
bool commit_is_over(const struct commit_item *items, size_t n, bool give_up, bool may_undo);

/* Every item is ITEM_COMMITTED. */
bool commit_is_whole(const struct commit_item *items, size_t n);

#endif
