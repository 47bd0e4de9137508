// SPDX-License-Identifier: MIT
/* journal_back.c - journal_roll_back() of journal.h.
 *
 * What cannot be looked at is not taken for what is not there: then the entry stays open, and so does the journal. */
#include "base/lock.h"
#include "base/log.h"
#include "base/whole_file.h"
#include "sink/directory/directory.h"
#include "sink/directory/file_id.h"
#include "sink/directory/folder.h"
#include "sink/directory/journal.h"
#include "sink/directory/journal_text.h"
#include "sink/safe_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_WAIT_MS 1000u

struct entry {
	const char *mark; /* OPEN or SETTLED, before the id */
	struct file_id id;
	const char *temporary, *target;
};

struct found { /* one journal */
	int folder, fd;
	struct state *state;
	struct buf text;
	const char *id;      /* of the commit that it belongs to; NULL: it is one by itself */
	const char *entries; /* in the text */
	bool has_settled;    /* some entry was crossed out now */
	char why[240];       /* it stays; the first reason */
};

__attribute__((format(printf, 2, 3))) static bool
stays(struct found *found, const char *fmt, ...)
{
	va_list args;

	if (found->why[0] != '\0')
		return false;
	va_start(args, fmt);
	vsnprintf(found->why, sizeof found->why, fmt, args);
	va_end(args);
	return false;
}

/* -- one entry ---------------------------------------------------------------------------------------- */

static bool
is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP; /* a link in the way is not followed */
}

/* Whether what lies there could be looked at; nothing there is FILE_OTHER. */
static bool
look(int folder, const char *name, const struct entry *entry, enum file_likeness *likeness)
{
	struct file_id id;

	*likeness = FILE_OTHER;
	if (!file_id_of(folder, name, &id))
		return is_absent(errno);
	*likeness = file_id_compare(&entry->id, &id);
	return true;
}

/* Does the file that was replaced lie there? A second link to the new one is not it. */
static bool
is_replaced(int folder, const char *name, const struct entry *entry)
{
	struct file_id id;

	return file_id_of(folder, name, &id) && !file_id_is_one(&entry->id, &id);
}

/* At `leaf` lies the file of the entry: puts back what was there before it, or removes it. */
static bool
put_back(int folder, const struct entry *entry, int parent, const char *leaf)
{
	char old[NEW_FILE_NAME_MAX];

	snprintf(old, sizeof old, "%s" NEW_FILE_OLD, entry->temporary);
	if (is_replaced(folder, entry->temporary, entry))
		return renameat(folder, entry->temporary, parent, leaf) == 0;
	if (is_replaced(folder, old, entry))
		return renameat(folder, old, parent, leaf) == 0;
	return unlinkat(parent, leaf, 0) == 0;
}

