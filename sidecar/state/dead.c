// SPDX-License-Identifier: MIT
/* dead.c - see dead.h. */
#include "state/dead.h"

#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
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

static bool
add_intent(struct dead_file *file, const struct record *record)
{
	struct record_object object;
	struct str objects = record->objects;
	struct dead_entry *entry;
	size_t n = 0;

	while (record_next_object(&objects, &object))
		n++;
	entry = mem_zalloc(sizeof *entry + n * sizeof entry->objects[0]);
	if (entry == NULL)
		return false;
	entry->id = record->id;
	entry->n = n;
	objects = record->objects;
	for (size_t i = 0; i < n; i++) {
		record_next_object(&objects, &entry->objects[i].is);
		entry->objects[i].entry = entry;
	}
	entry->next = file->entries;
	file->entries = entry;
	return true;
}

/* The last intents stand first in the list, and most that are done are among them. */
static void
note_done(const struct dead_file *file, const struct record *record)
{
	struct dead_entry *entry = find(file, record->id);

	if (entry != NULL)
		entry->is_done = true;
}

static bool
is_settled_already(const struct dead_entry *entry, const struct dead_object *object)
{
	return entry->is_done && object->is.back != RECORD_BACK_FOLDER;
}

static void
count_open(struct dead_file *file)
{
	for (struct dead_entry *entry = file->entries; entry != NULL; entry = entry->next)
		for (size_t i = 0; i < entry->n; i++) {
			entry->objects[i].is_settled = is_settled_already(entry, &entry->objects[i]);
			file->n_open += !entry->objects[i].is_settled;
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
			note_done(file, &record);
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

/* A process that dies before it has written the first line has told of nothing. */
static bool
is_empty(const struct buf *text)
{
	return text->len < sizeof RECORD_FORMAT - 1 &&
		(text->len == 0 || memcmp(text->data, RECORD_FORMAT, text->len) == 0);
}

static enum dead_result
read_file(struct dead_file *file, const char **why)
{
	if (!whole_file_read(file->fd, &file->text))
		return stays(why, strerror(errno));
	if (!is_empty(&file->text) &&
		(file->text.len < sizeof RECORD_FORMAT - 1 ||
			memcmp(file->text.data, RECORD_FORMAT, sizeof RECORD_FORMAT - 1) != 0))
		return stays(why, "another version of penstock wrote it, or something else did");
	if (!is_empty(&file->text) && !read_records(file))
		return stays(why, "out of memory");
	if (file->n_open > 0)
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
	if (file->n_open > 0)
		return false;
	unlinkat(file->folder, file->name, 0);
	return true;
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
