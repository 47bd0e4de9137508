// SPDX-License-Identifier: MIT
/* abilities.c - see abilities.h. */
#include "sink/directory/abilities.h"

#include "base/lock.h"
#include "base/uuid.h"
#include "sink/directory/directory.h"
#include "sink/directory/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOME_WAIT_MS 1000u /* another process commits within milliseconds, or it hangs */
#define TRIES 4            /* a penstock that starts may sweep the file before it is locked */

struct trial {
	int folder, fd;
	char first[NEW_FILE_NAME_MAX], second[NEW_FILE_NAME_MAX];
};

static void
make_name(char name[static NEW_FILE_NAME_MAX])
{
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	snprintf(name, NEW_FILE_NAME_MAX, NEW_FILE_PREFIX "%s", uuid);
}

static void
try_locks(const struct trial *trial, struct abilities *can)
{
	can->locks = lock_take(trial->fd) != LOCK_UNKNOWN || !lock_is_missing(errno);
	can->folder_locks = lock_take(trial->folder) != LOCK_UNKNOWN || !lock_is_missing(errno);
	lock_give(trial->folder);
}

/* 0, or an errno: not even a plain rename works. */
static int
try_names(const struct trial *trial, struct abilities *can)
{
	int folder = trial->folder;

	can->no_replace = renameat2(folder, trial->first, folder, trial->second, RENAME_NOREPLACE) == 0;
	if (can->no_replace)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	can->no_replace = linkat(folder, trial->first, folder, trial->second, 0) == 0;
	if (can->no_replace)
		unlinkat(folder, trial->first, 0);
	else if (renameat(folder, trial->first, folder, trial->second) != 0)
		return errno;
	return 0;
}

static bool
has_number_of(const struct trial *trial)
{
	struct stat ours, there;

	return fstat(trial->fd, &ours) == 0 &&
		fstatat(trial->folder, trial->second, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static int
find_once(int folder, struct abilities *can)
{
	struct trial trial = { .folder = folder };
	int error;

	*can = (struct abilities){ 0 };
	make_name(trial.first);
	make_name(trial.second);
	trial.fd = openat(folder, trial.first, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (trial.fd < 0)
		return errno;
	try_locks(&trial, can);
	error = try_names(&trial, can);
	can->keeps_numbers = has_number_of(&trial);
	can->are_known = error == 0;
	unlinkat(folder, trial.first, 0);
	unlinkat(folder, trial.second, 0);
	close(trial.fd);
	return error;
}

int
abilities_find(int folder, struct abilities *can)
{
	int error = ENOENT;
	struct stat st;

	for (int i = 0; i < TRIES && error == ENOENT; i++)
		error = find_once(folder, can);
	return error == ENOENT && fstat(folder, &st) == 0 && st.st_nlink > 0 ? EAGAIN : error;
}

bool
abilities_row(const struct abilities *can, enum exists_policy exists, size_t i, struct ability *row)
{
	const struct ability rows[] = {
		{ "numbers kept", "commit", can->keeps_numbers, true,
			"its file system gives a file another inode number when it is renamed, so that a form that "
			"fails could not be taken back" },
		{ "names not replaced", exists == EXISTS_REFUSE ? "exists: refuse" : NULL, can->no_replace, true,
			"exists: refuse needs renames that do not replace (renameat2) or hard links, and its file "
			"system has neither; exists: replace works there" },
		{ "locks", NULL, can->locks, false,
			"its file system has no locks (flock): only one penstock may use it, and what a crash leaves "
			"is not removed" },
		{ "folder locks", NULL, can->folder_locks, false,
			"the folder itself cannot be locked (NFS): names that two penstocks replace at the same time "
			"may be of both forms" },
	};

	if (!can->are_known || i >= sizeof rows / sizeof rows[0])
		return false;
	*row = rows[i];
	return true;
}

/* Without locks it is not said that there are none of folders; what nothing relies on, but for locks, is not missed. */
static bool
is_missed(const struct abilities *can, const struct ability *row)
{
	if (row->has || (row->is_fatal && row->relied_on == NULL))
		return false;
	return can->locks || strcmp(row->name, "folder locks") != 0;
}

const char *
abilities_lack(const struct abilities *can, enum exists_policy exists, size_t i, bool *is_fatal)
{
	struct ability row;

	for (size_t k = 0; abilities_row(can, exists, k, &row); k++) {
		if (!is_missed(can, &row) || i-- > 0)
			continue;
		*is_fatal = row.is_fatal;
		return row.lack;
	}
	return NULL;
}

/* After the first time in vain only one look is taken, so that a process that hangs does not hold up every commit here. */
bool
home_lock(struct home *home, const struct destination *to, struct error *err)
{
	enum lock_result result;

	if (home->n_locks++ > 0)
		return true;
	result = lock_wait(home->fd, home->was_held ? 0 : HOME_WAIT_MS);
	home->was_held = result == LOCK_TAKEN;
	if (result == LOCK_OURS || (result == LOCK_UNKNOWN && lock_is_missing(errno)))
		return true;
	home->n_locks--;
	if (result == LOCK_TAKEN)
		return error_set(err, ERR_BUSY,
			"destination \"%s\": another process has locked its folder; try again later", to->name);
	return folder_fail(to, err, "cannot lock its folder", errno);
}

void
home_unlock(struct home *home)
{
	if (--home->n_locks == 0)
		lock_give(home->fd);
}
