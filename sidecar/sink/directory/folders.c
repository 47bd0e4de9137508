// SPDX-License-Identifier: MIT
/* folders.c - see folders.h. Two names may mean one folder, so folders are told apart by what they are. */

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "sink/directory/directory.h"
#include "sink/directory/folders_priv.h"
#include "sink/directory/settings.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_same(struct identity a, struct identity b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

static struct folder *
find(const struct folders *folders, struct identity identity)
{
	for (size_t i = 0; folders != NULL && i < folders->n; i++)
		if (folders->of[i] != NULL && is_same(folders->of[i]->identity, identity))
			return folders->of[i];
	return NULL;
}

static bool
was_swept(const struct folders *folders, struct identity identity)
{
	for (size_t i = 0; i < folders->n_swept; i++)
		if (is_same(folders->swept[i], identity))
			return true;
	return false;
}

/* What cannot be tried now (it is full, or not ours to write) is tried by the first upload. */
static void
find_abilities(struct folder *folder, const struct destination *to)
{
	int error = abilities_find(folder->home.fd, &folder->home.can);

	counter_set(&folder->error, (size_t)error);
	if (error != 0)
		log_line(LOG_WARN, "sink", "the folder of a destination cannot be written",
			LOG_TEXTVAL("destination", to->name), LOG_TEXTVAL("why", strerror(error)));
}

void
folders_sweep(const struct folders *folders, struct folder *folder, bool say)
{
	struct unsettled left = directory_sweep(folder->home.fd, folders->state, say);

	counter_set(&folder->unsettled, left.stay);
	counter_set(&folder->waiting, left.wait);
}

/* Takes fd over. */
static struct folder *
folder_new(struct folders *folders, int fd, struct identity identity, const struct destination *to)
{
	struct folder *folder = mem_zalloc(sizeof *folder);

	if (folder == NULL) {
		close(fd);
		return NULL;
	}
	refcount_init(&folder->refs);
	folder->home.fd = fd;
	folder->identity = identity;
	find_abilities(folder, to);
	if (!was_swept(folders, identity)) {
		folders_sweep(folders, folder, true);
		folder->said_ms = clock_now_ms();
		folders->swept[folders->n_swept++] = identity;
	}
	return folder;
}

/* Open by another name, or since the configuration before. */
static struct folder *
find_open(const struct folders *folders, const struct folders *before, struct identity identity)
{
	struct folder *folder = find(folders, identity);

	if (folder == NULL)
		folder = find(before, identity);
	if (folder != NULL)
		refcount_acquire(&folder->refs);
	return folder;
}

static struct folder *
open_one(struct folders *folders, const struct folders *before, const struct destination *to, struct error *err)
{
	int fd = directory_open(to, err);
	struct identity identity;
	struct folder *folder;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0) {
		error_set(err, ERR_SYSTEM, "destination \"%s\": %s", to->name, strerror(errno));
		close(fd);
		return NULL;
	}
	identity = (struct identity){ st.st_dev, st.st_ino };
	folder = find_open(folders, before, identity);
	if (folder != NULL) {
		close(fd);
		return folder;
	}
	folder = folder_new(folders, fd, identity, to);
	if (folder == NULL)
		error_nomem(err);
	return folder;
}

/* False: it lacks what uploads to this destination need. */
static bool
is_able(const struct folder *folder, const struct destination *to, struct error *err)
{
	const char *lack;
	bool is_fatal;

	for (size_t i = 0;
		(lack = abilities_lack(&folder->home.can, directory_settings(to)->exists, i, &is_fatal)) != NULL;
		i++) {
		if (is_fatal)
			return error_set(err, ERR_SYSTEM, "destination \"%s\": %s", to->name, lack);
		log_line(LOG_WARN, "sink", "the file system of a folder lacks something",
			LOG_TEXTVAL("destination", to->name), LOG_TEXTVAL("why", lack));
	}
	return true;
}

static struct folders *
folders_new(size_t n, const struct folders *before)
{
	struct folders *folders = mem_zalloc(sizeof *folders);
	size_t n_swept = before != NULL ? before->n_swept : 0;

	if (folders == NULL)
		return NULL;
	folders->of = mem_array(n, sizeof(struct folder *));
	folders->swept = mem_array(n + n_swept, sizeof *folders->swept);
	if (folders->of == NULL || folders->swept == NULL) {
		folders_free(folders);
		return NULL;
	}
	folders->n = n;
	folders->n_swept = n_swept;
	if (n_swept > 0)
		memcpy(folders->swept, before->swept, n_swept * sizeof *folders->swept);
	return folders;
}

struct folders *
folders_open(const struct config *config, const struct folders *before, struct state *state, struct error *err)
{
	struct folders *folders = folders_new(config->n_destinations, before);

	if (folders == NULL) {
		error_nomem(err);
		return NULL;
	}
	folders->state = state;
	for (size_t i = 0; i < config->n_destinations; i++) {
		if (config->destinations[i].kind != &directory_kind)
			continue;
		folders->of[i] = open_one(folders, before, &config->destinations[i], err);
		if (folders->of[i] == NULL || !is_able(folders->of[i], &config->destinations[i], err)) {
			folders_free(folders);
			return NULL;
		}
		if (before == NULL)
			folders_tell_settled(folders, i, &config->destinations[i]);
	}
	return folders;
}

static void
folder_release(struct folder *folder)
{
	if (folder == NULL || !refcount_release(&folder->refs))
		return;
	close(folder->home.fd);
	mem_free(folder);
}

void
folders_free(struct folders *folders)
{
	if (folders == NULL)
		return;
	for (size_t i = 0; folders->of != NULL && i < folders->n; i++)
		folder_release(folders->of[i]);
	mem_free(folders->of);
	mem_free(folders->swept);
	mem_free(folders);
}

void
folders_tell_settled(const struct folders *folders, size_t i, const struct destination *to)
{
	if (folders->state != NULL && to->at != NULL && folder_is_settled(folders->of[i]))
		state_settle_place(folders->state, to->at);
}

static struct folder *
folder_of(const struct folders *folders, size_t destination)
{
	must(destination < folders->n && folders->of[destination] != NULL);
	return folders->of[destination];
}

struct home *
folders_home(const struct folders *folders, size_t destination)
{
	return &folder_of(folders, destination)->home;
}
