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

/* [any] Prints the broken promise and its place on stderr, then aborts. Within must_fenced() it returns to that instead. */
_Noreturn void must_failed(const char *cond, const char *file, int line, const char *func);

/* [any] Runs run(arg) so that a must() that fails in it, on this thread, ends that run and not the process. True: it came to its
 * end. False: *broken says which promise was broken. What run() was working on is then half changed and must not be used again,
 * so this is only for a caller who can give all of that up, in a process that also serves others (HAProxy). While it may meet a
 * must(), run() must hold nothing that only its ordinary return would release: a lock, a file, a call into HAProxy. */
bool must_fenced(void (*run)(void *arg), void *arg, struct must_broken *broken);

#endif
