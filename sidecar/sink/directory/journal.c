// SPDX-License-Identifier: MIT
/* journal.c - see journal.h: the writer's side; journal_back.c takes back what is found. */
#include "sink/directory/journal.h"

#include "base/lock.h"
#include "base/uuid.h"
#include "sink/directory/file_id.h"
#include "sink/directory/folder.h"
#include "sink/directory/journal_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
add_field(struct buf *text, const char *field)
{
	buf_add(text, field, strlen(field) + 1);
}

static bool
add_id(struct buf *text, int at)
{
	struct file_id id;

	if (!file_id_of(at, "", &id))
		return false;
	file_id_add(text, &id);
	buf_add_char(text, '\0');
	return true;
}

/* The lock first: from the first byte on, whoever looks sees that its writer lives. Where there are no locks the file is
 * written all the same. */
static bool
open_file(struct journal *journal)
{
	journal->fd = openat(
		journal->folder, journal->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (journal->fd < 0)
		return false;
	switch (lock_take(journal->fd)) {
	case LOCK_OURS:
		return true;
	case LOCK_TAKEN: /* by one who sweeps: it is empty, so he removes it */
		errno = EAGAIN;
		return false;
	case LOCK_UNKNOWN:
		break;
	}
	return lock_is_missing(errno);
}

void
journal_drop(struct journal *journal)
{
	int error = errno;

	if (journal->fd >= 0) {
		unlinkat(journal->folder, journal->name, 0);
		close(journal->fd);
	}
	buf_free(&journal->text);
	journal->fd = -1;
	errno = error;
}

bool
journal_begin(struct journal *journal, int folder, const char *id)
{
	char uuid[UUID_SIZE];

	*journal = (struct journal){ .folder = folder, .fd = -1 };
	uuid_make(uuid);
	snprintf(journal->name, sizeof journal->name, JOURNAL_PREFIX "%s", uuid);
	add_field(&journal->text, id != NULL ? JOURNAL_FORMAT_OF : JOURNAL_FORMAT);
	if (id != NULL)
		add_field(&journal->text, id);
	if (open_file(journal) && add_id(&journal->text, folder) && add_id(&journal->text, journal->fd))
		return true;
	journal_drop(journal);
	return false;
}

bool
journal_add(struct journal *journal, int fd, const char *temporary, const char *target)
{
	buf_add_char(&journal->text, JOURNAL_OPEN);
	if (!add_id(&journal->text, fd))
		return false;
	add_field(&journal->text, temporary);
	add_field(&journal->text, target);
	return true;
}

static bool
write_text(struct journal *journal)
{
	add_field(&journal->text, JOURNAL_END);
	if (journal->text.failed) {
		errno = ENOMEM;
		return false;
	}
	return folder_write(journal->fd, journal->text.data, journal->text.len) && fsync(journal->fd) == 0 &&
		folder_sync(journal->folder);
}

bool
journal_write(struct journal *journal)
{
	if (write_text(journal))
		return true;
	journal_drop(journal);
	return false;
}

bool
journal_end(struct journal *journal)
{
	bool ok = unlinkat(journal->folder, journal->name, 0) == 0 && folder_sync(journal->folder);
	int error = errno;

	buf_free(&journal->text);
	close(journal->fd);
	journal->fd = -1;
	errno = error;
	return ok;
}
