// SPDX-License-Identifier: MIT
/* file_id.h - by what a file is recognised after the process that wrote it is gone. The file system gives an inode number to another
 * file as soon as the first is removed; so birth time (where it is known), size and time of the last change
 * count too. None of them outlives a copy: what lies in a copied or restored folder is another file. Blocking calls. */
#ifndef PENSTOCK_FILE_ID_H
#define PENSTOCK_FILE_ID_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define FILE_ID_NUMBERS 7

struct file_id {
	uintmax_t n[FILE_ID_NUMBERS];
};

enum file_likeness {
	FILE_OTHER,
	FILE_SAME,
	FILE_CHANGED, /* the same one, but written since; or, without birth times, perhaps another */
};

/* Of `name` in the folder `at`, no link followed; "": of `at` itself. False: errno says why. */
bool file_id_of(int at, const char *name, struct file_id *id);

enum file_likeness file_id_compare(const struct file_id *then, const struct file_id *now);

/* Only which file or folder it is, whatever was written into it since. */
bool file_id_is_one(const struct file_id *then, const struct file_id *now);

/* As text, without a NUL, and back. False: it is not such a text. */
void file_id_add(struct buf *out, const struct file_id *id);
bool file_id_read(const char *text, struct file_id *id);

#endif
