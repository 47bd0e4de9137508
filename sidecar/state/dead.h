// SPDX-License-Identifier: MIT
/* dead.h - one state file whose process has died: what its intents tell, and which of their objects are settled.
 *
 * It is locked as long as it is held, so that no other process settles it, too; it is removed when the last object is
 * settled. Objects of a commit that was done need nothing but that their folder's journal ends. Whoever calls has the lock
 * of state.c. Blocking calls. */
#ifndef PENSTOCK_DEAD_H
#define PENSTOCK_DEAD_H

#include "state/record.h"

struct dead_object {
	struct record_object is;
	struct dead_entry *entry;
	bool is_taken;   /* somebody settles it */
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

/* NULL: it does not tell of it. */
const struct dead_entry *dead_find(const struct dead_file *file, const char *id);

/* One object, or all that folders at `at` have to take back, are settled. True: the file tells of nothing any more, and is
 * removed from the folder; who holds it may free it. */
bool dead_settle(struct dead_file *file, struct dead_object *object);
bool dead_settle_place(struct dead_file *file, const char *at);

void dead_free(struct dead_file *file); /* NULL is fine; the file stays */

#endif
