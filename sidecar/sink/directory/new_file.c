// SPDX-License-Identifier: MIT
/* new_file.c - one file of directory.h.
 *
 * `exists: refuse` is settled by the rename itself (RENAME_NOREPLACE, or a hard link where the file system
 * cannot do that), so of two racing files only one wins. `exists: replace` exchanges the two names where the
 * file system can: a reader always finds the old or the new content, and an undo puts the old one back. */
#include "sink/directory/directory.h"

#include "base/lock.h"
#include "base/uuid.h"
#include "sink/directory/folder.h"
#include "sink/directory/settings.h"
#include "sink/directory/sync_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREATE_TRIES 8
#define EXCHANGE_TRIES 8
#define IS_SIBLING EALREADY /* no rename says so */

/* -- errors: by the destination's name, never by a path of this machine ------------------------------- */

static bool
fail_exists(const struct destination *to, struct error *err)
{
	return error_set(err, ERR_EXISTS, "destination \"%s\": the name exists already", to->name);
}

/* -- writing ------------------------------------------------------------------------------------------ */

/* A penstock that starts may see the file before it is locked, and remove it. False: errno says why; EEXIST: another name
 * may be luckier. */
static bool
lock_new(const struct new_file *file, int fd)
{
	enum lock_result result = lock_take(fd);
	struct stat st;

	if (result == LOCK_TAKEN || (result == LOCK_OURS && fstat(fd, &st) == 0 && st.st_nlink == 0))
		errno = EEXIST;
	else
		return result == LOCK_OURS || !file->can_lock;
	return false;
}

static int
create_once(struct new_file *file)
{
	char uuid[UUID_SIZE];
	int fd, error;

	uuid_make(uuid);
	snprintf(file->temporary, sizeof file->temporary, NEW_FILE_PREFIX "%s", uuid);
	fd = openat(file->folder, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0 || lock_new(file, fd))
		return fd;
	error = errno;
	unlinkat(file->folder, file->temporary, 0);
	close(fd);
	errno = error;
	return -1;
}

static bool
fail_create(const struct destination *to, struct error *err, int error)
{
	if (error == ENOENT)
		return folder_fail(
			to, err, "its folder was removed; a reload opens the one that is there now", error);
	return folder_fail(to, err, "cannot create a file", error);
}

/* A folder that could not be written when it was opened is tried now. */
static bool
know_folder(struct new_file *file, struct error *err)
{
	struct abilities can = file->home->can;
	int error = can.are_known ? 0 : abilities_find(file->folder, &can);
	const char *lack;
	bool is_fatal;

	if (error != 0)
		return fail_create(file->to, err, error);
	lack = abilities_lack(&can, directory_settings(file->to)->exists, 0, &is_fatal);
	if (lack != NULL && is_fatal)
		return error_set(err, ERR_UPSTREAM, "destination \"%s\": %s", file->to->name, lack);
	file->can_lock = can.locks;
	return true;
}

bool
new_file_create(struct new_file *file, struct home *home, const struct destination *to, struct error *err)
{
	*file = (struct new_file){ .to = to, .home = home, .folder = home->fd, .fd = -1, .old_fd = -1 };
	if (!know_folder(file, err))
		return false;
	for (int i = 0; i < CREATE_TRIES && file->fd < 0; i++) {
		file->fd = create_once(file);
		if (file->fd < 0 && errno != EEXIST)
			break;
	}
	file->has_temporary = file->fd >= 0;
	return file->has_temporary ? true : fail_create(to, err, errno);
}

bool
new_file_write(struct new_file *file, const char *data, size_t len, struct error *err)
{
	return folder_write(file->fd, data, len) ? true : folder_fail(file->to, err, "cannot write", errno);
}

bool
new_file_is_written(const struct new_file *file, struct error *err)
{
	int error = sync_batch_error(file);

	return error == 0 ? true : folder_fail(file->to, err, "cannot write", error);
}

/* -- names -------------------------------------------------------------------------------------------- */

/* The folder in which `target` lies, and the target's last segment. -1: err says why. */
static int
open_parent(struct new_file *file, const char *target, const char **leaf, struct error *err)
{
	int parent = folder_of_target(file->folder, target, leaf, &file->n_made);

	if (parent < 0 && errno == ENOTDIR)
		error_set(err, ERR_EXISTS,
			"destination \"%s\": a folder of the name exists already as something else",
			file->to->name);
	else if (parent < 0)
		folder_fail(file->to, err, "cannot open a folder of the name", errno);
	return parent;
}

/* -- becoming visible --------------------------------------------------------------------------------- */

/* Of linkat(): the file system has no second names (FAT, SMB, FUSE). */
static bool
lacks_links(int error)
{
	return error == EPERM || error == EOPNOTSUPP || error == ENOSYS;
}

/* The file system can only rename over what is there, which is refused if anything is; `exists: refuse` never gets here,
 * for what comes in between would be lost (abilities.h). 0, or an errno. */
