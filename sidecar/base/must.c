// SPDX-License-Identifier: MIT
/* must.c - says which promise was broken and ends the process: going on with a state that cannot be
 * is worse than a restart, because a form could be committed half. Behind a fence it ends no more than what runs there,
 * by a jump out of it. */
#include "base/must.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct fence {
	jmp_buf back;
	struct must_broken *broken;
	struct fence *outer;
};

static _Thread_local struct fence *innermost;

void
must_failed(const char *cond, const char *file, int line, const char *func)
{
	struct fence *fence = innermost;

	if (fence != NULL) {
		innermost = fence->outer;
		*fence->broken = (struct must_broken){ cond, file, func, line };
		longjmp(fence->back, 1);
	}
	fprintf(stderr, "penstock: bug: must(%s) failed in %s at %s:%d\n", cond, func, file, line);
	fflush(stderr);
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
