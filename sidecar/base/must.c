// SPDX-License-Identifier: MIT
/* must.c - says which promise was broken and ends the process: going on with a state that cannot be
 * is worse than a restart, because a form could be committed half. */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void
must_failed(const char *cond, const char *file, int line, const char *func)
{
	fprintf(stderr, "penstock: bug: must(%s) failed in %s at %s:%d\n", cond, func, file, line);
	fflush(stderr);
	abort();
}
