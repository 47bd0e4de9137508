// SPDX-License-Identifier: MIT
/* state.c - the folder of state.h, its thread, and what dead processes have left there. This process's own file is own_file.c's,
 * entries are entry.c's, and who is owed a word is owed.c's. */
#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "state/state_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- the dead ------------------------------------------------------------------------------------------- */

static bool
ends_with(const char *name, const char *end)
{
	size_t len = strlen(name);

	return len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

static bool
is_held(const struct state *state, const char *name)
{
	for (const struct dead_file *file = state->dead; file != NULL; file = file->next)
		if (strcmp(file->name, name) == 0)
			return true;
	return strcmp(state->own.name, name) == 0;
}

/* Of a rewriting that was cut short: what it was to replace is still there. */
static void
remove_if_dead(struct state *state, const char *name)
{
	struct dead_file *file = NULL;
	const char *why;

	if (dead_take(state->folder, name, &file, &why) == DEAD_TAKEN)
		unlinkat(state->folder, name, 0);
	dead_free(file);
}

static const char *
words_of(const struct dead_entry *entry)
{
	if (dead_fate(entry) == STATE_OPEN)
		return "a form was cut short while its application was asked, which alone knows whether it stands";
	return entry->has_app ? "a form of which an application is told was cut short"
			      : "a commit of several objects was cut short";
}

static void
say_taken(const struct dead_file *file)
{
	size_t n_uploads = 0;

	for (const struct dead_entry *entry = file->entries; entry != NULL; entry = entry->next)
		if (!entry->is_done && dead_is_upload(entry))
			n_uploads += !entry->objects[0].is_settled;
		else if (!entry->is_done)
			log_line(LOG_WARN, "state", words_of(entry), LOG_TEXTVAL("commit", entry->id),
				LOG_TEXTVAL("request_id", entry->has_app ? entry->owed.app.request_id : NULL),
				LOG_NUM("objects", entry->n));
	if (n_uploads > 0)
		log_line(LOG_WARN, "state", "uploads of a process that has ended may be unfinished",
			LOG_NUM("uploads", n_uploads));
}

/* Of a folder's objects the journal there tells, too, and that is looked for at the start. */
static bool
has_folder(const struct dead_file *file)
{
	for (const struct dead_entry *entry = file->entries; entry != NULL; entry = entry->next)
		for (size_t i = 0; i < entry->n; i++)
			if (!entry->objects[i].is_settled && entry->objects[i].is.back == RECORD_BACK_FOLDER)
				return true;
	return false;
}

static void
keep_dead(struct state *state, struct dead_file *file)
{
	say_taken(file);
	file->next = state->dead;
	state->dead = file;
	owed_add_dead(state, file);
}

/* `folders`: also those that tell of objects in folders; and a line says which cannot be read. */
static void
take_over(struct state *state, const char *name, bool folders)
{
	struct dead_file *file = NULL;
	const char *why = "";

	switch (dead_take(state->folder, name, &file, &why)) {
	case DEAD_TAKEN:
		if (folders || !has_folder(file))
			keep_dead(state, file);
		else
			dead_free(file);
		break;
	case DEAD_STAYS:
		if (folders)
			log_line(LOG_ERROR, "state", "a state file cannot be read", LOG_TEXTVAL("file", name),
				LOG_TEXTVAL("why", why));
		break;
	case DEAD_GONE:
	case DEAD_LIVES:
		break;
	}
}

static void
count_unsettled(struct state *state)
{
	state_count_unsettled(state);
	owed_count(state);
}

/* `folders`: as in take_over(). */
static void
look_for_dead(struct state *state, bool folders)
{
	int copy = openat(state->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;

	if (dir == NULL && copy >= 0)
		close(copy);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, STATE_PREFIX, strlen(STATE_PREFIX)) != 0 ||
			strlen(entry->d_name) >= DEAD_NAME_MAX || is_held(state, entry->d_name))
			continue;
		if (ends_with(entry->d_name, STATE_SUFFIX STATE_NEW))
			remove_if_dead(state, entry->d_name);
		else if (ends_with(entry->d_name, STATE_SUFFIX))
			take_over(state, entry->d_name, folders);
	}
	if (dir != NULL)
		closedir(dir);
	count_unsettled(state);
}

void
state_look(struct state *state)
{
	pthread_mutex_lock(&state->lock);
	look_for_dead(state, false);
	pthread_mutex_unlock(&state->lock);
}

static const struct dead_entry *
find(const struct state *state, const char *id)
{
	const struct dead_entry *entry = NULL;

	for (const struct dead_file *file = state->dead; file != NULL && entry == NULL; file = file->next)
		entry = dead_find(file, id);
	return entry;
}

