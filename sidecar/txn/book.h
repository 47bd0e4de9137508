// SPDX-License-Identifier: MIT
/* book.h - what the journal of commits (state/state.h) is told of one transaction: before the first object becomes visible,
 * and when all are.
 *
 *   CLOSED ─several places▶ TELLING ─on disk▶ TOLD ─all are there▶ ENDING ─on disk▶ CLOSED
 *                              └─no▶ CLOSED    ▲ └─none is, or some are that cannot be taken back: LEFT
 *                                              └───no: all are taken back─────┘
 *
 * A form of one object has none, nor has one whose objects are all in one folder, which has a journal of its own. LEFT: the
 * next start takes back what may be there.
 *
 * All on the transaction's thread. */
#ifndef PENSTOCK_BOOK_H
#define PENSTOCK_BOOK_H

#include "base/error.h"
#include "state/state.h"
#include "txn/delivery.h"

struct txn_setup; /* txn/txn.h */

enum book_state { BOOK_CLOSED, BOOK_TELLING, BOOK_TOLD, BOOK_ENDING, BOOK_LEFT };

struct book {
	enum book_state is;
	bool was_opened;
	const struct delivery
		*unknown;          /* the first whose upload has no id yet; NULL: this was not looked for yet */
	struct state_entry *entry; /* NULL: none was needed */
	struct error *error;       /* of the transaction */
	void (*on_news)(void *arg);
	void *arg;
};

/* `error` gets what went wrong with the journal; `on_news` [from the mailbox] says that it is worth asking again. */
void book_init(struct book *book, struct error *error, void (*on_news)(void *arg), void *arg);
void book_fini(struct book *book); /* nothing may be outstanding */

/* To be called at each step from when the list of deliveries is whole until all are prepared: it opens the book as soon as all that
 * is to be told is known. If that fails, the error of the transaction says why. */
void book_open(struct book *book, const struct txn_setup *setup, const struct delivery *first);

/* True: nothing may become visible now, because the journal has not reached the disk yet. */
bool book_must_wait(const struct book *book);

/* To be called when no transfer is under way and nothing is left to do. True: the journal knows that, too, and all is over. */
bool book_close(struct book *book, bool is_whole, const struct delivery *first);

#endif
