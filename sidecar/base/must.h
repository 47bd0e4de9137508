// SPDX-License-Identifier: MIT
/* must.h - the assertion that stays on in every build.
 *
 * must() is for our own mistakes only: what a client, an upstream or a YAML file can cause is input,
 * and input gets an error, never must(). The condition has no side effects.
 */
#ifndef PENSTOCK_MUST_H
#define PENSTOCK_MUST_H

#define must(cond) ((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__, __func__))

/* A place that no path leads to, such as behind a switch over all values of an enum. */
#define must_not_get_here() must_failed("this place is never reached", __FILE__, __LINE__, __func__)

/* [any] Prints the broken promise and where it stood on stderr, then aborts. */
_Noreturn void must_failed(const char *cond, const char *file, int line, const char *func);

#endif
