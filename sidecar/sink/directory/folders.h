// SPDX-License-Identifier: MIT
/* folders.h - the folders of one configuration's directory destinations, open.
 *
 * A folder that the configuration in force has open already is shared with it. A process sweeps each folder only once, also one
 * that a configuration in between did not have: what dead writers had left there was removed the first time, and what lies there
 * now may belong to a running upload. */
#ifndef PENSTOCK_FOLDERS_H
#define PENSTOCK_FOLDERS_H

#include "base/error.h"
#include "config/route.h"
#include "sink/directory/abilities.h"
#include "state/state.h"

struct folders;

/* [main] Opens them, made where they are missing, and says in the log what their file systems lack. `before`: those of the
 * configuration in force, NULL at the start. `state` may be NULL. NULL: err says why; also where a file system lacks what an upload needs. */
struct folders *folders_open(
	const struct config *config, const struct folders *before, struct state *state, struct error *err);

/* [any] The folder is closed when its last reference is released. NULL is fine. */
void folders_free(struct folders *folders);

/* [disk] Of a destination, by its index in the configuration; as long as the folders. */
struct home *folders_home(const struct folders *folders, size_t destination);

/* [lookout] Tries to write in each of them (`write`), and to settle what commits of dead writers have left unsettled. What
 * has changed is logged; what stays unsettled once a minute. */
void folders_look(const struct folders *folders, const struct config *config, bool write);

/* [any] As it was at the last look. For each that cannot be written, does not answer, or has something unsettled, a
 * sentence and a newline are added to `why`. */
bool folders_are_good(const struct folders *folders, const struct config *config, struct buf *why);

/* [main] Adds to `out` a line for each thing that the file systems of the folders lack, and returns how many there are.
 * It passes over folders that are not there, or that this user may not write: another user may run the process. */
unsigned folders_check(const struct config *config, struct buf *out);

#endif
