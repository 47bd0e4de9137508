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
	const struct delivery *unknown; /* of whose upload nothing is known yet; NULL: nobody has looked */
	struct state_entry *entry;      /* NULL: none was needed */
	struct error *error;            /* of the transaction */
	void (*on_news)(void *arg);
	void *arg;
};

/* `error` gets what went wrong with the journal; `on_news` [from the mailbox] says that it is worth asking again. */
void book_init(struct book *book, struct error *error, void (*on_news)(void *arg), void *arg);
void book_fini(struct book *book); /* nothing may be outstanding */

/* From when the list of deliveries is whole until all are prepared, again and again: opens it once what is to be told is known. What
 * goes wrong is in the error. */
void book_open(struct book *book, const struct txn_setup *setup, const struct delivery *first);

/* Nothing may become visible now: what is to come is not on disk yet. */
bool book_must_wait(const struct book *book);

/* Nothing is under way any more and nothing is left to do. True: the journal knows. */
bool book_close(struct book *book, bool is_whole, const struct delivery *first);

#endif
