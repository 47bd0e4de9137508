// SPDX-License-Identifier: MIT
/* abilities.h - what the file system of a folder can do, found out by trying it there; what penstock asks of it, and what
 * it does without. Blocking calls. */
#ifndef PENSTOCK_ABILITIES_H
#define PENSTOCK_ABILITIES_H

#include "base/error.h"
#include "sink/directory/settings.h"

#include <stdbool.h>
#include <stddef.h>

struct abilities {
	bool are_known;
	bool locks;         /* a file can be locked: those of the living are told from those of the dead */
	bool folder_locks;  /* the folder itself can be locked: two processes commit one after the other */
	bool no_replace;    /* a name can be given without replacing what has it: renameat2(), or a hard link */
	bool keeps_numbers; /* a file has the same inode number under its new name */
};

/* A destination's own folder, open. */
struct home {
	int fd;
	struct abilities can; /* as found when it was opened */
	unsigned n_locks;     /* [disk] home_lock() within home_lock() */
	bool was_held;        /* [disk] another process had it locked for longer than home_lock() waits */
};

/* Tries; nothing is left in the folder. 0, or the errno of what must work everywhere: then nothing is known. */
int abilities_find(int folder, struct abilities *can);

/* One of them, in words. All constants. */
struct ability {
	const char *name;
	const char *relied_on; /* what of a route file cannot be kept without it; NULL: nothing */
	bool has, is_fatal;    /* is_fatal: where something relies on it, no upload could be as it is promised */
	const char *lack;      /* what it means that it is missing */
};

/* The i-th, from 0, for such a destination. False: no more, or nothing is known. */
bool abilities_row(const struct abilities *can, enum exists_policy exists, size_t i, struct ability *row);

/* The i-th thing, from 0, that is missing for such a destination. NULL: no more. *is_fatal: without it no upload could be
 * as it is promised. */
const char *abilities_lack(const struct abilities *can, enum exists_policy exists, size_t i, bool *is_fatal);

/* [disk] To be held while names are given or taken back, so that two processes do so one after the other: of two forms that replace
 * the same names, all names are then of one. Does nothing where the folder cannot be locked. May be nested. False: another process
 * has held it for too long, err says so (ERR_BUSY); then nothing is locked. */
bool home_lock(struct home *home, const struct destination *to, struct error *err);
void home_unlock(struct home *home);

#endif
