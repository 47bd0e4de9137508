// SPDX-License-Identifier: MIT
/* undo.c - a file that was committed is taken back: see new_file_undo() in directory.h.
 *
 * Of several forms that replace one name, each keeps under its temporary name what it found there, so they form a chain:
 *
 *   name: C    temporary of C: B    temporary of B: A    temporary of A: what was there first
 *
 * One of them that is taken back leaves the chain wherever it stands: the next one inherits what it kept. */
#include "sink/directory/directory.h"
#include "sink/directory/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 4 /* another process may move the file between two looks */

/* What cannot be looked at is not taken for what is not there: then *error is an errno, else 0. */
static bool
is_ours(const struct new_file *file, int folder, const char *name, int *error)
{
	struct stat ours, there;

	*error = 0;
	if (fstat(file->fd, &ours) != 0 || fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0) {
		*error = errno == ENOENT ? 0 : errno;
		return false;
	}
	return ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* The temporary name under which another form keeps our file. False: none does, or *error is an errno. */
static bool
find_keeper(const struct new_file *file, char name[static NAME_MAX + 1], int *error)
{
	DIR *dir = folder_names(file->folder);
	struct dirent *entry;
	bool found = false;

	*error = dir == NULL ? errno : 0;
	if (dir == NULL)
		return false;
	while (!found && *error == 0 && (entry = readdir(dir)) != NULL) {
		found = strncmp(entry->d_name, NEW_FILE_PREFIX, strlen(NEW_FILE_PREFIX)) == 0 &&
			is_ours(file, file->folder, entry->d_name, error);
		if (found)
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
	}
	closedir(dir);
	return found;
}

/* Whoever replaced ours keeps from now on what ours had replaced, or nothing (ENOENT: that is gone already). False: nobody
 * has ours, or *error is an errno. */
static bool
leave_chain(struct new_file *file, int *error)
{
	char keeper[NAME_MAX + 1];

	if (!find_keeper(file, keeper, error))
		return false;
	if (file->has_replaced && renameat(file->folder, file->temporary, file->folder, keeper) == 0) {
		file->has_replaced = file->has_temporary = false;
		return true;
	}
	return (!file->has_replaced || errno == ENOENT) && unlinkat(file->folder, keeper, 0) == 0;
}

/* ENOENT: what it replaced was itself taken back meanwhile, and there was nothing before that. */
static bool
put_back(struct new_file *file, int parent, const char *leaf, struct error *err)
{
	if (file->has_replaced) {
		if (renameat2(file->folder, file->temporary, parent, leaf, RENAME_EXCHANGE) == 0 ||
			renameat(file->folder, file->temporary, parent, leaf) == 0)
			return true;
		if (errno != ENOENT)
			return folder_fail(file->to, err, "cannot put the old file back", errno);
	}
	return unlinkat(parent, leaf, 0) == 0 ? true : folder_fail(file->to, err, "cannot remove the file", errno);
}

/* Not visible and not kept by anybody: something else has the name for good. */
static bool
take_back(struct new_file *file, int parent, const char *leaf, struct error *err)
{
	int error = 0;

	for (int i = 0; i < TRIES; i++) {
		if (is_ours(file, parent, leaf, &error))
			return put_back(file, parent, leaf, err);
		if (error != 0 || leave_chain(file, &error))
			break;
	}
	return error == 0 ? true : folder_fail(file->to, err, "cannot look for the file", error);
}

static bool
undo(struct new_file *file, struct error *err)
{
	const char *leaf;
	int parent = folder_of_target(file->folder, file->target, &leaf, NULL);
	bool ok = parent >= 0 ? take_back(file, parent, leaf, err)
			      : folder_fail(file->to, err, "cannot open a folder of the name", errno);

	if (ok)
		folder_sync(parent);
	folder_close(file->folder, parent);
	return ok;
}

bool
new_file_undo(struct new_file *file, struct error *err)
{
	bool ok;

	if (!home_lock(file->home, file->to, err))
		return false;
	ok = undo(file, err);
	if (ok) {
		file->is_visible = false;
		shown_remove(file);
		folder_remove_made(file->folder, file->target, file->n_made);
	}
	home_unlock(file->home);
	return ok;
}
