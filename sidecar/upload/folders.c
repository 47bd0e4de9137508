// SPDX-License-Identifier: MIT
/* folders.c - see folders.h. Two names may mean one folder, so folders are told apart by what they are. */
#include "upload/folders.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/refcount.h"
#include "upload/directory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct identity {
	dev_t dev;
	ino_t ino;
};

struct folder {
	struct refcount refs;
	int fd;
	struct identity identity;
};

struct folders {
	size_t n;
	struct folder **of;     /* [destination]; NULL: not a directory */
	struct identity *swept; /* every folder that this process has ever swept */
	size_t n_swept;
};

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

/* Takes fd over. */
static struct folder *
folder_new(struct folders *folders, int fd, struct identity identity)
{
	struct folder *folder = mem_zalloc(sizeof *folder);

	if (folder == NULL) {
		close(fd);
		return NULL;
	}
	refcount_init(&folder->refs);
	folder->fd = fd;
	folder->identity = identity;
	if (!was_swept(folders, identity)) {
		directory_sweep(fd);
		folders->swept[folders->n_swept++] = identity;
	}
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
	folder = find(folders, identity);
	if (folder == NULL)
		folder = find(before, identity);
	if (folder != NULL) {
		close(fd);
		refcount_acquire(&folder->refs);
		return folder;
	}
	folder = folder_new(folders, fd, identity);
	if (folder == NULL)
		error_set(err, ERR_NOMEM, "out of memory");
	return folder;
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
folders_open(const struct config *config, const struct folders *before, struct error *err)
{
	struct folders *folders = folders_new(config->n_destinations, before);

	if (folders == NULL) {
		error_set(err, ERR_NOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < config->n_destinations; i++) {
		if (config->destinations[i].type != DESTINATION_DIRECTORY)
			continue;
		folders->of[i] = open_one(folders, before, &config->destinations[i], err);
		if (folders->of[i] == NULL) {
			folders_free(folders);
			return NULL;
		}
	}
	return folders;
}

static void
folder_release(struct folder *folder)
{
	if (folder == NULL || !refcount_release(&folder->refs))
		return;
	close(folder->fd);
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

int
folders_fd(const struct folders *folders, size_t destination)
{
	must(destination < folders->n && folders->of[destination] != NULL);
	return folders->of[destination]->fd;
}
