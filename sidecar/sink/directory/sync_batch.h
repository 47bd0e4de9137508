// SPDX-License-Identifier: MIT
/* sync_batch.h - new files, or the names that they have got, made durable together (syncer.h).
 *
 *   begin ─▶ (add_bytes | add_names)* ─▶ end      then sync_batch_error() says what became of each
 *
 * [disk] Lives on the caller's stack; takes any number of files, and does SYNC_BATCH_MAX at a time. */
#ifndef PENSTOCK_SYNC_BATCH_H
#define PENSTOCK_SYNC_BATCH_H

#include "sink/directory/directory.h"
#include "sink/directory/syncer.h"

#define SYNC_BATCH_MAX 64

struct sync_batch {
	struct syncer *syncer;
	size_t n;
	struct sync_job jobs[SYNC_BATCH_MAX];
	struct new_file *files[SYNC_BATCH_MAX]; /* which file each job is for */
	struct new_file *named;                 /* the last one whose names were added, others may lie beside it */
};

/* `syncer` NULL: one after the other. */
void sync_batch_begin(struct sync_batch *batch, struct syncer *syncer);

/* What was written to the file, which stays open until the end of the batch. */
void sync_batch_add_bytes(struct sync_batch *batch, struct new_file *file);

/* The name that new_file_show() gave it, and each folder on the way there. Folders that another file's form has made count, too,
 * because it may not have made them durable yet. Files that follow one another and lie in one folder are done together. */
void sync_batch_add_names(struct sync_batch *batch, struct new_file *file);

void sync_batch_end(struct sync_batch *batch);

/* After the end, while all of its files are there: 0, or the errno of what could not be made durable. */
int sync_batch_error(const struct new_file *file);

#endif
