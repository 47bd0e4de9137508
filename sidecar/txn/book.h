// SPDX-License-Identifier: MIT
/* book.h - what the journal of commits (state/state.h) is told of one transaction: before the first object becomes visible,
 * and when all are.
 *
 *   CLOSED ─several places▶ TELLING ─on disk▶ TOLD ─all are there▶ ENDING ─on disk▶ CLOSED
 *                              └─no▶ CLOSED    ▲ └─none is, or some are that cannot be taken back: LEFT
 *                                              └───no: all are taken back─────┘
 *                                             TOLD ─asked, or a verdict▶ NOTING ─on disk, or not▶ TOLD
 *
 * A form of one object has none, nor has one whose objects are all in one folder, which has a journal of its own. LEFT: who
 * settles what is left (sink/settle.h) takes back what may be there, in this process or the next.
 *
 * A form with an application has always one. That it is being asked is on disk before it is: where everything is visible by then,
 * by a note, else with the intent itself. Once it was asked about what is visible, a process that finds the entry cannot know whether
 * the form stands; so before anything is taken back, a verdict is on disk that it does not.
 *
 * All on the transaction's thread. */
#ifndef PENSTOCK_BOOK_H
#define PENSTOCK_BOOK_H

#include "base/error.h"
#include "state/state.h"
#include "txn/delivery.h"

enum book_state { BOOK_CLOSED, BOOK_TELLING, BOOK_TOLD, BOOK_NOTING, BOOK_ENDING, BOOK_LEFT };

struct book {
	enum book_state is;
	bool was_opened;
	bool has_ended; /* the journal knows that all is there: it is too late to give up */
	const struct delivery
		*unknown;          /* the first whose upload has no id yet; NULL: this was not looked for yet */
	struct state_entry *entry; /* NULL: none was needed */
	const struct txn_app *app; /* NULL: no application is asked */
	bool is_asked;             /* it may believe in the form */
	bool owes;                 /* it has to be told that the form does not stand */
	bool is_judged;            /* the disk has it, or has been tried, that the form does not stand */
	enum record_kind
		noting;      /* NOTING: what; TELLING: RECORD_ASKED, if that is told at once, else RECORD_INTENT */
	struct error *error; /* of the transaction */
	void (*on_news)(void *arg);
	void *arg;
};

/* `error` gets what went wrong with the journal; `on_news` [from the mailbox] says that it is worth asking again. */
void book_init(struct book *book, struct error *error, void (*on_news)(void *arg), void *arg);
void book_fini(struct book *book); /* nothing may be outstanding */

/* To be called at each step from when the list of deliveries is whole until all are prepared: it opens the book as soon as all that
 * is to be told is known. If that fails, the error of the transaction says why. */
void book_open(struct book *book, const struct txn_setup *setup, const struct delivery *first);

/* As txn_asked(). */
bool book_asked(struct book *book, const struct txn_setup *setup, const struct delivery *first);

/* The application, if it was asked, has to be told that the form does not stand. */
void book_owe(struct book *book);

/* False: nothing may be taken back now, because the verdict, or that all is there, is just being written. */
bool book_may_take_back(struct book *book);

/* True: nothing may become visible now, because the journal has not reached the disk yet. */
bool book_must_wait(const struct book *book);

/* To be called when no transfer is under way and nothing is left to do. True: the journal knows that, too, and all is over. */
bool book_close(struct book *book, bool is_whole, const struct delivery *first);

#endif
