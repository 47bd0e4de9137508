// SPDX-License-Identifier: MIT
/* disk_priv.h - what the files of this room share that make up the disk thread: disk.c is the thread and the producer's
 * side, disk_file.c the life of one file. */
#ifndef PENSTOCK_DISK_PRIV_H
#define PENSTOCK_DISK_PRIV_H

#include "base/counter.h"
#include "channel/channel.h"
#include "loop/loop_thread.h"
#include "route/table.h"
#include "sink/directory/directory.h"
#include "sink/directory/disk.h"
#include "sink/sink.h"

extern const struct sink directory_sink;

struct disk {
	struct pool *pool;
	struct loop *loop;
	struct loop_thread thread;
	struct counter files;
	struct shown shown;
	struct mail stop;
	bool is_stopping;
};

/* READY ─START▶ SENDING ─written and synced▶ HELD ─COMMIT▶ ENDED ─UNDO▶ ENDED     any ─CANCEL or failure▶ ENDED */
enum file_state { FILE_READY, FILE_SENDING, FILE_HELD, FILE_ENDED };

struct file {
	struct disk *disk;
	struct table *table; /* acquired: its folder is needed for longer than the order */
	struct order *order;
	struct channel *channel;
	enum file_state state;
	bool is_committed;
	struct new_file file;
};

/* [disk] The producer's orders; `arg` is the file. Frees it after CHANNEL_CLOSE. */
void disk_file_on_orders(void *arg, unsigned orders);

#endif
