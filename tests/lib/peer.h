// SPDX-License-Identifier: MIT
/* peer.h - a server on loopback that does what a test wrote down: its script runs on a thread of its own, and waits for
 * what the other side does, never for a time.
 *
 *   test                                     script
 *   peer_start() ──────────────────────────▶ peer_accept(), peer_read() ...
 *   peer_go() ─────────────────────────────▶ (peer_wait() returns)
 *   (a mail comes)        ◀───────────────── peer_tell()
 *   peer_end() ────────────────────────────▶ (whatever it does ends)
 *
 * What came is written into a log. A request of the first connection that brought one: "1 PUT /a abc\n", with a trailer "1 PUT /a abc Name: value\n", of a body that broke off "1 PUT /a abc...\n",
 * a connection that was closed in place of one "1 closed\n".
 */
#ifndef PENSTOCK_TEST_PEER_H
#define PENSTOCK_TEST_PEER_H

#include "loop/mailbox.h"

#include <stdbool.h>
#include <stddef.h>

struct peer;
typedef void (*peer_script)(struct peer *peer, const void *arg);

/* NULL: it could not be made. The mail is posted with bits 1 each time that the script tells something; `box` may be NULL. */
struct peer *peer_start(peer_script script, const void *arg, struct mailbox *box, struct mail *mail);
struct peer *peer_start_deaf(void); /* has an address, and nobody listens there ... */
bool peer_listen(struct peer *peer, peer_script script, const void *arg); /* ... until now */
char *peer_url(struct peer *peer);                                        /* "http://127.0.0.1:PORT" */
void peer_go(struct peer *peer);

void peer_stop(struct peer *peer); /* nothing that it waits for will come any more */

/* Waits until the script has ended. Its log, valid until peer_end(). */
const char *peer_join(struct peer *peer);
void peer_end(struct peer *peer); /* closes all, waits for the script, frees; NULL is fine */

/* -- for scripts. What cannot be done because the test has ended is not done. ------------------------- */

bool peer_accept(struct peer *peer);    /* the next connection; those before it stay open */
bool peer_read(struct peer *peer);      /* a whole request, from whichever connection, which is accepted, too */
bool peer_read_head(struct peer *peer); /* up to the empty line; its body is read by the next peer_read() */
void peer_read_bytes(struct peer *peer, size_t n);  /* of the body, after peer_read_head() */
void peer_read_end(struct peer *peer);              /* until the other side closes */
void peer_say(struct peer *peer, const char *text); /* to whom it has read from last */
void peer_say_many(struct peer *peer, char what, size_t n);
void peer_close(struct peer *peer); /* that connection */
void peer_reset(struct peer *peer); /* the same, by a reset */
void peer_leave(struct peer *peer); /* nobody listens there any more: who connects is refused */
void peer_wait(struct peer *peer);
void peer_tell(struct peer *peer);

/* -- ready-made scripts; `arg` is a text, if anything ------------------------------------------------- */

void peer_answers(struct peer *peer, const void *arg); /* every request */
void peer_resets(struct peer *peer, const void *arg);  /* its connection, when the first request has come */
void peer_floods(
	struct peer *peer, const void *arg); /* the first request with a head of 300,000 bytes that does not end */
void peer_says(struct peer *peer, const void *arg); /* it to the first request, and closes */
void peer_says_early(struct peer *peer,
	const void *arg); /* it after 10 bytes of the body, and waits for the other side to close */
void peer_owes(
	struct peer *peer, const void *arg); /* the answer: tells that a request has come, and waits likewise */

#endif
