// SPDX-License-Identifier: MIT
/* folders_priv.h - what folders.c (opens them) and folders_look.c (looks after them) share. */
#ifndef PENSTOCK_FOLDERS_PRIV_H
#define PENSTOCK_FOLDERS_PRIV_H

#include "base/counter.h"
#include "base/refcount.h"
#include "sink/directory/folders.h"

#include <sys/types.h>

struct identity {
	dev_t dev;
	ino_t ino;
};

struct folder {
	struct refcount refs;
	struct home home;
	struct identity identity;
	/* written by the threads that open it and that look after it (lookout), read by any: */
	struct counter error;        /* errno of the last try to write; 0: it went well */
	struct counter unsettled;    /* journals that stay */
	struct counter waiting;      /* journals that wait for an application */
	struct counter trying_since; /* second of clock_now_ms() at which the try under way began; 0: none is */
	/* the lookout's alone: */
	uint64_t said_ms; /* when unsettled journals were last logged */
};

struct folders {
	struct state *state; /* may be NULL */
	size_t n;
	struct folder **of;     /* [destination]; NULL: not a directory */
	struct identity *swept; /* every folder that this process has ever swept */
	size_t n_swept;
};

/* Sweeps it, and notes what is left. */
void folders_sweep(const struct folders *folders, struct folder *folder, bool say);

static inline bool
folder_is_settled(const struct folder *folder)
{
	return counter_read(&folder->unsettled) == 0 && counter_read(&folder->waiting) == 0;
}

/* Tells the journal of commits that nothing of the dead is left in the folder of destination i, if so. */
void folders_tell_settled(const struct folders *folders, size_t i, const struct destination *to);

#endif
