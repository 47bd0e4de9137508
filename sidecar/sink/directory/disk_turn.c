// SPDX-License-Identifier: MIT
/* disk_turn.c - the end of each turn of the disk thread: what the turn has written, and then what it has named, is made durable
 * together. What comes meanwhile is the next turn's, so the more there is to do the more is done at once. */
#include "base/container_of.h"
#include "base/must.h"
#include "sink/directory/disk_priv.h"
#include "sink/directory/sync_batch.h"

struct list {
	struct file **first, ***last;
};

static struct list
list_of(const struct file *file)
{
	struct disk *disk = file->disk;

	if (file->state == FILE_SYNCING)
		return (struct list){ &disk->written, &disk->last_written };
	must(file->state == FILE_SETTLING);
	return (struct list){ &disk->named, &disk->last_named };
}

void
disk_turn_add(struct file *file)
{
	struct list list = list_of(file);

	file->next = NULL;
	**list.last = file;
	*list.last = &file->next;
}

void
disk_turn_drop(struct file *file)
{
	struct list list = list_of(file);
	struct file **at = list.first;

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	if (*list.last == &file->next)
		*list.last = at;
}

static struct file *
take_all(struct file **first, struct file ***last)
{
	struct file *files = *first;

	*first = NULL;
	*last = first;
	return files;
}

static void
sync_written(struct disk *disk)
{
	struct file *list = take_all(&disk->written, &disk->last_written), *next;
	struct sync_batch batch;

	if (list == NULL)
		return;
	sync_batch_begin(&batch, disk->syncer);
	for (struct file *f = list; f != NULL; f = f->next)
		sync_batch_add_bytes(&batch, &f->file);
	sync_batch_end(&batch);
	for (struct file *f = list; f != NULL; f = next) {
		next = f->next;
		disk_file_on_durable(f);
	}
}

static void
settle_named(struct disk *disk)
{
	struct file *list = take_all(&disk->named, &disk->last_named), *next;
	struct sync_batch batch;

	if (list == NULL)
		return;
	sync_batch_begin(&batch, disk->syncer);
	for (struct file *f = list; f != NULL; f = f->next)
		sync_batch_add_names(&batch, &f->file);
	sync_batch_end(&batch);
	for (struct file *f = list; f != NULL; f = next) {
		next = f->next;
		disk_file_on_settled(f);
	}
}

/* What has been written may be to be shown at once. */
uint64_t
disk_turn_end(struct hook *hook, uint64_t now_ms)
{
	struct disk *disk = container_of(hook, struct disk, turn_end);

	(void)now_ms;
	sync_written(disk);
	settle_named(disk);
	return CLOCK_NEVER;
}
