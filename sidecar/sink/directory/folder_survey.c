// SPDX-License-Identifier: MIT
/* folder_survey.c - see folder_survey.h. A folder that is not there is not made: that is a start's. What is written has no
 * name for longer than it takes to remove it, and lies where a start would sweep it. */
#include "sink/directory/folder_survey.h"

#include "sink/directory/abilities.h"
#include "sink/directory/directory.h"
#include "sink/directory/folder.h"
#include "sink/directory/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define QUOTA_BLOCK 1024u /* bytes of a block of dqb_bhardlimit, whatever the file system's are */

static const char *const after_writable[] = { "fsync", "space", "quota", "one file system", NULL };

static const struct directory_settings *
settings_of(const struct survey *survey, size_t destination)
{
	return directory_settings(&survey->config->destinations[destination]);
}

/* -- is it there, and may it be written? -------------------------------------------------------------- */

/* Cuts the last segment off `path`. "a" lies in ".", "/a" in "/". */
static void
go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		snprintf(path, 2, ".");
	else if (slash == path)
		path[1] = '\0';
	else
		*slash = '\0';
}

/* A start makes the last segment and no other. */
static bool
could_be_made(const char *path)
{
	struct buf above = { 0 };
	bool ok;

	buf_add_text(&above, path);
	while (above.len > 1 && above.data[above.len - 1] == '/')
		above.data[--above.len] = '\0';
	if (above.failed || above.len == 0) {
		buf_free(&above);
		return false;
	}
	go_up(above.data);
	ok = faccessat(AT_FDCWD, above.data, W_OK | X_OK, AT_EACCESS) == 0;
	buf_free(&above);
	return ok;
}

/* -1: it has been noted. */
static int
open_folder(struct survey *survey, const struct destination *to)
{
	const char *path = directory_settings(to)->path;
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = errno;

	if (folder >= 0)
		return folder;
	if (error == ENOENT && could_be_made(path))
		survey_note(
			survey, "writable", SURVEY_NOT_TRIED, "path", "it is not there yet; a start would make it");
	else
		survey_note(survey, "writable", SURVEY_NO, "path", "%s", strerror(error));
	return -1;
}

static void
note_abilities(struct survey *survey, const struct destination *to, const struct abilities *can)
{
	struct ability row;

	for (size_t i = 0; abilities_row(can, directory_settings(to)->exists, i, &row); i++)
		survey_note(survey, row.name, row.has ? SURVEY_YES : SURVEY_NO, row.relied_on, "%s",
			row.has ? "" : row.lack);
}

static bool
try_abilities(struct survey *survey, const struct destination *to, int folder)
{
	struct abilities can;
	int error = abilities_find(folder, &can);

	survey_note(survey, "writable", error == 0 ? SURVEY_YES : SURVEY_NO, "path", "%s",
		error == 0 ? "" : strerror(error));
	if (error == 0)
		note_abilities(survey, to, &can);
	return error == 0;
}

/* -- does it last? ------------------------------------------------------------------------------------ */

static void
try_sync(struct survey *survey, int folder)
{
	static const char bytes[4096] = { 0 };
	int fd = folder_open_nameless(folder, SURVEY_PREFIX);
	bool ok = fd >= 0 && folder_write(fd, bytes, sizeof bytes) && fsync(fd) == 0 && folder_sync(folder);

	survey_note(
		survey, "fsync", ok ? SURVEY_YES : SURVEY_NO, "type: directory", "%s", ok ? "" : strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* -- is there room? ----------------------------------------------------------------------------------- */

struct size {
	char text[32];
};

static const char *
say_size(uint64_t bytes, struct size *to)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= 1024 && i + 1 < sizeof units / sizeof units[0]; i++)
		value /= 1024;
	snprintf(to->text, sizeof to->text, i == 0 ? "%.0f %s" : "%.1f %s", value, units[i]);
	return to->text;
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Of one part that the rules let in; LIMIT_NONE: any. */
static uint64_t
largest_part(const struct survey *survey, const struct destination *to)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < survey->config->n_routes; i++) {
		const struct route *route = &survey->config->routes[i];

		for (size_t k = 0; k < route->n_rules; k++) {
			uint64_t most = smaller(route->rules[k].max_size, route->limits.body);

			if (route->rules[k].to == to && most > largest)
				largest = most;
		}
	}
	return largest;
}

