// SPDX-License-Identifier: MIT
/* watchdog.h - do the other threads' loops still turn? One loop sends a mail to each of the others, twice a second,
 * and each sends one back. So the question whether all turn is answered at once, however stuck the others are.
 *
 *   observer: ASLEEP ─tick▶ (there) ═▶ other loop: next turn ═▶ (back) ─▶ ASLEEP      no answer for WATCHDOG_MISSES ticks: stuck
 *
 * Ticks are counted, not milliseconds: a process that was stopped as a whole is not stuck when it goes on.
 */
#ifndef PENSTOCK_WATCHDOG_H
#define PENSTOCK_WATCHDOG_H

#include "base/counter.h"
#include "base/error.h"
#include "base/str.h"
#include "loop/loop.h"

#define WATCHDOG_TICK_MS 500u
#define WATCHDOG_MISSES 4u /* so many ticks without an answer: 2 s */

struct watchdog_target {
	char name[24]; /* "worker 1" */
	struct loop *loop;
	const struct counter
		*ended; /* not 0: its loop has ended, as it should; NULL: it does not end before the observer's */
};

struct watchdog;

/* [main] Begins when the observer's loop runs. The targets' loops outlive the last mail: see watchdog_stop(). */
struct watchdog *watchdog_new(
	struct loop *observer, const struct watchdog_target *targets, size_t n, struct error *err);

/* [observer] Does every loop turn? For each that does not a sentence and a newline are added to `why`, if not NULL. */
bool watchdog_is_good(const struct watchdog *watchdog, struct buf *why);

/* [observer, or after its loop has ended] No further mail is sent. */
void watchdog_stop(struct watchdog *watchdog);

/* [main] After every target and the observer have delivered the mail that they had left. NULL is fine. */
void watchdog_free(struct watchdog *watchdog);

#endif
