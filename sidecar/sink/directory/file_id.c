// SPDX-License-Identifier: MIT
/* file_id.c - see file_id.h. The device is not among them: its number may be another one after a restart. */
#include "sink/directory/file_id.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { INODE, HAS_BIRTH, BIRTH_S, BIRTH_NS, SIZE, CHANGED_S, CHANGED_NS };

static void
read_statx(const struct statx *st, struct file_id *id)
{
	bool has_birth = (st->stx_mask & STATX_BTIME) != 0;

	*id = (struct file_id){ .n = {
					[INODE] = st->stx_ino,
					[HAS_BIRTH] = has_birth,
					[BIRTH_S] = has_birth ? (uintmax_t)st->stx_btime.tv_sec : 0,
					[BIRTH_NS] = has_birth ? st->stx_btime.tv_nsec : 0,
					[SIZE] = st->stx_size,
					[CHANGED_S] = (uintmax_t)st->stx_mtime.tv_sec,
					[CHANGED_NS] = st->stx_mtime.tv_nsec,
				} };
}

/* A kernel or a container's filter that does not know statx(): no birth times. */
static bool
read_stat(int at, const char *name, int flags, struct file_id *id)
{
	struct stat st;

	if (fstatat(at, name, &st, flags) != 0)
		return false;
	*id = (struct file_id){ .n = {
					[INODE] = st.st_ino,
					[SIZE] = (uintmax_t)st.st_size,
					[CHANGED_S] = (uintmax_t)st.st_mtim.tv_sec,
					[CHANGED_NS] = (uintmax_t)st.st_mtim.tv_nsec,
				} };
	return true;
}

bool
file_id_of(int at, const char *name, struct file_id *id)
{
	int flags = AT_SYMLINK_NOFOLLOW | (*name == '\0' ? AT_EMPTY_PATH : 0);
	struct statx st;

	if (statx(at, name, flags, STATX_BASIC_STATS | STATX_BTIME, &st) == 0) {
		read_statx(&st, id);
		return true;
	}
	return (errno == ENOSYS || errno == EPERM) && read_stat(at, name, flags, id);
}

static bool
have_births(const struct file_id *a, const struct file_id *b)
{
	return a->n[HAS_BIRTH] && b->n[HAS_BIRTH];
}

bool
file_id_is_one(const struct file_id *then, const struct file_id *now)
{
	return then->n[INODE] == now->n[INODE] &&
		(!have_births(then, now) ||
			(then->n[BIRTH_S] == now->n[BIRTH_S] && then->n[BIRTH_NS] == now->n[BIRTH_NS]));
}

enum file_likeness
file_id_compare(const struct file_id *then, const struct file_id *now)
{
	if (!file_id_is_one(then, now))
		return FILE_OTHER;
	return then->n[SIZE] == now->n[SIZE] && then->n[CHANGED_S] == now->n[CHANGED_S] &&
			then->n[CHANGED_NS] == now->n[CHANGED_NS]
		? FILE_SAME
		: FILE_CHANGED;
}

void
file_id_add(struct buf *out, const struct file_id *id)
{
	for (size_t i = 0; i < FILE_ID_NUMBERS; i++)
		buf_addf(out, i == 0 ? "%ju" : " %ju", id->n[i]);
}

bool
file_id_read(const char *text, struct file_id *id)
{
	for (size_t i = 0; i < FILE_ID_NUMBERS; i++) {
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		id->n[i] = strtoumax(text, &end, 10);
		if (*end != (i + 1 < FILE_ID_NUMBERS ? ' ' : '\0'))
			return false;
		text = end + 1;
	}
	return true;
}
