// SPDX-License-Identifier: MIT
/* new_files.c - several files of one folder become visible together: see new_files_commit() in directory.h. The moment
 * at which they are committed is the one at which their journal is gone. */
#include "sink/directory/directory.h"

#include "base/log.h"
#include "base/mem.h"
#include "sink/directory/folder.h"
#include "sink/directory/journal.h"
#include "sink/directory/sync_batch.h"

#include <errno.h>
#include <string.h>

#define NO_JOURNAL "cannot write its journal"

/* Of files whose commit spans more than their folder: it lasts until all of them are closed. */
struct held_journal {
	struct journal journal;
	struct state_entry *entry;
	size_t n; /* not closed yet */
};

static bool
tell_all(struct journal *journal, const struct new_file *first)
{
	for (const struct new_file *f = first; f != NULL; f = f->next)
		if (!journal_add(journal, f->fd, f->temporary, f->target))
			return false;
	return true;
}

static bool
write_journal(struct journal *journal, const struct new_file *first, const char *id, struct error *err)
{
	for (const struct new_file *f = first; f != NULL; f = f->next)
		if (f->home != first->home)
			return error_set(err, ERR_UPSTREAM,
				"destination \"%s\": its folder was exchanged while the route files were read; a reload helps",
				f->to->name);
	if (!journal_begin(journal, first->folder, id))
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

static struct new_file *
settle_all(struct new_file *first, struct error *err)
{
	struct sync_batch batch;

	sync_batch_begin(&batch, first->syncer);
	for (struct new_file *f = first; f != NULL; f = f->next)
		sync_batch_add_names(&batch, f);
	sync_batch_end(&batch);
	for (struct new_file *f = first; f != NULL; f = f->next)
		if (!new_file_is_settled(f, err))
			return f;
	return NULL;
}

/* The last one first: two of them may have had the same name, or folders that an earlier one made. */
static void
take_back(struct new_file *last)
{
	for (struct new_file *f = last; f != NULL; f = f->before)
		new_file_hide(f);
}

static struct new_file *
last_of(struct new_file *file)
{
	while (file->next != NULL)
		file = file->next;
	return file;
}

static bool
show_and_settle_all(struct new_file *first, struct new_file **failed, struct error *err)
{
	*failed = show_all(first, err);
	if (*failed == NULL)
		*failed = settle_all(first, err);
	return *failed == NULL;
}

static bool
commit(struct new_file *first, struct new_file **failed, struct error *err)
{
	struct journal journal;

	if (!write_journal(&journal, first, NULL, err))
		return false;
	if (!show_and_settle_all(first, failed, err)) {
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

/* -- a commit that spans more ------------------------------------------------------------------------- */

void
new_files_let_go(struct held_journal *held)
{
	if (held == NULL || --held->n > 0)
		return;
	if (journal_end(&held->journal)) {
		state_entry_release(held->entry);
	} else {
		log_line(LOG_ERROR, "sink", "the journal of a commit that is over cannot be removed",
			LOG_TEXTVAL("journal", held->journal.name), LOG_TEXTVAL("why", strerror(errno)));
		state_entry_leave(held->entry);
	}
	mem_free(held);
}

static void
hold(struct held_journal *held, struct new_file *first, struct state_entry *entry)
{
	held->entry = state_entry_acquire(entry);
	for (struct new_file *f = first; f != NULL; f = f->next) {
		f->held = held;
		held->n++;
	}
}

static bool
commit_part(struct new_file *first, struct state_entry *entry, struct new_file **failed, struct error *err)
{
	struct held_journal *held = mem_zalloc(sizeof *held);

	if (held == NULL)
		return error_nomem(err);
	if (!write_journal(&held->journal, first, state_entry_id(entry), err)) {
		mem_free(held);
		return false;
	}
	if (show_and_settle_all(first, failed, err)) {
		hold(held, first, entry);
		return true;
	}
	take_back(last_of(first));
	journal_end(&held->journal);
	mem_free(held);
	return false;
}

bool
new_files_commit(struct new_file *first, struct state_entry *entry, struct new_file **failed, struct error *err)
{
	bool ok;

	*failed = NULL;
	if (!home_lock(first->home, first->to, err))
		return false;
	ok = entry != NULL ? commit_part(first, entry, failed, err) : commit(first, failed, err);
	home_unlock(first->home);
	return ok;
}
