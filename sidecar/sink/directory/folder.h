// SPDX-License-Identifier: MIT
/* folder.h - the folders below a destination's own. No symbolic link is followed. Blocking calls. */
#ifndef PENSTOCK_FOLDER_H
#define PENSTOCK_FOLDER_H

#include "base/error.h"
#include "config/route.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

/* Opens the folder in which `target` lies: `folder` itself if that is where. *leaf: the last segment of the target.
 * `n_made` is not NULL: folders that are missing are made, and counted there; sync_batch.h makes them durable. -1: errno says why. */
int folder_of_target(int folder, const char *target, const char **leaf, unsigned *n_made);

/* `n_made` folders were made for a file that did not come to be: they go again, deepest first, if they are empty. */
void folder_remove_made(int folder, const char *target, unsigned n_made);

void folder_close(int folder, int parent); /* what folder_of_target() gave; -1 is fine */

/* The names in a folder, for the caller to close. NULL: errno says why. */
DIR *folder_names(int folder);

/* Makes the names in a folder durable. Some file systems cannot do that for folders; they say EINVAL. */
bool folder_sync(int folder);

/* A file to try something with, open for writing. It has no name where the file system has such files and the folder was not removed,
 * so nobody who watches the folder notices; else one that begins with `prefix`, which is removed at once. -1: errno says why. */
int folder_open_nameless(int folder, const char *prefix);

/* All of it. False: errno says why. */
bool folder_write(int fd, const char *data, size_t len);

/* Says what went wrong with an errno, by the destination's name and never by a path of this machine. Returns false. */
bool folder_fail(const struct destination *to, struct error *err, const char *what, int error);

#endif
