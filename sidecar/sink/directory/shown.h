// SPDX-License-Identifier: MIT
/* shown.h - the files that this process has made visible and whose forms are not over, by what they are. Names can meet
 * where nothing in them tells it (a bind mount, a file system without letter case): then the file that is in the way is
 * one of the same form, and is not replaced. [disk] */
#ifndef PENSTOCK_SHOWN_H
#define PENSTOCK_SHOWN_H

#include <stdbool.h>
#include <sys/stat.h>

#define SHOWN_BUCKETS 256

struct new_file;

struct shown { /* zeroed: empty */
	struct new_file *buckets[SHOWN_BUCKETS];
};

/* Both do nothing if the file has no `shown`; shown_remove() does nothing for one that was not added. */
void shown_add(struct new_file *file);
void shown_remove(struct new_file *file);

/* Is it one that the file's own form has made visible? */
bool shown_is_sibling(const struct new_file *file, const struct stat *st);

#endif
