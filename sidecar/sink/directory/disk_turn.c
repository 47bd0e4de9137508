// SPDX-License-Identifier: MIT
/* disk_turn.c - the end of each turn of the disk thread: what the turn has written, and then what it has named, is made durable
 * together. What comes meanwhile is the next turn's, so the more there is to do the more is done at once. */
#include "base/container_of.h"
#include "base/must.h"
#include "sink/directory/disk_priv.h"
#include "sink/directory/sync_batch.h"

static struct file_list *
list_of(const struct file *file)
{
	if (file->state == FILE_SYNCING)
		return &file->disk->written;
	must(file->state == FILE_SETTLING);
	return &file->disk->named;
}

void
disk_turn_add(struct file *file)
{
	struct file_list *list = list_of(file);

	file->next = NULL;
	*list->last = file;
	list->last = &file->next;
}

void
disk_turn_drop(struct file *file)
{
	struct file_list *list = list_of(file);
	struct file **at = &list->first;

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	if (list->last == &file->next)
		list->last = at;
}

static struct file *
take_all(struct file_list *list)
{
	struct file *files = list->first;

	list->first = NULL;
	list->last = &list->first;
	return files;
}

/* What `add` takes of each is made durable, and then `done` is told; it may put the file into the other list. */
static void
sync_all(struct disk *disk, struct file_list *list, void (*add)(struct sync_batch *batch, struct new_file *file),
	void (*done)(struct file *file))
{
	struct file *files = take_all(list), *next;
	struct sync_batch batch;

	if (files == NULL)
		return;
	sync_batch_begin(&batch, disk->syncer);
	for (struct file *f = files; f != NULL; f = f->next)
		add(&batch, &f->file);
	sync_batch_end(&batch);
	for (struct file *f = files; f != NULL; f = next) {
		next = f->next;
		done(f);
	}
}

/* What has been written may be to be shown at once. */
static uint64_t
on_turn_end(struct hook *hook, uint64_t now_ms)
{
	struct disk *disk = container_of(hook, struct disk, turn_end);

	(void)now_ms;
	sync_all(disk, &disk->written, sync_batch_add_bytes, disk_file_on_durable);
	sync_all(disk, &disk->named, sync_batch_add_names, disk_file_on_settled);
	return CLOCK_NEVER;
}

void
disk_turn_init(struct disk *disk)
{
	disk->written.last = &disk->written.first;
	disk->named.last = &disk->named.first;
	disk->turn_end.turn = on_turn_end;
}
