// SPDX-License-Identifier: MIT
/* disk.h - the one thread that writes files: the consumer of every channel to a `directory` destination.
 * Writes, fsync and renames block, so they have no place in a worker's loop. */
#ifndef PENSTOCK_DISK_H
#define PENSTOCK_DISK_H

#include "base/error.h"
#include "channel/pool.h"
#include "config/route.h"
#include "loop/loop.h"
#include "sink/order.h"

struct disk;

/* [main] Starts the thread. NULL: err says why. */
struct disk *disk_new(struct pool *pool, struct error *err);
struct loop *disk_loop(struct disk *disk);
void disk_free(struct disk *disk); /* [main] stops the thread once every file is closed; NULL is fine */

/* [producer] Makes a file transfer and its channel; nothing is written before CHANNEL_START. */
bool disk_open(struct disk *disk, struct order *order, const struct channel_side *producer, struct error *err);

/* [producer] There is something in the channel. */
void disk_pump(struct order *order);

#endif
