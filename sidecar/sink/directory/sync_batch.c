// SPDX-License-Identifier: MIT
/* sync_batch.c - see sync_batch.h. */
#include "sink/directory/sync_batch.h"

#include "sink/directory/folder.h"
#include "sink/safe_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
sync_batch_begin(struct sync_batch *batch, struct syncer *syncer)
{
	batch->syncer = syncer;
	batch->n = 0;
	batch->named = NULL;
}

static void
fail(struct new_file *file, int error)
{
	if (file->sync_error == 0)
		file->sync_error = error;
}

/* Some file systems cannot make folders durable; they say EINVAL. */
static void
run(struct sync_batch *batch)
{
	syncer_run(batch->syncer, batch->jobs, batch->n);
	for (size_t i = 0; i < batch->n; i++) {
		struct new_file *file = batch->files[i];
		int fd = batch->jobs[i].fd, error = batch->jobs[i].error;

		if (error != 0 && (fd == file->fd || error != EINVAL))
			fail(file, error);
		if (fd != file->fd && fd != file->folder)
			close(fd);
	}
	batch->n = 0;
}

static void
add(struct sync_batch *batch, struct new_file *file, int fd)
{
	if (batch->n == SYNC_BATCH_MAX)
		run(batch);
	batch->jobs[batch->n].fd = fd;
	batch->files[batch->n++] = file;
}

void
sync_batch_add_bytes(struct sync_batch *batch, struct new_file *file)
{
	file->sync_error = 0;
	file->beside = NULL;
	add(batch, file, file->fd);
}

static bool
have_one_folder(const struct new_file *a, const struct new_file *b)
{
	const char *slash = strrchr(a->target, '/');
	size_t len = slash != NULL ? (size_t)(slash - a->target) + 1 : 0;

	return a->home == b->home && strncmp(a->target, b->target, len) == 0 &&
		strchr(b->target + len, '/') == NULL;
}

/* Where descriptors are few, those of the batch so far are given back first. -1: errno says why. */
static int
open_folder(struct sync_batch *batch, const struct new_file *file, const char *path)
{
	const char *leaf;
	int folder = folder_of_target(file->folder, path, &leaf, NULL);

	if (folder >= 0 || (errno != EMFILE && errno != ENFILE) || batch->n == 0)
		return folder;
	run(batch);
	return folder_of_target(file->folder, path, &leaf, NULL);
}

/* From the deepest to the first below the destination's own. False: errno says why. */
static bool
add_folders(struct sync_batch *batch, struct new_file *file)
{
	char path[SAFE_NAME_MAX + 1];
	char *slash;

	snprintf(path, sizeof path, "%s", file->target);
	while ((slash = strrchr(path, '/')) != NULL) {
		int folder = open_folder(batch, file, path);

		if (folder < 0)
			return false;
		add(batch, file, folder);
		*slash = '\0';
	}
	return true;
}

void
sync_batch_add_names(struct sync_batch *batch, struct new_file *file)
{
	file->sync_error = 0;
	file->beside = NULL;
	if (batch->named != NULL && have_one_folder(batch->named, file)) {
		file->beside = batch->named;
		return;
	}
	batch->named = file;
	if (!add_folders(batch, file))
		fail(file, errno);
	else
		add(batch, file, file->folder);
}

void
sync_batch_end(struct sync_batch *batch)
{
	run(batch);
}

int
sync_batch_error(const struct new_file *file)
{
	return file->beside != NULL ? file->beside->sync_error : file->sync_error;
}
