// SPDX-License-Identifier: MIT
/* journal.h - several files of one folder become visible together, even if the process dies in between.
 *
 * Before the first of them gets its name the journal tells all of them; after the last one it is removed, and that is
 * the moment at which they are committed. Whoever finds a journal whose writer is dead takes back what it tells.
 *
 *   journal_begin ▶ journal_add ... ▶ journal_write ▶ (files get their names) ▶ journal_end
 *
 * It lies in the folder itself as ".penstock-commit-<random>", locked (flock) while its writer lives. Blocking calls:
 * disk thread only, and journal_roll_back() on main, when a folder is opened at the start or by a reload. */
#ifndef PENSTOCK_JOURNAL_H
#define PENSTOCK_JOURNAL_H

#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

#define JOURNAL_PREFIX ".penstock-commit-"

struct journal {
	int folder; /* borrowed */
	int fd;     /* -1: not there */
	char name[56];
	struct buf text;
};

void journal_begin(struct journal *journal, int folder);

/* The file with that inode, which now lies under `temporary`, is to get the name `target`. */
void journal_add(struct journal *journal, ino_t inode, const char *temporary, const char *target);

/* From when this returns true on, a crash takes everything back. False: errno says why, nothing is there. */
bool journal_write(struct journal *journal);

/* Removed, durably: the files stay. False: errno says why; a crash may still take them back. */
bool journal_end(struct journal *journal);

/* Takes back what a dead writer's journal tells, and removes it. A journal that is not whole tells nothing: no file had
 * its name yet. That of a living writer is left alone. False: not all could be taken back, it stays. */
bool journal_roll_back(int folder, const char *name);

#endif