static int
rename_plainly(const struct new_file *file, int parent, const char *leaf)
{
	struct stat st;

	if (fstatat(parent, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	if (errno != ENOENT)
		return errno;
	return renameat(file->folder, file->temporary, parent, leaf) == 0 ? 0 : errno;
}

/* 0, or an errno. */
static int
rename_new(const struct new_file *file, int parent, const char *leaf)
{
	if (renameat2(file->folder, file->temporary, parent, leaf, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	if (linkat(file->folder, file->temporary, parent, leaf, 0) == 0) {
		unlinkat(file->folder, file->temporary, 0);
		return 0;
	}
	if (lacks_links(errno) && directory_settings(file->to)->exists == EXISTS_REPLACE)
		return rename_plainly(file, parent, leaf);
	return errno;
}

/* What is in the way: 0 if it may be replaced, or an errno; ENOENT: it has gone, IS_SIBLING: it is of the same form. */
static int
look_in_the_way(const struct new_file *file, int parent, const char *leaf)
{
	struct stat st;

	if (fstatat(parent, leaf, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? ENOENT : EEXIST;
	if (shown_is_sibling(file, &st))
		return IS_SIBLING;
	return S_ISREG(st.st_mode) && directory_settings(file->to)->exists == EXISTS_REPLACE ? 0 : EEXIST;
}

/* Where the file system cannot exchange (NFS): the old file gets a second name before it is replaced. 0, or an errno. */
static int
rename_over_linked(struct new_file *file, int parent, const char *leaf)
{
	char old[sizeof file->temporary];

	snprintf(old, sizeof old, "%.*s" NEW_FILE_OLD, (int)(sizeof old - sizeof NEW_FILE_OLD), file->temporary);
	if (linkat(parent, leaf, file->folder, old, 0) != 0) {
		if (!lacks_links(errno))
			return errno;
		/* no second names either (FAT, SMB): it is replaced all the same, and can then only be removed */
		return renameat(file->folder, file->temporary, parent, leaf) == 0 ? 0 : errno;
	}
	if (renameat(file->folder, file->temporary, parent, leaf) != 0) {
		int error = errno;

		unlinkat(file->folder, old, 0);
		return error;
	}
	memcpy(file->temporary, old, sizeof old);
	file->has_replaced = true;
	return 0;
}

/* Before the exchange: from then on it bears a temporary name, and a penstock that starts would take it for left behind.
 * Without the lock (not readable by us, or its own writer still has it) it is replaced all the same. */
static void
lock_old(struct new_file *file, int parent, const char *leaf)
{
	if (file->old_fd >= 0)
		close(file->old_fd);
	file->old_fd = openat(parent, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file->old_fd >= 0)
		lock_take(file->old_fd);
}

/* Something has the name: exchange, so that it can be put back. 0, or an errno; ENOENT: it has gone. */
static int
rename_over(struct new_file *file, int parent, const char *leaf)
{
	int error = look_in_the_way(file, parent, leaf);

	if (error != 0)
		return error; /* never a folder or a link */
	lock_old(file, parent, leaf);
	if (renameat2(file->folder, file->temporary, parent, leaf, RENAME_EXCHANGE) == 0) {
		file->has_replaced = true;
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	return rename_over_linked(file, parent, leaf);
}

static int
make_visible(struct new_file *file, int parent, const char *leaf)
{
	int error = EEXIST;

	for (int i = 0; i < EXCHANGE_TRIES; i++) {
		error = rename_new(file, parent, leaf);
		if (error == EEXIST)
			error = rename_over(file, parent, leaf);
		if (error != ENOENT)
			break;
	}
	return error;
}

static bool
show(struct new_file *file, const char *target, struct error *err)
{
	const char *leaf;
	int parent, error;

	file->target = target;
	parent = open_parent(file, target, &leaf, err);
	error = parent >= 0 ? make_visible(file, parent, leaf) : -1;
	folder_close(file->folder, parent);
	file->is_visible = error == 0;
	if (file->is_visible) {
		file->has_temporary = file->has_replaced;
		shown_add(file);
		return true;
	}
	folder_remove_made(file->folder, target, file->n_made);
	if (error < 0)
		return false;
	if (error == IS_SIBLING)
		return error_set(err, ERR_RULE, "destination \"%s\": two parts of the form would get one name",
			file->to->name);
	return error == EEXIST ? fail_exists(file->to, err) : folder_fail(file->to, err, "cannot rename", error);
}

bool
new_file_show(struct new_file *file, const char *target, struct error *err)
{
	bool ok = home_lock(file->home, file->to, err);

	if (!ok)
		return false;
	ok = show(file, target, err);
	home_unlock(file->home);
	return ok;
}

bool
new_file_is_settled(const struct new_file *file, struct error *err)
{
	int error = sync_batch_error(file);

	return error == 0 ? true : folder_fail(file->to, err, "cannot rename", error);
}

void
new_file_hide(struct new_file *file)
{
	struct error ignored = { 0 };

	if (file->is_visible)
		new_file_undo(file, &ignored);
}

void
new_file_close(struct new_file *file)
{
	shown_remove(file);
	if (file->has_temporary)
		unlinkat(file->folder, file->temporary, 0);
	file->has_temporary = false;
	if (file->fd >= 0)
		close(file->fd);
	if (file->old_fd >= 0)
		close(file->old_fd);
	file->fd = file->old_fd = -1;
	new_files_let_go(file->held);
	file->held = NULL;
}
