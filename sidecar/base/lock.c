// SPDX-License-Identifier: MIT
/* lock.c - see lock.h. */
#include "base/lock.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#define LOOK_AGAIN_NS 500000L /* a commit takes some milliseconds */

enum lock_result
lock_take(int fd)
{
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return LOCK_TAKEN;
		if (errno != EINTR)
			return LOCK_UNKNOWN;
	}
	return LOCK_OURS;
}

enum lock_result
lock_wait(int fd, unsigned ms)
{
	uint64_t until = clock_after(clock_now_ms(), ms);
	enum lock_result result;

	while ((result = lock_take(fd)) == LOCK_TAKEN && clock_now_ms() < until)
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_AGAIN_NS }, NULL);
	return result;
}

void
lock_give(int fd)
{
	flock(fd, LOCK_UN);
}

bool
lock_is_missing(int error)
{
	return error == EOPNOTSUPP || error == ENOLCK || error == ENOSYS || error == EINVAL || error == EBADF;
}
