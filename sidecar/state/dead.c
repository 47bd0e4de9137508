// SPDX-License-Identifier: MIT
/* dead.c - see dead.h. */
#include "state/dead.h"

#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- reading ------------------------------------------------------------------------------------------ */

static struct dead_entry *
find(const struct dead_file *file, const char *id)
{
	struct dead_entry *entry = file->entries;

	while (entry != NULL && strcmp(entry->id, id) != 0)
		entry = entry->next;
	return entry;
}

const struct dead_entry *
dead_find(const struct dead_file *file, const char *id)
{
	return find(file, id);
}

struct dead_entry *
dead_entry_new(struct dead_file *file, const struct record *record)
{
	struct record_object object;
	struct str objects = record->objects;
	struct dead_entry *entry;
	size_t n = 0;

	while (record_next_object(&objects, &object))
		n++;
	entry = mem_zalloc(sizeof *entry + n * sizeof entry->objects[0]);
	if (entry == NULL)
		return NULL;
	entry->file = file;
	entry->id = record->id;
	entry->has_app = record->has_app;
	entry->owed = (struct state_owed){ .id = record->id, .app = record->app, .dead = entry };
	entry->n = n;
	objects = record->objects;
	for (size_t i = 0; i < n; i++) {
		record_next_object(&objects, &entry->objects[i].is);
		entry->objects[i].entry = entry;
	}
	return entry;
}

bool
dead_is_upload(const struct dead_entry *entry)
{
	return entry->n == 1 && entry->objects[0].is.back == RECORD_BACK_UPLOAD;
}

static bool
add_intent(struct dead_file *file, const struct record *record)
{
	struct dead_entry *entry = dead_entry_new(file, record);

	if (entry == NULL)
		return false;
	entry->next = file->entries;
	file->entries = entry;
	return true;
}

/* Of two that were decided the last one counts: the first has not reached the disk for certain, so nobody has acted by it. */
static void
note(struct dead_entry *entry, enum record_kind kind)
{
	entry->is_asked = entry->is_asked || kind == RECORD_ASKED;
	entry->is_owed = entry->is_owed || kind == RECORD_OWED;
	entry->is_gone = entry->is_gone || kind == RECORD_GONE;
	entry->is_told = entry->is_told || kind == RECORD_TOLD;
	entry->is_done = kind == RECORD_DONE || (entry->is_done && kind != RECORD_TOLD);
}

/* The last intents stand first in the list, and most that something is said of are among them. */
static void
read_note(const struct dead_file *file, const struct record *record)
{
	struct dead_entry *entry = find(file, record->id);

	if (entry != NULL)
		note(entry, record->kind);
}

enum state_fate
dead_fate(const struct dead_entry *entry)
{
	bool may_stand = entry->has_app && entry->is_asked && entry->owed.app.when == RECORD_COMMITTED;

	if (entry->is_done)
		return STATE_DONE;
	return may_stand && !entry->is_owed && !entry->is_told ? STATE_OPEN : STATE_CUT;
}

bool
dead_is_owed(const struct dead_entry *entry)
{
	return entry->has_app && entry->is_asked && !entry->is_told && !entry->is_done;
}

/* Of a commit that was done, or taken back, only the journals of folders are left to end. */
static void
settle_done(struct dead_entry *entry)
{
	for (size_t i = 0; (entry->is_done || entry->is_gone) && i < entry->n; i++) {
		struct dead_object *object = &entry->objects[i];

		if (object->is_settled || object->is.back == RECORD_BACK_FOLDER)
			continue;
		object->is_settled = true;
		entry->file->n_open--;
	}
}

static bool
names(const struct dead_entry *entry, const struct record_object *upload)
{
	for (size_t i = 0; i < entry->n; i++) {
		const struct record_object *is = &entry->objects[i].is;

		if (is->upload != NULL && strcmp(is->upload, upload->upload) == 0 &&
			strcmp(is->destination, upload->destination) == 0)
			return true;
	}
	return false;
}

/* An upload is told of from its beginning on, and then by its commit, too, which sees to it. */
static bool
is_of_commit(const struct dead_entry *upload)
{
	const struct record_object *is = &upload->objects[0].is;

	for (const struct dead_entry *entry = upload->file->entries; entry != NULL; entry = entry->next)
		if (!entry->is_done && !entry->is_gone && !dead_is_upload(entry) && names(entry, is))
			return true;
	return false;
}

static void
settle_upload(struct dead_entry *entry)
{
	struct dead_object *object = &entry->objects[0];

	if (!dead_is_upload(entry) || object->is_settled || object->is.upload == NULL || !is_of_commit(entry))
		return;
	object->is_settled = true;
	entry->file->n_open--;
}

static void
count_open(struct dead_file *file)
{
	for (struct dead_entry *entry = file->entries; entry != NULL; entry = entry->next) {
		file->n_open += entry->n;
		settle_done(entry);
		settle_upload(entry);
		file->n_owed += dead_is_owed(entry);
		entry->owed.is_question = dead_fate(entry) == STATE_OPEN;
	}
}

/* False: out of memory. */
static bool
read_records(struct dead_file *file)
{
	struct str rest = buf_str(&file->text);
	enum record_found found;
	struct record record;
	bool ok = true, torn = false, behind = false;

	rest.data += sizeof RECORD_FORMAT - 1;
	rest.len -= sizeof RECORD_FORMAT - 1;
	while (ok && (found = record_next(&rest, &record)) != RECORD_END) {
		behind = behind || (torn && found == RECORD_FOUND);
		torn = torn || found == RECORD_TORN;
		if (found == RECORD_FOUND && record.kind == RECORD_INTENT)
			ok = add_intent(file, &record);
		else if (found == RECORD_FOUND)
			read_note(file, &record);
	}
	if (behind)
		log_line(LOG_WARN, "state",
			"a state file holds something that is no record; what follows it counts",
			LOG_TEXTVAL("file", file->name));
	count_open(file);
	return ok;
}

