// SPDX-License-Identifier: MIT
/* directory.c - the folder itself of directory.h. Its files are new_file.c's and new_files.c's. */
#include "sink/directory/directory.h"

#include "base/lock.h"
#include "base/log.h"
#include "sink/directory/folder.h"
#include "sink/directory/journal.h"
#include "sink/directory/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever can take the lock knows that no living process writes the file. */
static void
remove_if_abandoned(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lock_take(fd) == LOCK_OURS)
		unlinkat(folder, name, 0);
	close(fd);
}

static bool
is_journal(const char *name)
{
	return strncmp(name, JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) == 0;
}

static void
count(struct unsettled *left, enum journal_fate fate)
{
	left->stay += fate == JOURNAL_STAYS;
	left->wait += fate == JOURNAL_WAITS;
}

/* Of journals; of temporary files none is counted. */
static struct unsettled
sweep_some(int folder, bool journals, struct state *state, bool say)
{
	DIR *dir = folder_names(folder);
	struct dirent *entry;
	struct unsettled left = { 0 };

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, NEW_FILE_PREFIX, strlen(NEW_FILE_PREFIX)) != 0 ||
			is_journal(entry->d_name) != journals)
			continue;
		if (journals)
			count(&left, journal_roll_back(folder, entry->d_name, state, say));
		else
			remove_if_abandoned(folder, entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return left;
}

/* Journals come first: what they tell of may lie under the other names. */
struct unsettled
directory_sweep(int folder, struct state *state, bool say)
{
	struct unsettled left = sweep_some(folder, true, state, say);

	if (left.stay + left.wait == 0)
		sweep_some(folder, false, state, say);
	return left;
}

int
directory_open(const struct destination *to, struct error *err)
{
	const char *path = directory_settings(to)->path;
	int folder;

	if (mkdir(path, 0777) == 0)
		log_line(
			LOG_INFO, "sink", "made the folder of a destination", LOG_TEXTVAL("destination", to->name));
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		error_set(err, ERR_SYSTEM, "destination \"%s\": %s: %s", to->name, path, strerror(errno));
		return -1;
	}
	return folder;
}
