// SPDX-License-Identifier: MIT
/* directory.h - files in a folder that become visible whole or not at all. Blocking calls: on the disk
 * thread, but for what says [main]: that runs at the start and at a reload.
 *
 * A file is written as ".penstock-<random>" in the folder itself, locked (flock) while its writer lives, and
 * renamed to its name at the commit. Names are relative, without empty or dot segments (sink/safe_name.h); no
 * symbolic link below the folder is followed. */
#ifndef PENSTOCK_DIRECTORY_H
#define PENSTOCK_DIRECTORY_H

#include "base/error.h"
#include "config/route.h"
#include "sink/directory/abilities.h"
#include "sink/directory/shown.h"
#include "sink/directory/syncer.h"
#include "state/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* [main] Opens the folder, made if it is missing. -1: err says why. */
int directory_open(const struct destination *to, struct error *err);

/* Such commits of dead writers as are not settled (journal.h). */
struct unsettled {
	size_t stay; /* the operator has to look at them */
	size_t wait; /* for the answer of an application */
};

/* Removes what dead writers have left: temporary files that no process has locked, and what a commit that was cut short had
 * made visible. While any commit is not settled no temporary file is removed, because it may be what one of them had replaced. `state`: the journal of commits over several places; may be NULL. `say`: logs
 * them. On the thread that opens or watches the folder. */
struct unsettled directory_sweep(int folder, struct state *state, bool say);

#define NEW_FILE_PREFIX ".penstock-" /* of every temporary name */
#define NEW_FILE_NAME_MAX 56
#define NEW_FILE_OLD ".old" /* behind the temporary name: the replaced file, where names cannot be exchanged */

struct new_file {
	const struct destination *to;
	struct home *home; /* borrowed */
	int folder;        /* its descriptor */
	bool can_lock;     /* the folder's file system has locks */
	int fd;            /* -1: not open */
	int old_fd; /* of the file that it has replaced, locked like itself so that no start removes it; -1: not open */
	char temporary[NEW_FILE_NAME_MAX];
	bool has_temporary;             /* something lies under that name */
	bool is_visible, has_replaced;  /* has_replaced: the old content now lies under the temporary name */
	unsigned n_made;                /* folders of the name that did not exist before */
	const char *target;             /* borrowed; set by new_file_show() */
	struct new_file *next, *before; /* in the list of new_files_commit() */
	struct held_journal *held;      /* new_files.c's: a journal that lasts until this one is closed */
	/* sync_batch.c's: */
	int sync_error;          /* an errno, or 0 */
	struct new_file *beside; /* whose sync_error counts; NULL: its own */
	/* set by the caller of new_file_create(), if parts of one form must not replace one another: */
	struct shown *shown;
	const void *form; /* compared, never followed */
	/* likewise, if other threads are to help to make it durable: */
	struct syncer *syncer;
	/* shown.c's: */
	dev_t device;
	ino_t number;
	struct new_file *next_shown;
};

bool new_file_create(struct new_file *file, struct home *home, const struct destination *to, struct error *err);
bool new_file_write(struct new_file *file, const char *data, size_t len, struct error *err);

/* After sync_batch_end(), if its bytes were in that batch: they stay, also if the power fails. False: err says why. */
bool new_file_is_written(const struct new_file *file, struct error *err);

/* Makes it visible as `target`. False: ERR_EXISTS, ERR_RULE (another file of the form has the name), or what went wrong,
 * and it is not visible. */
bool new_file_show(struct new_file *file, const char *target, struct error *err);

/* After sync_batch_end(), if its names were in that batch: what was shown stays, also if the power fails. False: that is not
 * certain, err says why. */
bool new_file_is_settled(const struct new_file *file, struct error *err);

/* Takes back one that was shown and is not settled. If the disk fails so that even this cannot be done, is_visible stays true. */
void new_file_hide(struct new_file *file);

/* For new_file_close(): one file of the list is closed; with the last one the journal is removed. */
void new_files_let_go(struct held_journal *held);

/* All of a list of files of one folder (by `next` and `before`, with their targets set), or none, even if the process dies meanwhile
 * (journal.h). False: err says why; *failed is the one at which it failed, NULL: none in particular. If the disk then fails
 * so that some could not be taken back, their is_visible stays true. `entry`: the commit spans more than these files; their journal
 * says so, and it and the entry are kept until they are closed. NULL: these files are all of it. */
bool new_files_commit(
	struct new_file *first, struct state_entry *entry, struct new_file **failed, struct error *err);

/* After a commit: takes the file back, so that the file which it had replaced is there again. If another form has replaced it since,
 * that form's file stays, and the older one comes back only if that form is taken back, too. False: it is still visible. */
bool new_file_undo(struct new_file *file, struct error *err);

/* Closes it and removes whatever lies under the temporary name: an aborted file, or the replaced one. */
void new_file_close(struct new_file *file);

#endif