static void
look_at_space(struct survey *survey, const struct destination *to, int folder)
{
	struct statvfs fs;
	struct size free_size, part_size;
	uint64_t room, largest = largest_part(survey, to);
	bool fits;

	if (fstatvfs(folder, &fs) != 0) {
		survey_note(survey, "space", SURVEY_NOT_TRIED, NULL, "%s", strerror(errno));
		return;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	fits = room > 0 && (largest == LIMIT_NONE || largest <= room) && (fs.f_files == 0 || fs.f_favail > 0);
	say_size(room, &free_size);
	say_size(largest, &part_size);
	if (fs.f_files > 0 && fs.f_favail == 0)
		survey_note(survey, "space", SURVEY_NO, NULL, "%s are free, but no inode is", free_size.text);
	else if (fits)
		survey_note(survey, "space", SURVEY_YES, NULL, "%s are free", free_size.text);
	else
		survey_note(survey, "space", SURVEY_NO, NULL, "%s are free, and one part may have %s",
			free_size.text, largest == LIMIT_NONE ? "any size" : part_size.text);
}

/* Of this user, or of this group. 0, or an errno: ESRCH, there is none. */
static int
read_quota(int folder, int type, unsigned id, struct dqblk *quota)
{
	unsigned ask = (unsigned)Q_GETQUOTA << SUBCMDSHIFT |
		((unsigned)type & SUBCMDMASK); /* QCMD() overflows an int */

	return syscall(SYS_quotactl_fd, folder, ask, id, quota) == 0 ? 0 : errno;
}

/* Bytes. LIMIT_NONE: no limit is set. */
static uint64_t
left_of(int error, const struct dqblk *quota)
{
	uint64_t limit = quota->dqb_bhardlimit * QUOTA_BLOCK;

	if (error != 0 || quota->dqb_bhardlimit == 0)
		return LIMIT_NONE;
	return quota->dqb_curspace < limit ? limit - quota->dqb_curspace : 0;
}

static void
note_quota(struct survey *survey, const char *whose, const struct dqblk *quota)
{
	uint64_t left = left_of(0, quota);
	struct size room, all;

	say_size(left, &room);
	say_size(quota->dqb_bhardlimit * QUOTA_BLOCK, &all);
	survey_note(survey, "quota", left > 0 ? SURVEY_YES : SURVEY_NO, NULL, "%s are left to this %s, of %s",
		room.text, whose, all.text);
}

static bool
is_without_quota(int error)
{
	return error == ESRCH || error == ENOSYS || error == EOPNOTSUPP || error == ENOTTY || error == EINVAL;
}

/* Of two limits the one counts that is met first. */
static void
look_at_quota(struct survey *survey, int folder)
{
	struct dqblk of_user = { 0 }, of_group = { 0 };
	int user = read_quota(folder, USRQUOTA, geteuid(), &of_user);
	int group = read_quota(folder, GRPQUOTA, getegid(), &of_group);
	uint64_t left_to_user = left_of(user, &of_user), left_to_group = left_of(group, &of_group);

	if (left_to_group < left_to_user)
		note_quota(survey, "group", &of_group);
	else if (left_to_user != LIMIT_NONE)
		note_quota(survey, "user", &of_user);
	else if (user == 0 || user == ESRCH)
		survey_note(survey, "quota", SURVEY_YES, NULL, "no limit is set");
	else
		survey_note(survey, "quota", SURVEY_NOT_TRIED, NULL, "%s",
			is_without_quota(user) ? "its file system counts none" : strerror(user));
}

/* -- whose file system is it on? ---------------------------------------------------------------------- */

static bool
is_folder(const struct survey *survey, size_t i)
{
	return survey->config->destinations[i].kind == &directory_kind;
}

static void
look_at_others(struct survey *survey, const struct destination *to, int folder)
{
	struct buf same = { 0 }, other = { 0 };
	struct stat here, there;
	bool is_known = fstat(folder, &here) == 0;

	for (size_t i = 0; is_known && i < survey->config->n_destinations; i++) {
		struct buf *list = &same;

		if (&survey->config->destinations[i] == to || !is_folder(survey, i) ||
			stat(settings_of(survey, i)->path, &there) != 0)
			continue;
		if (there.st_dev != here.st_dev)
			list = &other;
		buf_addf(list, "%s\"%s\"", list->len > 0 ? ", " : "", survey->config->destinations[i].name);
	}
	if (same.len == 0 && other.len == 0)
		survey_note(survey, "one file system", SURVEY_NOT_TRIED, NULL, "there is no other folder");
	else
		survey_note(survey, "one file system", other.len > 0 ? SURVEY_NO : SURVEY_YES, NULL,
			"%s%.80s%s%s%.80s", same.len > 0 ? "with " : "", same.len > 0 ? same.data : "",
			same.len > 0 && other.len > 0 ? "; " : "", other.len > 0 ? "not with " : "",
			other.len > 0 ? other.data : "");
	buf_free(&same);
	buf_free(&other);
}

/* -- all of it ---------------------------------------------------------------------------------------- */

static void
try_open(struct survey *survey, const struct destination *to, int folder)
{
	if (!try_abilities(survey, to, folder))
		survey_note(survey, "fsync", SURVEY_NOT_TRIED, "type: directory", "it may not be written");
	else
		try_sync(survey, folder);
	look_at_space(survey, to, folder);
	look_at_quota(survey, folder);
	look_at_others(survey, to, folder);
}

void
folder_survey(struct survey *survey, const struct destination *to)
{
	int folder = open_folder(survey, to);

	if (folder >= 0) {
		try_open(survey, to, folder);
		close(folder);
		return;
	}
	for (size_t i = 0; after_writable[i] != NULL; i++)
		survey_note(survey, after_writable[i], SURVEY_NOT_TRIED, NULL, "there is no folder");
}
