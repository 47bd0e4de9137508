// SPDX-License-Identifier: MIT
/* lock.h - flock() on an open file or folder, with "somebody has it" told from "this file system cannot". The
 * kernel releases a lock with the last descriptor of its open file, so a process that dies leaves none behind. */
#ifndef PENSTOCK_LOCK_H
#define PENSTOCK_LOCK_H

#include <stdbool.h>

enum lock_result {
	LOCK_OURS,
	LOCK_TAKEN,   /* somebody else has it */
	LOCK_UNKNOWN, /* neither: errno says why; lock_is_missing() tells whether there are no locks at all */
};

enum lock_result lock_take(int fd); /* at once */

/* Waits for it, at most `ms`. Blocking. */
enum lock_result lock_wait(int fd, unsigned ms);

void lock_give(int fd);

/* An errno of LOCK_UNKNOWN: NFS without its lock daemon, FUSE without flock(), a folder on NFS. */
bool lock_is_missing(int error);

#endif
