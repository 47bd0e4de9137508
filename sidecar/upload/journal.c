// SPDX-License-Identifier: MIT
/* journal.c - see journal.h.
 *
 * Its text is three fields a file, each with a NUL behind it (no name holds one): inode, temporary name, target; and a
 * last field END, without which it counts for nothing. The inode tells whether the target is still, or already, the
 * file that is meant. */
#include "upload/journal.h"

#include "base/log.h"
#include "part/naming.h"
#include "upload/directory.h"
#include "upload/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define END "end"

/* -- writing ------------------------------------------------------------------------------------------ */

void
journal_begin(struct journal *journal, int folder)
{
	char uuid[37];

	*journal = (struct journal){ .folder = folder, .fd = -1 };
	naming_uuid(uuid);
	snprintf(journal->name, sizeof journal->name, JOURNAL_PREFIX "%s", uuid);
}

void
journal_add(struct journal *journal, ino_t inode, const char *temporary, const char *target)
{
	buf_addf(&journal->text, "%ju", (uintmax_t)inode);
	buf_add_char(&journal->text, '\0');
	buf_add(&journal->text, temporary, strlen(temporary) + 1);
	buf_add(&journal->text, target, strlen(target) + 1);
}

static bool
write_text(struct journal *journal)
{
	buf_add(&journal->text, END, sizeof END);
	if (journal->text.failed) {
		errno = ENOMEM;
		return false;
	}
	journal->fd = openat(
		journal->folder, journal->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return journal->fd >= 0 && flock(journal->fd, LOCK_EX | LOCK_NB) == 0 &&
		folder_write(journal->fd, journal->text.data, journal->text.len) && fsync(journal->fd) == 0 &&
		folder_sync(journal->folder);
}

static void
forget(struct journal *journal)
{
	buf_free(&journal->text);
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

bool
journal_write(struct journal *journal)
{
	bool ok = write_text(journal);
	int error = errno;

	if (ok)
		return true;
	if (journal->fd >= 0)
		unlinkat(journal->folder, journal->name, 0);
	forget(journal);
	errno = error;
	return false;
}

bool
journal_end(struct journal *journal)
{
	bool ok = unlinkat(journal->folder, journal->name, 0) == 0 && folder_sync(journal->folder);
	int error = errno;

	forget(journal);
	errno = error;
	return ok;
}

/* -- rolling back ------------------------------------------------------------------------------------- */

struct entry {
	uintmax_t inode;
	const char *temporary, *target;
};

static bool
is_inode(int folder, const char *name, uintmax_t inode)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (uintmax_t)st.st_ino == inode;
}

/* Is what lies there the file that was replaced? A second link to the new one is not. */
static bool
is_replaced(int folder, const char *name, uintmax_t inode)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (uintmax_t)st.st_ino != inode;
}

/* At `leaf` lies the file of the entry: puts back what was there before it, or removes it. */
static bool
put_back(int folder, const struct entry *entry, int parent, const char *leaf)
{
	char old[NEW_FILE_NAME_MAX];

	snprintf(old, sizeof old, "%s" NEW_FILE_OLD, entry->temporary);
	if (is_replaced(folder, entry->temporary, entry->inode))
		return renameat(folder, entry->temporary, parent, leaf) == 0;
	if (is_replaced(folder, old, entry->inode))
		return renameat(folder, old, parent, leaf) == 0;
	return unlinkat(parent, leaf, 0) == 0;
}

static bool
take_back(int folder, const struct entry *entry)
{
	const char *leaf;
	int parent = folder_of_target(folder, entry->target, &leaf, NULL);
	bool ok = true;

	if (parent >= 0 && is_inode(parent, leaf, entry->inode)) {
		ok = put_back(folder, entry, parent, leaf);
		ok = folder_sync(parent) && ok;
	}
	folder_close(folder, parent);
	return ok;
}

/* The field that begins at *p, which is moved behind it. NULL: there is none. */
static const char *
next_field(const char **p, const char *end)
{
	const char *field = *p, *nul = field < end ? memchr(field, '\0', (size_t)(end - field)) : NULL;

	if (nul == NULL)
		return NULL;
	*p = nul + 1;
	return field;
}

static bool
next_entry(const char **p, const char *end, struct entry *entry)
{
	const char *inode = next_field(p, end);

	if (inode == NULL || strcmp(inode, END) == 0)
		return false;
	entry->inode = strtoumax(inode, NULL, 10);
	entry->temporary = next_field(p, end);
	entry->target = next_field(p, end);
	return entry->temporary != NULL && entry->target != NULL;
}

static bool
is_whole(const struct buf *text)
{
	return text->len >= sizeof END && memcmp(text->data + text->len - sizeof END, END, sizeof END) == 0;
}

/* All of it, or as much as can be. */
static bool
take_all_back(int folder, const struct buf *text)
{
	const char *p = text->data, *end = text->data + text->len;
	struct entry entry;
	bool ok = true;

	while (next_entry(&p, end, &entry))
		ok = take_back(folder, &entry) && ok;
	return ok;
}

static bool
read_all(int fd, struct buf *text)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_add(text, piece, (size_t)n);
	return n == 0 && !text->failed;
}

static bool
roll_back(int folder, const char *name, const struct buf *text)
{
	if (!is_whole(text) || take_all_back(folder, text)) {
		log_line(LOG_INFO, "upload", "took back what a commit that was cut short had made visible",
			LOG_TEXTVAL("journal", name));
		return unlinkat(folder, name, 0) == 0;
	}
	log_line(LOG_ERROR, "upload", "cannot take back all that a commit that was cut short had made visible",
		LOG_TEXTVAL("journal", name));
	return false;
}

/* Whoever can take the lock knows that the writer is dead. */
bool
journal_roll_back(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct buf text = { 0 };
	bool ok = true;

	if (fd < 0)
		return errno == ENOENT;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		ok = read_all(fd, &text) && roll_back(folder, name, &text);
	buf_free(&text);
	close(fd);
	return ok;
}
