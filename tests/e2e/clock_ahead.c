// SPDX-License-Identifier: MIT
/* clock_ahead.c - LD_PRELOAD: the clock that only goes forward is ahead by as many seconds as the file $AHEAD has bytes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int (*get)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(
		RTLD_NEXT, "clock_gettime");
	const char *path = getenv("AHEAD");
	struct stat file;
	int result = get(clock, now);

	if (result == 0 && clock == CLOCK_MONOTONIC && path != NULL && stat(path, &file) == 0)
		now->tv_sec += file.st_size;
	return result;
}