/* -- the file ----------------------------------------------------------------------------------------- */

static enum dead_result
stays(const char **why, const char *because)
{
	*why = because;
	return DEAD_STAYS;
}

/* It was locked by us, but its process may just have put another in its place, or removed it. */
static bool
is_still_there(const struct dead_file *file)
{
	struct stat st;

	return fstat(file->fd, &st) == 0 && st.st_nlink > 0;
}

static bool
begins_with(const struct buf *text, const char *format, size_t len)
{
	return text->len >= len && memcmp(text->data, format, len) == 0;
}

static bool
is_ours(const struct buf *text)
{
	return begins_with(text, RECORD_FORMAT, sizeof RECORD_FORMAT - 1) ||
		begins_with(text, RECORD_FORMAT_1, sizeof RECORD_FORMAT_1 - 1);
}

/* A process that dies before it has written the first line has told of nothing. */
static bool
is_empty(const struct buf *text)
{
	size_t len = text->len;

	return len < sizeof RECORD_FORMAT - 1 &&
		(len == 0 || memcmp(text->data, RECORD_FORMAT, len) == 0 ||
			memcmp(text->data, RECORD_FORMAT_1, len) == 0);
}

static enum dead_result
read_file(struct dead_file *file, const char **why)
{
	if (!whole_file_read(file->fd, &file->text))
		return stays(why, strerror(errno));
	if (!is_empty(&file->text) && !is_ours(&file->text))
		return stays(why, "another version of penstock wrote it, or something else did");
	if (!is_empty(&file->text) && !read_records(file))
		return stays(why, "out of memory");
	if (file->n_open > 0 || file->n_owed > 0)
		return DEAD_TAKEN;
	unlinkat(file->folder, file->name, 0);
	return DEAD_GONE;
}

static enum dead_result
look_at(struct dead_file *file, const char **why)
{
	file->fd = openat(file->folder, file->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file->fd < 0)
		return errno == ENOENT ? DEAD_GONE : stays(why, strerror(errno));
	switch (lock_take(file->fd)) {
	case LOCK_TAKEN:
		return DEAD_LIVES;
	case LOCK_UNKNOWN:
		return stays(why, strerror(errno));
	case LOCK_OURS:
		break;
	}
	return is_still_there(file) ? read_file(file, why) : DEAD_GONE;
}

enum dead_result
dead_take(int folder, const char *name, struct dead_file **out, const char **why)
{
	struct dead_file *file = mem_zalloc(sizeof *file);
	enum dead_result result;

	if (file == NULL)
		return stays(why, "out of memory");
	file->folder = folder;
	snprintf(file->name, sizeof file->name, "%s", name);
	result = look_at(file, why);
	*out = result == DEAD_TAKEN ? file : NULL;
	if (result != DEAD_TAKEN)
		dead_free(file);
	return result;
}

void
dead_free(struct dead_file *file)
{
	if (file == NULL)
		return;
	while (file->entries != NULL) {
		struct dead_entry *next = file->entries->next;

		mem_free(file->entries);
		file->entries = next;
	}
	if (file->fd >= 0)
		close(file->fd);
	buf_free(&file->text);
	mem_free(file);
}

/* -- settling ----------------------------------------------------------------------------------------- */

static bool
is_over(const struct dead_file *file)
{
	if (file->n_open > 0 || file->n_owed > 0)
		return false;
	unlinkat(file->folder, file->name, 0);
	return true;
}

static bool
append(const struct dead_file *file, enum record_kind kind, const char *id, bool durable)
{
	off_t end = lseek(file->fd, 0, SEEK_END);
	struct buf text = { 0 };
	bool ok = false;
	ssize_t n;

	record_write_note(&text, kind, id);
	errno = ENOMEM;
	if (!text.failed && end >= 0) {
		n = pwrite(file->fd, text.data, text.len, end);
		ok = n == (ssize_t)text.len;
		if (n >= 0 && !ok)
			errno = ENOSPC;
	}
	buf_free(&text);
	return ok && (!durable || fdatasync(file->fd) == 0);
}

bool
dead_note(struct dead_entry *entry, enum record_kind kind, bool durable)
{
	struct dead_file *file = entry->file;

	must(kind == RECORD_DONE || kind == RECORD_TOLD);
	if (!append(file, kind, entry->id, durable) && durable)
		return false;
	file->n_owed -= dead_is_owed(entry);
	note(entry, kind);
	settle_done(entry);
	return true;
}

bool
dead_settle_rest(struct dead_file *file)
{
	return is_over(file);
}

bool
dead_settle(struct dead_file *file, struct dead_object *object)
{
	file->n_open -= !object->is_settled;
	object->is_settled = true;
	return is_over(file);
}

bool
dead_settle_place(struct dead_file *file, const char *at)
{
	for (struct dead_entry *entry = file->entries; entry != NULL; entry = entry->next)
		for (size_t i = 0; i < entry->n; i++) {
			struct dead_object *object = &entry->objects[i];

			if (object->is_settled || object->is.back != RECORD_BACK_FOLDER ||
				strcmp(object->is.at, at) != 0)
				continue;
			object->is_settled = true;
			file->n_open--;
		}
	return is_over(file);
}
