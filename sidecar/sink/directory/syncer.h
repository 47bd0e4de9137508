// SPDX-License-Identifier: MIT
/* syncer.h - makes several files and folders durable at once. A file system commits in one go what is asked of it at the same
 * time, and a disk flushes once for all: 32 files that are asked for by four threads take as long as two or three that are
 * asked for one after the other. */
#ifndef PENSTOCK_SYNCER_H
#define PENSTOCK_SYNCER_H

#include "base/error.h"

#include <stddef.h>

struct syncer;

struct sync_job {
	int fd;    /* of a file or a folder, borrowed */
	int error; /* set: 0, or the errno of what has failed */
};

/* [main] NULL: out of memory, err says so. */
struct syncer *syncer_new(struct error *err);
void syncer_free(struct syncer *syncer); /* [main] after the last syncer_run(); NULL is fine */

/* [disk] Returns when all are done. One alone is done by the caller; of more, helpers do some. They are started when they are
 * first needed; if they cannot be, fewer of them, or none, help. `syncer` NULL: the caller does all. */
void syncer_run(struct syncer *syncer, struct sync_job *jobs, size_t n);

#endif
