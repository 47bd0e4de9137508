// SPDX-License-Identifier: MIT
/* must.h - the assertion that stays on in every build.
 *
 * must() is for our own mistakes only: what a client, an upstream or a YAML file can cause is input,
 * and input gets an error, never must(). The condition has no side effects.
 */
#ifndef PENSTOCK_MUST_H
#define PENSTOCK_MUST_H

#include <stdbool.h>

#define must(cond) ((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__, __func__))

/* A place that no path leads to, such as behind a switch over all values of an enum. */
#define must_not_get_here() must_failed("this place is never reached", __FILE__, __LINE__, __func__)

/* A promise that was broken, and where it stood. */
struct must_broken {
	const char *cond, *file, *func;
	int line;
};

/* [any] Prints the broken promise and where it stood on stderr, then aborts; within must_fenced() it goes there. */
_Noreturn void must_failed(const char *cond, const char *file, int line, const char *func);

/* [any] Runs run(arg) so that a must() that fails in it, on this thread, ends only that run. True: it came to its end.
 * False: *broken says why it did not. Then whatever it was about is left as it stands, and is not to be used again: only
 * a caller who can give all of that up may ask for this, in a process that has other things to do than ours. Nothing may
 * be held across a must() that only the way back gives up (a lock, a file, HAProxy's own functions on the stack). */
bool must_fenced(void (*run)(void *arg), void *arg, struct must_broken *broken);

#endif
