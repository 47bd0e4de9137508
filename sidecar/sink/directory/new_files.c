// SPDX-License-Identifier: MIT
/* new_files.c - several files of one folder become visible together: see new_files_commit() in directory.h. The moment
 * at which they are committed is the one at which their journal is gone. */
#include "sink/directory/directory.h"
#include "sink/directory/folder.h"
#include "sink/directory/journal.h"

#include <errno.h>
#include <string.h>

#define NO_JOURNAL "cannot write its journal"

static bool
tell_all(struct journal *journal, const struct new_file *first)
{
	for (const struct new_file *f = first; f != NULL; f = f->next)
		if (!journal_add(journal, f->fd, f->temporary, f->target))
			return false;
	return true;
}

static bool
write_journal(struct journal *journal, const struct new_file *first, struct error *err)
{
	for (const struct new_file *f = first; f != NULL; f = f->next)
		if (f->home != first->home)
			return error_set(err, ERR_UPSTREAM,
				"destination \"%s\": its folder was exchanged while the route files were read; a reload helps",
				f->to->name);
	if (!journal_begin(journal, first->folder))
		return folder_fail(first->to, err, NO_JOURNAL, errno);
	if (!tell_all(journal, first)) {
		journal_drop(journal);
		return folder_fail(first->to, err, NO_JOURNAL, errno);
	}
	return journal_write(journal) ? true : folder_fail(first->to, err, NO_JOURNAL, errno);
}

/* The one that failed, with err; NULL: none. */
static struct new_file *
show_all(struct new_file *first, struct error *err)
{
	for (struct new_file *f = first; f != NULL; f = f->next)
		if (!new_file_show(f, f->target, err))
			return f;
	return NULL;
}

static bool
have_one_folder(const struct new_file *a, const struct new_file *b)
{
	const char *slash = strrchr(a->target, '/');
	size_t len = slash != NULL ? (size_t)(slash - a->target) + 1 : 0;

	return strncmp(a->target, b->target, len) == 0 && strchr(b->target + len, '/') == NULL;
}

/* Those that follow one another in the same folder are settled at once. */
static struct new_file *
settle_all(struct new_file *first, struct error *err)
{
	for (struct new_file *f = first; f != NULL; f = f->next)
		if ((f->next == NULL || !have_one_folder(f, f->next)) && !new_file_settle(f, err))
			return f;
	return NULL;
}

/* The last one first: two of them may have had the same name, or folders that an earlier one made. */
static void
take_back(struct new_file *last)
{
	struct error ignored = { 0 };

	for (struct new_file *f = last; f != NULL; f = f->before)
		if (f->is_visible)
			new_file_undo(f, &ignored);
}

static struct new_file *
last_of(struct new_file *file)
{
	while (file->next != NULL)
		file = file->next;
	return file;
}

static bool
commit(struct new_file *first, struct new_file **failed, struct error *err)
{
	struct journal journal;

	if (!write_journal(&journal, first, err))
		return false;
	*failed = show_all(first, err);
	if (*failed == NULL)
		*failed = settle_all(first, err);
	if (*failed != NULL) {
		take_back(last_of(first));
		journal_end(&journal);
		return false;
	}
	if (journal_end(&journal))
		return true;
	folder_fail(first->to, err, NO_JOURNAL, errno);
	take_back(last_of(first));
	return false;
}

bool
new_files_commit(struct new_file *first, struct new_file **failed, struct error *err)
{
	bool ok;

	*failed = NULL;
	if (!home_lock(first->home, first->to, err))
		return false;
	ok = commit(first, failed, err);
	home_unlock(first->home);
	return ok;
}
