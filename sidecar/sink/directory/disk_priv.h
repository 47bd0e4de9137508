// SPDX-License-Identifier: MIT
/* disk_priv.h - what the files of this room share that make up the disk thread: disk.c is the thread and the producer's
 * side, disk_file.c the life of one file, disk_turn.c what files do together. */
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

struct file_list { /* by `next` */
	struct file *first, **last;
};

struct disk {
	struct pool *pool;
	struct loop *loop;
	struct loop_thread thread;
	struct counter files;
	struct shown shown;
	struct syncer *syncer;
	struct hook turn_end;
	/* Of those that this turn has brought so far, first come, first served: */
	struct file_list written; /* SYNCING */
	struct file_list named;   /* SETTLING */
	struct mail stop;
	bool is_stopping;
};

/* READY ─START▶ SENDING ─written▶ SYNCING ─durable▶ HELD ─COMMIT▶ SETTLING ─durable▶ ENDED ─UNDO▶ ENDED
 *                                                        └──── with a journal ──────▶
 * any ─CANCEL or failure▶ ENDED. What is SYNCING or SETTLING is so until the end of the turn: then all of them are made durable
 * together. */
enum file_state { FILE_READY, FILE_SENDING, FILE_SYNCING, FILE_HELD, FILE_SETTLING, FILE_ENDED };

struct file {
	struct disk *disk;
	struct table *table; /* acquired: its folder is needed for longer than the order */
	struct order *order;
	struct channel *channel;
	enum file_state state;
	bool is_committed;
	struct file *next; /* in one of the disk's lists */
	struct new_file file;
};

/* [disk] The producer's orders; `arg` is the file. Frees it after CHANNEL_CLOSE. */
void disk_file_on_orders(void *arg, unsigned orders);

/* [disk] Of one that is SYNCING: what was written is durable, or sync_batch_error() says why it is not. */
void disk_file_on_durable(struct file *file);

/* [disk] Of one that is SETTLING: likewise, its name. */
void disk_file_on_settled(struct file *file);

/* [main] init: before the thread runs. [disk] One that has just become SYNCING or SETTLING waits for the end of the turn, unless it is dropped. */
void disk_turn_init(struct disk *disk);
void disk_turn_add(struct file *file);
void disk_turn_drop(struct file *file);

#endif
