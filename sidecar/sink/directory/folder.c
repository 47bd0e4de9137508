// SPDX-License-Identifier: MIT
/* folder.c - see folder.h. */
#include "sink/directory/folder.h"

#include "base/uuid.h"
#include "sink/safe_name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
folder_sync(int folder)
{
	return fsync(folder) == 0 || errno == EINVAL;
}

void
folder_close(int folder, int parent)
{
	if (parent >= 0 && parent != folder)
		close(parent);
}

/* Cuts the next segment off *rest into `name`. False: it is the last one. */
static bool
next_segment(const char **rest, char *name, size_t size)
{
	const char *slash = strchr(*rest, '/');

	if (slash == NULL)
		return false;
	snprintf(name, size, "%.*s", (int)(slash - *rest), *rest);
	*rest = slash + 1;
	return true;
}

/* What cannot be made may be there already. If it is not, the making tells why, not the opening. */
static int
descend(int parent, const char *name, unsigned *n_made)
{
	int error = 0, fd;

	if (n_made != NULL && mkdirat(parent, name, 0777) == 0)
		++*n_made;
	else if (n_made != NULL)
		error = errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && error != 0)
		errno = error;
	return fd;
}

int
folder_of_target(int folder, const char *target, const char **leaf, unsigned *n_made)
{
	char name[SAFE_NAME_SEGMENT_MAX + 1];
	int parent = folder;

	*leaf = target;
	while (parent >= 0 && next_segment(leaf, name, sizeof name)) {
		int above = parent, error;

		parent = descend(above, name, n_made);
		error = errno;
		folder_close(folder, above);
		errno = error;
	}
	return parent;
}

void
folder_remove_made(int folder, const char *target, unsigned n_made)
{
	char path[SAFE_NAME_MAX + 1];
	char *slash;

	snprintf(path, sizeof path, "%s", target);
	while (n_made > 0 && (slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (unlinkat(folder, path, AT_REMOVEDIR) == 0)
			n_made--;
		else if (errno != ENOENT) /* ENOENT: making them had not come so far */
			break;
	}
}

DIR *
folder_names(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;

	if (dir == NULL && copy >= 0)
		close(copy);
	return dir;
}

int
folder_open_nameless(int folder, const char *prefix)
{
	char name[NAME_MAX + 1], uuid[UUID_SIZE];
	struct stat st;
	int fd = -1;

	if (fstat(folder, &st) != 0)
		return -1;
	if (st.st_nlink > 0)
		fd = openat(folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd >= 0 || (st.st_nlink > 0 && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	uuid_make(uuid);
	snprintf(name, sizeof name, "%s%s", prefix, uuid);
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(folder, name, 0);
	return fd;
}

bool
folder_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static enum error_kind
kind_of(int error)
{
	switch (error) {
	case ENAMETOOLONG: /* some file systems take fewer bytes than others */
		return ERR_RULE;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_UPSTREAM_FULL;
	case EMFILE:
	case ENFILE:
		return ERR_BUSY;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_UPSTREAM;
	}
}

static const char *
words_of(int error)
{
	switch (error) {
	case ENAMETOOLONG:
		return "the name is too long for its file system";
	case EMFILE:
	case ENFILE:
		return "no descriptor is left; try again later";
	case ENOMEM:
		return "out of memory; try again later";
	default:
		return strerror(error);
	}
}

bool
folder_fail(const struct destination *to, struct error *err, const char *what, int error)
{
	return error_set(err, kind_of(error), "destination \"%s\": %s: %s", to->name, what, words_of(error));
}