/* The process that told of it may have died since. */
enum state_fate
state_fate(struct state *state, const char *id)
{
	const struct dead_entry *entry;
	enum state_fate fate = STATE_UNKNOWN;

	pthread_mutex_lock(&state->lock);
	entry = find(state, id);
	if (entry == NULL) {
		look_for_dead(state, true);
		entry = find(state, id);
	}
	if (entry != NULL)
		fate = dead_fate(entry);
	pthread_mutex_unlock(&state->lock);
	return fate;
}

void
state_settle_place(struct state *state, const char *place)
{
	struct dead_file *next;

	pthread_mutex_lock(&state->lock);
	for (struct dead_file *file = state->dead; file != NULL; file = next) {
		next = file->next;
		if (dead_settle_place(file, place))
			state_drop(state, file);
	}
	count_unsettled(state);
	pthread_mutex_unlock(&state->lock);
}

void
state_settle(struct state *state, struct dead_object *object)
{
	struct dead_file *file = object->entry->file;

	if (file == NULL) {
		own_left_settle(state, object);
		return;
	}
	pthread_mutex_lock(&state->lock);
	if (dead_settle(file, object))
		state_drop(state, file);
	count_unsettled(state);
	pthread_mutex_unlock(&state->lock);
}

static struct dead_object *
take_from(struct dead_entry *entry)
{
	for (size_t i = 0; dead_fate(entry) != STATE_OPEN && i < entry->n; i++) {
		struct dead_object *object = &entry->objects[i];

		if (object->is_taken || object->is_settled || object->is.back == RECORD_BACK_FOLDER)
			continue;
		object->is_taken = true;
		return object;
	}
	return NULL;
}

struct dead_object *
state_take_dead(struct state *state)
{
	struct dead_object *object = NULL;

	pthread_mutex_lock(&state->lock);
	for (const struct dead_file *file = state->dead; file != NULL && object == NULL; file = file->next)
		for (struct dead_entry *entry = file->entries; entry != NULL && object == NULL; entry = entry->next)
			object = take_from(entry);
	pthread_mutex_unlock(&state->lock);
	return object != NULL ? object : own_left_take(state);
}

size_t
state_unsettled(const struct state *state)
{
	return counter_read(&state->unsettled) + counter_read(&state->left);
}

bool
state_is_good(const struct state *state, struct buf *why)
{
	int error = (int)counter_read(&state->broken);

	if (error == 0)
		return true;
	buf_addf(why, "state: the journal of commits cannot be written: %s\n", strerror(error));
	return false;
}

/* -- begin and end -------------------------------------------------------------------------------------- */

static void
on_stop(struct mail *mail, unsigned bits)
{
	struct state *state = container_of(mail, struct state, stop);

	(void)bits;
	loop_stop(state->loop);
}

static bool
open_folder(struct state *state, struct error *err)
{
	if (mkdir(state->path, 0700) == 0)
		log_line(LOG_INFO, "state", "made the folder of the state", LOG_TEXTVAL("folder", state->path));
	state->folder = open(state->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return state->folder >= 0
		? true
		: error_set(err, ERR_SYSTEM, "state: %s: cannot be opened: %s", state->path, strerror(errno));
}

struct state *
state_open(const char *path, struct error *err)
{
	struct state *state = mem_zalloc(sizeof *state);

	if (state == NULL) {
		error_nomem(err);
		return NULL;
	}
	state->path = str_dup(str_of(path));
	state->folder = state->own.fd = -1;
	state->queue_end = &state->queue;
	pthread_mutex_init(&state->lock, NULL);
	mail_init(&state->stop, on_stop);
	state->loop = loop_new(err);
	if (state->loop == NULL || state->path == NULL || !open_folder(state, err) || !own_file_open(state, err)) {
		state_free(state);
		return NULL;
	}
	look_for_dead(state, true);
	return state;
}

struct loop *
state_loop(struct state *state)
{
	return state->loop;
}

bool
state_start(struct state *state, struct error *err)
{
	return loop_thread_start(&state->thread, state->loop, "state", err);
}

void
state_stop(struct state *state)
{
	if (state == NULL || !state->thread.is_started)
		return;
	mailbox_post(loop_mailbox(state->loop), &state->stop, 1);
	loop_thread_join(&state->thread);
}

void
state_free(struct state *state)
{
	if (state == NULL)
		return;
	if (state->loop != NULL)
		loop_deliver_rest(state->loop); /* entries that were released last */
	if (state->own.fd >= 0)
		own_file_close(state);
	while (state->dead != NULL) {
		struct dead_file *next = state->dead->next;

		dead_free(state->dead);
		state->dead = next;
	}
	if (state->folder >= 0)
		close(state->folder);
	loop_free(state->loop);
	mem_free(state->path);
	pthread_mutex_destroy(&state->lock);
	mem_free(state);
}
