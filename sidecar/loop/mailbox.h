// SPDX-License-Identifier: MIT
/* mailbox.h - how another thread gets the attention of a loop.
 *
 * Many posters, one owner (the thread that runs the loop). A mail is a node that lives inside the object
 * it concerns; its content is a set of bits. Posting bits to a mail that is still queued adds them to it,
 * so an object stands in the queue at most once, nothing is ever lost for lack of room, and a burst costs
 * one wake-up: the eventfd is written only when the owner sleeps.
 *
 *   poster: bits |= b ── was 0? ──▶ push on the list ──▶ owner asleep? ──▶ write(eventfd)
 *   owner : take the whole list ──▶ for each mail, oldest first: b = bits, bits = 0, deliver(mail, b)
 *
 * What the poster wrote before posting is visible to the owner in deliver() (release/acquire on bits).
 * A mail must stay alive until it has been delivered and nobody will post it again; channel.h shows the
 * closing handshake that makes sure of it.
 */
#ifndef PENSTOCK_MAILBOX_H
#define PENSTOCK_MAILBOX_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>

struct mailbox;

struct mail {
	struct mail *next; /* owned by the mailbox while queued */
	_Atomic unsigned bits;
	void (*deliver)(struct mail *mail, unsigned bits); /* [owner] may post any mail, this one too */
};

struct mailbox *mailbox_new(struct error *err);
void mailbox_free(struct mailbox *box);    /* nothing may be queued; NULL is fine */
int mailbox_fd(const struct mailbox *box); /* the eventfd, for the owner's epoll */

void mail_init(struct mail *mail, void (*deliver)(struct mail *, unsigned));

/* [any] Adds `bits` (not 0) to the mail and queues it if it is not queued. Never fails, never blocks. */
void mailbox_post(struct mailbox *box, struct mail *mail, unsigned bits);

/* [owner] Binds the mailbox to the calling thread: its own posts then need no eventfd. A thread owns at most one;
 * NULL: none any more (needed before another thread becomes the owner). */
void mailbox_own(struct mailbox *box);
bool mailbox_is_mine(const struct mailbox *box); /* [any] does the calling thread own it? */

/* [owner] Delivers what is queued now; mails that these deliveries post wait for the next call.
 * Returns how many were delivered. */
unsigned mailbox_deliver(struct mailbox *box);

/* [owner] Around a sleep. False: mail is waiting, do not sleep. */
bool mailbox_sleep_begin(struct mailbox *box);
void mailbox_sleep_end(struct mailbox *box);
void mailbox_empty_fd(struct mailbox *box); /* the eventfd is readable */

#endif
