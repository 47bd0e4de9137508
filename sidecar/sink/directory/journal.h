// SPDX-License-Identifier: MIT
/* journal.h - several files of one folder become visible together, even if the process dies in between.
 *
 * Before the first of them gets its name the journal tells all of them; after the last one it is removed, and that is
 * the moment at which they are committed. A process that finds a journal whose writer is dead takes back what it tells.
 *
 *   journal_begin ▶ journal_add ... ▶ journal_write ▶ (files get their names) ▶ journal_end
 *
 * It lies in the folder itself as ".penstock-commit-<random>", locked while its writer lives. It knows files by more than
 * their name and number (file_id.h), and itself and its folder too: in a copied or restored folder it is not believed.
 * What has been taken back is crossed out, so that nothing is taken back twice.
 *
 * A commit that spans more than this folder has an entry in the journal of commits (state/state.h). Then the folder's journal
 * says its id, and lasts until the whole commit is over; a process that finds it asks there what became of the commit. Done: the
 * files stay. Cut short: they are taken back. Not known, or not yet: nothing is touched.
 *
 * Blocking calls: on the disk thread only, but journal_roll_back() on the thread that opens or watches the folder. */
#ifndef PENSTOCK_JOURNAL_H
#define PENSTOCK_JOURNAL_H

#include "base/str.h"
#include "state/state.h"

#include <stdbool.h>

#define JOURNAL_PREFIX ".penstock-commit-"

struct journal {
	int folder; /* borrowed */
	int fd;     /* -1: not there */
	char name[56];
	struct buf text;
};

/* Where the folder cannot lock files (abilities.h), a journal that a crash leaves can only be told of, not taken back. */
bool journal_begin(struct journal *journal, int folder,
	const char *id); /* False: errno says why, nothing is there. `id`: of an entry, or NULL */

/* The open file `fd`, which now lies under `temporary`, is to get the name `target`. False: errno says why. */
bool journal_add(struct journal *journal, int fd, const char *temporary, const char *target);

/* From when this returns true on, a crash takes everything back. False: errno says why, nothing is there. */
bool journal_write(struct journal *journal);

/* Removes it durably: from then on the files stay. False: errno says why; after a crash they may still be taken back. */
bool journal_end(struct journal *journal);

/* Instead of journal_write(): removes what journal_begin() has made. */
void journal_drop(struct journal *journal);

enum journal_fate {
	JOURNAL_GONE,  /* what it told is taken back, and it is removed; or it was gone already */
	JOURNAL_LIVES, /* its writer lives: left alone */
	JOURNAL_WAITS, /* an application has to say what becomes of its commit, and is being asked */
	JOURNAL_STAYS, /* what it tells could not be settled; the operator has to look at it */
};

/* Takes back what a dead writer's journal tells, unless its commit was done, and removes it. A journal that is not whole tells nothing: no file had
 * its name yet. `state` may be NULL. `say`: one that stays is logged, with the reason; one that went always is. */
enum journal_fate journal_roll_back(int folder, const char *name, struct state *state, bool say);

#endif
