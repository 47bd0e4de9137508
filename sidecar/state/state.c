// SPDX-License-Identifier: MIT
/* state.c - the folder of state.h, its thread, and what dead processes have left there. This process's own file is own_file.c's,
 * entries are entry.c's. */
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

static bool
is_upload(const struct dead_entry *entry)
{
	return entry->n == 1 && entry->objects[0].is.back == RECORD_BACK_UPLOAD;
}

static void
say_taken(const struct dead_file *file)
{
	for (const struct dead_entry *entry = file->entries; entry != NULL; entry = entry->next)
		if (!entry->is_done)
			log_line(LOG_WARN, "state",
				is_upload(entry) ? "an upload that nobody wanted any more may be unfinished"
						 : "a commit of several objects was cut short",
				LOG_TEXTVAL("commit", entry->id), LOG_NUM("objects", entry->n));
}

static void
take_over(struct state *state, const char *name)
{
	struct dead_file *file = NULL;
	const char *why = "";

	switch (dead_take(state->folder, name, &file, &why)) {
	case DEAD_TAKEN:
		say_taken(file);
		file->next = state->dead;
		state->dead = file;
		break;
	case DEAD_STAYS:
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
	size_t n = 0;

	for (const struct dead_file *file = state->dead; file != NULL; file = file->next)
		n += file->n_open;
	counter_set(&state->unsettled, n);
}

static void
look_for_dead(struct state *state)
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
			take_over(state, entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	count_unsettled(state);
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
		look_for_dead(state);
		entry = find(state, id);
	}
	if (entry != NULL)
		fate = entry->is_done ? STATE_DONE : STATE_CUT;
	pthread_mutex_unlock(&state->lock);
	return fate;
}

static void
drop(struct dead_file **at)
{
	struct dead_file *file = *at;

	*at = file->next;
	log_line(LOG_INFO, "state", "all that a process had left half done is settled",
		LOG_TEXTVAL("file", file->name));
	dead_free(file);
}

void
state_settle_place(struct state *state, const char *place)
{
	struct dead_file **at = &state->dead;

	pthread_mutex_lock(&state->lock);
	while (*at != NULL)
		if (dead_settle_place(*at, place))
			drop(at);
		else
			at = &(*at)->next;
	count_unsettled(state);
	pthread_mutex_unlock(&state->lock);
}

static bool
is_of(const struct dead_file *file, const struct dead_object *object)
{
	const struct dead_entry *entry = file->entries;

	while (entry != NULL && entry != object->entry)
		entry = entry->next;
	return entry != NULL;
}

void
state_settle(struct state *state, struct dead_object *object)
{
	struct dead_file **at = &state->dead;

	pthread_mutex_lock(&state->lock);
	while (*at != NULL && !is_of(*at, object))
		at = &(*at)->next;
	if (*at != NULL && dead_settle(*at, object))
		drop(at);
	count_unsettled(state);
	pthread_mutex_unlock(&state->lock);
}

static struct dead_object *
take_from(struct dead_entry *entry)
{
	for (size_t i = 0; i < entry->n; i++) {
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
	return object;
}

size_t
state_unsettled(const struct state *state)
{
	return counter_read(&state->unsettled);
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
	pthread_mutex_init(&state->lock, NULL);
	mail_init(&state->stop, on_stop);
	state->loop = loop_new(err);
	if (state->loop == NULL || state->path == NULL || !open_folder(state, err) || !own_file_open(state, err)) {
		state_free(state);
		return NULL;
	}
	look_for_dead(state);
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