/* A form that has replaced ours keeps it under its own temporary name, and may yet put it back. */
static bool
is_kept_by_another(int folder, const struct entry *entry)
{
	DIR *dir = folder_names(folder);
	const struct dirent *there;
	bool found = dir == NULL;

	while (!found && (there = readdir(dir)) != NULL) {
		struct file_id id;

		found = strncmp(there->d_name, NEW_FILE_PREFIX, strlen(NEW_FILE_PREFIX)) == 0 &&
			strcmp(there->d_name, entry->temporary) != 0 && file_id_of(folder, there->d_name, &id) &&
			file_id_is_one(&entry->id, &id);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

static bool
take_back_at(struct found *found, const struct entry *entry, int parent, const char *leaf)
{
	enum file_likeness likeness;

	if (!look(parent, leaf, entry, &likeness))
		return stays(found, "\"%s\" cannot be looked at: %s", entry->target, strerror(errno));
	switch (likeness) {
	case FILE_CHANGED:
		return stays(found, "\"%s\" was changed since", entry->target);
	case FILE_OTHER:
		return is_kept_by_another(found->folder, entry)
			? stays(found, "\"%s\" is being replaced by another form", entry->target)
			: true;
	case FILE_SAME:
		break;
	}
	if (put_back(found->folder, entry, parent, leaf) && folder_sync(parent))
		return true;
	return stays(found, "\"%s\" cannot be taken back: %s", entry->target, strerror(errno));
}

static bool
take_back(struct found *found, const struct entry *entry)
{
	const char *leaf;
	int parent = folder_of_target(found->folder, entry->target, &leaf, NULL);
	bool ok;

	if (parent < 0 && !is_absent(errno))
		return stays(found, "the folder of \"%s\" cannot be opened: %s", entry->target, strerror(errno));
	ok = parent < 0 || take_back_at(found, entry, parent, leaf);
	folder_close(found->folder, parent);
	return ok;
}

/* -- its text ----------------------------------------------------------------------------------------- */

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

static const char *
end_of(const struct found *found)
{
	return found->text.data + found->text.len;
}

/* False: there is none, or it makes no sense, which leaves *p before END. */
static bool
next_entry(const struct found *found, const char **p, struct entry *entry)
{
	const char *at = *p;

	entry->mark = next_field(&at, end_of(found));
	if (entry->mark == NULL || (*entry->mark != JOURNAL_OPEN && *entry->mark != JOURNAL_SETTLED) ||
		!file_id_read(entry->mark + 1, &entry->id))
		return false;
	entry->temporary = next_field(&at, end_of(found));
	entry->target = next_field(&at, end_of(found));
	if (entry->temporary == NULL || entry->target == NULL)
		return false;
	*p = at;
	return true;
}

static bool
is_whole(const struct buf *text)
{
	return text->len >= sizeof JOURNAL_END &&
		memcmp(text->data + text->len - sizeof JOURNAL_END, JOURNAL_END, sizeof JOURNAL_END) == 0;
}

/* Was it written here, and not copied or restored from somewhere? */
static bool
is_of(const char *text, int at)
{
	struct file_id then, now;

	return text != NULL && file_id_read(text, &then) && file_id_of(at, "", &now) && file_id_is_one(&then, &now);
}

static bool
may_be_believed(struct found *found)
{
	const char *p = found->text.data, *format = next_field(&p, end_of(found));
	bool has_id = format != NULL && strcmp(format, JOURNAL_FORMAT_OF) == 0;

	if (format == NULL || (!has_id && strcmp(format, JOURNAL_FORMAT) != 0))
		return stays(found, "another version of penstock wrote it");
	if (has_id)
		found->id = next_field(&p, end_of(found));
	if (!is_of(next_field(&p, end_of(found)), found->folder) ||
		!is_of(next_field(&p, end_of(found)), found->fd))
		return stays(found, "it was not written in this folder, which is a copy or was restored");
	found->entries = p;
	return true;
}

/* Crossed out: should a later start read this journal again, it lets that name be. */
static void
cross_out(struct found *found, const struct entry *entry)
{
	const char settled = JOURNAL_SETTLED;

	if (pwrite(found->fd, &settled, 1, entry->mark - found->text.data) == 1)
		found->has_settled = true;
}

/* All of it, or as much as can be. */
static bool
take_all_back(struct found *found)
{
	const char *p = found->entries;
	struct entry entry;
	bool ok = true;

	while (next_entry(found, &p, &entry)) {
		if (*entry.mark == JOURNAL_SETTLED)
			continue;
		if (take_back(found, &entry))
			cross_out(found, &entry);
		else
			ok = false;
	}
	if (strcmp(p, JOURNAL_END) != 0)
		return stays(found, "it holds what makes no sense");
	if (!ok && found->has_settled)
		fsync(found->fd);
	return ok;
}

/* -- the journal -------------------------------------------------------------------------------------- */

/* No other process, and no other thread of this one, gives or takes names here meanwhile: by a descriptor of its own. */
static bool
take_all_back_alone(struct found *found)
{
	int own = openat(found->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (own < 0)
		return stays(found, "its folder cannot be opened: %s", strerror(errno));
	ok = lock_wait(own, FOLDER_WAIT_MS) != LOCK_TAKEN;
	ok = ok ? take_all_back(found) : stays(found, "another process has locked the folder");
	close(own);
	return ok;
}

/* Of a commit that spans more than this folder. */
static enum state_fate
fate_of(struct found *found)
{
	enum state_fate fate = STATE_UNKNOWN;

	if (found->id == NULL)
		return STATE_CUT;
	if (found->state != NULL)
		fate = state_fate(found->state, found->id);
	if (fate == STATE_UNKNOWN)
		stays(found, "it belongs to a commit over several places, of which %s",
			found->state != NULL ? "no file of `state` tells"
					     : "`state` would tell, which the route file does not have");
	return fate;
}

/* JOURNAL_GONE: nothing that it tells is left to do. */
static enum journal_fate
settle_text(struct found *found, enum state_fate *fate)
{
	if (!is_whole(&found->text))
		return JOURNAL_GONE;
	if (!may_be_believed(found))
		return JOURNAL_STAYS;
	*fate = fate_of(found);
	if (*fate == STATE_OPEN)
		return JOURNAL_WAITS;
	return *fate == STATE_DONE || (*fate == STATE_CUT && take_all_back_alone(found)) ? JOURNAL_GONE
											 : JOURNAL_STAYS;
}

static enum journal_fate
settle(struct found *found, const char *name)
{
	enum state_fate fate = STATE_CUT;
	enum journal_fate own;

	if (!whole_file_read(found->fd, &found->text)) {
		stays(found, "it cannot be read: %s", strerror(errno));
		return JOURNAL_STAYS;
	}
	own = settle_text(found, &fate);
	if (own != JOURNAL_GONE)
		return own;
	if (unlinkat(found->folder, name, 0) != 0) {
		stays(found, "it cannot be removed: %s", strerror(errno));
		return JOURNAL_STAYS;
	}
	log_line(LOG_INFO, "sink",
		fate == STATE_DONE ? "a commit that was done had not been tidied up"
				   : "took back what a commit that was cut short had made visible",
		LOG_TEXTVAL("journal", name), LOG_TEXTVAL("commit", found->id));
	return JOURNAL_GONE;
}

/* Whoever can take the lock knows that the writer is dead. */
static enum journal_fate
settle_if_dead(struct found *found, const char *name)
{
	switch (lock_take(found->fd)) {
	case LOCK_TAKEN:
		return JOURNAL_LIVES;
	case LOCK_UNKNOWN:
		stays(found, "nobody knows whether its writer lives, because it cannot be locked: %s",
			strerror(errno));
		return JOURNAL_STAYS;
	case LOCK_OURS:
		break;
	}
	return settle(found, name);
}

enum journal_fate
journal_roll_back(int folder, const char *name, struct state *state, bool say)
{
	struct found found = { .folder = folder,
		.state = state,
		.fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) };
	enum journal_fate fate = JOURNAL_STAYS;

	if (found.fd < 0 && errno == ENOENT)
		return JOURNAL_GONE;
	if (found.fd < 0)
		stays(&found, "it cannot be opened: %s", strerror(errno));
	else
		fate = settle_if_dead(&found, name);
	if (fate == JOURNAL_STAYS && say)
		log_line(LOG_ERROR, "sink",
			"cannot take back all that a commit that was cut short had made visible",
			LOG_TEXTVAL("journal", name), LOG_TEXTVAL("why", found.why));
	buf_free(&found.text);
	if (found.fd >= 0)
		close(found.fd);
	return fate;
}
