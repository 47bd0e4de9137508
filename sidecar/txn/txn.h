// SPDX-License-Identifier: MIT
/* txn.h - the transaction of one form: all its deliveries, and the plan that makes every object visible or none.
 *
 * Deliveries are added while the form is read. txn_step() does what the plan says for a goal (plan.h) until it must wait for news; news come
 * by the mailbox of the setup, and on_news says that it is worth asking again. With PLAN_EACH it is asked while the form is
 * read, too. A transaction knows of no connection, and lives until every transfer that it started has ended.
 *
 * Where the objects are in more than one place, the journal of commits is told before the first becomes visible, and when all
 * are (book.h).
 *
 * All on one thread, that of the mailbox. */
#ifndef PENSTOCK_TXN_H
#define PENSTOCK_TXN_H

#include "base/error.h"
#include "sink/order.h"
#include "txn/delivery.h"
#include "txn/lent.h"

struct txn;

struct txn *txn_new(const struct txn_setup *setup, struct error *err); /* NULL: out of memory */
void txn_free(struct txn *txn); /* every delivery has ended or was never started; NULL is fine */
const struct txn_setup *txn_setup_of(const struct txn *txn);

/* What its orders may take from, before any is added; the reference is taken over. NULL: nothing. */
void txn_set_reserve(struct txn *txn, struct reserve *reserve);
struct reserve *txn_reserve(const struct txn *txn);

struct keep *txn_keep(struct txn *txn); /* what its small parts share */

/* Makes a delivery for what `rule` stores, the last of the list. It begins as COLLECTING. NULL: out of memory. */
struct delivery *txn_add(struct txn *txn, const struct rule *rule);
struct delivery *txn_first(const struct txn *txn); /* the others by `next`; NULL: none */

/* One more participant of a part that has got no byte yet: what is written to `writer`, a delivery of txn_add()'s, goes to `to`,
 * too. The last of the list; what it is to be called there is for the caller to set. NULL: out of memory. */
struct delivery *txn_add_beside(struct delivery *writer, const struct destination *to);

/* Takes the next steps towards the goal. True: nothing is under way and nothing is left to do for it; unless it is TXN_GIVE_UP ask
 * only when no delivery will be added. A step that fails ends its delivery: txn_failure() says why. Then everything that can be
 * taken back is, whatever the goal was, and true comes when that is over. The journal is open until TXN_END or
 * TXN_GIVE_UP has been reached: one of them must be before txn_free(), also after a failure. Once the journal knows that everything is
 * there, TXN_GIVE_UP comes too late and does nothing. */
bool txn_step(struct txn *txn, enum txn_goal goal);

/* -- the application --------------------------------------------------------------------------------------------------
 *
 * Who asks an application about the form says so, and then the journal of commits knows at each moment what the application may
 * believe. A form with an application is told to the journal whatever it stores.
 *
 *   held:       PREPARE ─▶ txn_asked() ─▶ the question ─yes▶ END
 *                                                      └─no▶ GIVE_UP
 *   committed:  COMMIT ──▶ txn_asked() ─▶ the question ─yes▶ END
 *                                                      └─no▶ GIVE_UP
 *
 * `failed` is a signed request that is repeated until the application has answered it, by this process and by the next. It is owed
 *   - if COMMIT or END fails after txn_asked(): without a yes nobody goes on to them;
 *   - if txn_owe_failed() was called before GIVE_UP: whoever calls it knows that the application may believe in the form, because
 *     its answer did not come, or was broken. Without that call an application that said no has to be told nothing.
 *   - if the process dies after txn_asked() and the form does not stand then.
 * With PLAN_EACH, or where there is no journal, nothing of all that is done. Where nothing that the application says takes the form back
 * (`stays`) txn_asked() is its end: it is too late to give it up, and nothing is owed, because the form stands. */

/* Before the first step. `app`: lent.h. */
void txn_set_app(struct txn *txn, const struct txn_app *app);

/* To be called before the application is asked: when TXN_PREPARE (held) or TXN_COMMIT was reached without a failure. True: the journal
 * has it on the disk, and the question may leave; or txn_failure() says why not, and then it must not. False: on_news comes, then
 * call it again. Once it was true with no failure it stays so. */
bool txn_asked(struct txn *txn);

/* The application may believe in the form, which is going to be given up: after txn_asked(), before the first step to TXN_GIVE_UP. */
void txn_owe_failed(struct txn *txn);

/* PLAN_EACH: sends what is whole already. With PLAN_ALL nothing. */
void txn_go_on(struct txn *txn);

bool txn_is_whole(const struct txn *txn); /* everything is visible */

/* Why the first delivery of the list that has failed did; NULL: none has. */
const struct error *txn_failure(const struct txn *txn);

/* Waits no longer for stores that have not answered yet, and asks none to take anything back. */
void txn_cut(struct txn *txn);

#endif
