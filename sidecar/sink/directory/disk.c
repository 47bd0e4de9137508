// SPDX-License-Identifier: MIT
/* disk.c - see disk.h. */
#include "sink/directory/disk.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "sink/directory/disk_priv.h"
#include "sink/directory/folder_survey.h"
#include "sink/directory/folder_would.h"
#include "sink/directory/folders.h"

/* -- the producer's side ------------------------------------------------------------------------------ */

bool
disk_open(struct disk *disk, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct file *file = mem_zalloc(sizeof *file);
	struct channel_side consumer = {
		.box = loop_mailbox(disk->loop), .on_mail = disk_file_on_orders, .arg = file
	};

	if (file == NULL)
		return error_nomem(err);
	file->channel = channel_new(disk->pool, producer, &consumer, order->slots, err);
	if (file->channel == NULL) {
		mem_free(file);
		return false;
	}
	file->disk = disk;
	file->table = table_acquire(order->table);
	file->order = order;
	file->file.fd = file->file.old_fd = -1;
	counter_add(&disk->files, 1);
	order->channel = file->channel;
	order->transfer = file;
	return true;
}

void
disk_pump(struct order *order)
{
	if (channel_take_hunger(order->channel))
		channel_tell(order->channel, CHANNEL_DATA);
}

static bool
begin_order(
	const struct sink_place *place, struct order *order, const struct channel_side *producer, struct error *err)
{
	return disk_open(place->disk, order, producer, err);
}

static void *
open_folders(const struct config *config, const void *before, struct state *state, struct error *err)
{
	return folders_open(config, before, state, err);
}

static void
close_folders(void *folders)
{
	folders_free(folders);
}

static void
look(const void *folders, const struct config *config, bool write)
{
	folders_look(folders, config, write);
}

static bool
is_good(const void *folders, const struct config *config, struct buf *why)
{
	return folders_are_good(folders, config, why);
}

const struct sink directory_sink = {
	.open = open_folders,
	.close = close_folders,
	.look = look,
	.is_good = is_good,
	.check = folders_check,
	.survey = folder_survey,
	.would = folder_would,
	.begin = begin_order,
	.pump = disk_pump,
};

/* -- the thread --------------------------------------------------------------------------------------- */

static void
on_stop(struct mail *mail, unsigned bits)
{
	struct disk *disk = container_of(mail, struct disk, stop);

	(void)bits;
	disk->is_stopping = true;
	if (counter_read(&disk->files) == 0)
		loop_stop(disk->loop);
}

struct disk *
disk_new(struct pool *pool, struct error *err)
{
	struct disk *disk = mem_zalloc(sizeof *disk);

	if (disk == NULL) {
		error_nomem(err);
		return NULL;
	}
	disk->pool = pool;
	mail_init(&disk->stop, on_stop);
	disk_turn_init(disk);
	disk->syncer = syncer_new(err);
	disk->loop = disk->syncer != NULL ? loop_new(err) : NULL;
	if (disk->loop != NULL)
		loop_add_hook(disk->loop, &disk->turn_end);
	if (disk->loop != NULL && loop_thread_start(&disk->thread, disk->loop, "disk", err))
		return disk;
	disk_free(disk);
	return NULL;
}

struct loop *
disk_loop(struct disk *disk)
{
	return disk->loop;
}

void
disk_free(struct disk *disk)
{
	if (disk == NULL)
		return;
	if (disk->thread.is_started) {
		mailbox_post(loop_mailbox(disk->loop), &disk->stop, 1);
		loop_thread_join(&disk->thread);
		loop_deliver_rest(disk->loop);
	}
	loop_free(disk->loop);
	syncer_free(disk->syncer);
	mem_free(disk);
}
