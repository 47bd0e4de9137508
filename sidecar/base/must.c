// SPDX-License-Identifier: MIT
/* must.c - says which promise was broken and ends the process: going on with a state that cannot be
 * is worse than a restart, because a form could be committed half. Behind a fence it ends no more than what runs there,
 * by a jump out of it. */
#include "base/must.h"

#include <poll.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fence {
	jmp_buf back;
	struct must_broken *broken;
	struct fence *outer;
};

static _Thread_local struct fence *innermost;

/* A reader of stderr who has stopped must not keep us from ending. */
static void
say(const char *cond, const char *file, int line, const char *func)
{
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
	char text[512];
	int n = snprintf(
		text, sizeof text, "penstock: bug: must(%s) failed in %s at %s:%d\n", cond, func, file, line);
	size_t len = n < (int)sizeof text ? (size_t)n : sizeof text - 1;

	if (n > 0 && poll(&room, 1, 0) > 0 && write(STDERR_FILENO, text, len) < 0) {
		/* nowhere left to say so */
	}
}

void
must_failed(const char *cond, const char *file, int line, const char *func)
{
	struct fence *fence = innermost;

	if (fence != NULL) {
		innermost = fence->outer;
		*fence->broken = (struct must_broken){ cond, file, func, line };
		longjmp(fence->back, 1);
	}
	say(cond, file, line, func);
	abort();
}

/* No variable of this function changes between setjmp() and longjmp(), so none is lost. */
bool
must_fenced(void (*run)(void *arg), void *arg, struct must_broken *broken)
{
	struct fence fence = { .broken = broken, .outer = innermost };

	if (setjmp(fence.back) != 0)
		return false;
	innermost = &fence;
	run(arg);
	innermost = fence.outer;
	return true;
}
