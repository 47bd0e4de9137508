// SPDX-License-Identifier: MIT
/* dead.h - one state file whose process has died: what its intents tell, and which of their objects are settled.
 *
 * The file is locked as long as it is held, so that no other process settles it, too; it is removed when its last object is
 * settled. Of a commit that was done, only the journals of its folders have to be ended. The caller holds the lock of state.c.
 * Blocking calls. */
#ifndef PENSTOCK_DEAD_H
#define PENSTOCK_DEAD_H

#include "state/record.h"

struct dead_object {
	struct record_object is;
	struct dead_entry *entry;
	bool is_taken;   /* state_take_dead() has given it to somebody who settles it */
	bool is_settled; /* nothing of it is left to do */
};

struct dead_entry {
	struct dead_entry *next;
	const char *id;
	bool is_done;
	size_t n;
	struct dead_object objects[];
};

#define DEAD_NAME_MAX 64

struct dead_file {
	struct dead_file *next;
	int folder; /* borrowed */
	int fd;
	char name[DEAD_NAME_MAX];
	struct buf text; /* what entries point into */
	struct dead_entry *entries;
	size_t n_open; /* objects that are not settled */
};

enum dead_result {
	DEAD_TAKEN, /* *out holds it */
	DEAD_GONE,  /* it told nothing, and is removed; or it was gone already */
	DEAD_LIVES, /* its process lives */
	DEAD_STAYS, /* it cannot be read: *why, a constant or of strerror() */
};
enum dead_result dead_take(int folder, const char *name, struct dead_file **out, const char **why);

/* NULL: the file does not tell of this id. */
const struct dead_entry *dead_find(const struct dead_file *file, const char *id);

/* Notes that one object, or all that the folder at `at` had to take back, are settled. True: nothing is left of what the file
 * tells; it is removed from the folder, and the caller may free it. */
bool dead_settle(struct dead_file *file, struct dead_object *object);
bool dead_settle_place(struct dead_file *file, const char *at);

void dead_free(struct dead_file *file); /* NULL is fine; the file stays */

#endif
