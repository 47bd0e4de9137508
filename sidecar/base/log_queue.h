// SPDX-License-Identifier: MIT
/* log_queue.h - whole lines on their way to a descriptor, written by a thread of its own. For log.c alone.
 *
 * The queue holds up to LOG_QUEUE_BYTES that the reader of the log has not taken yet, so a thread that logs never waits for the
 * reader. When a line finds no room, it and all later lines are dropped until the queue has been emptied. So the log has one
 * gap, and a line in that place says how many lines are missing.
 */
#ifndef PENSTOCK_LOG_QUEUE_H
#define PENSTOCK_LOG_QUEUE_H

#include "base/metrics.h"
#include "base/str.h"

#define LOG_QUEUE_BYTES (256u * 1024)

void log_queue_to(int fd); /* [main] before log_queue_start(); default: stderr */

/* [main] `make_lost_line` is called on the queue's thread, and writes the line about n lines that were dropped. `metrics` counts
 * these; may be NULL. False: no thread could be made. */
bool log_queue_start(
	void (*make_lost_line)(struct buf *line, size_t n), struct metrics *metrics, struct error *err);

/* [main] Lets the thread write what waits, for `most_ms` at most. If the reader has not taken it by then, the thread is left in
 * its write(2), and further lines are dropped. Does nothing if the thread was not started. */
void log_queue_stop(uint64_t most_ms);

/* [any] One whole line. Without a thread it is written at once. */
void log_queue_put(struct str line);

#endif
