// SPDX-License-Identifier: MIT
/* log_queue.h - whole lines on their way to a descriptor, written by a thread of its own. For log.c alone.
 *
 * LOG_QUEUE_BYTES hold what the reader has not taken yet; who puts a line never waits for him. From the first line that finds no
 * room on, all are dropped until the reader has taken what waits: so there is one gap, and it is told of in its place.
 */
#ifndef PENSTOCK_LOG_QUEUE_H
#define PENSTOCK_LOG_QUEUE_H

#include "base/metrics.h"
#include "base/str.h"

#define LOG_QUEUE_BYTES (256u * 1024)

void log_queue_to(int fd); /* [main] before log_queue_start(); default: stderr */

/* [main] `make_lost_line` writes what is said of n lines that were dropped, on the queue's thread. `metrics` counts them; may
 * be NULL. False: no thread could be made. */
bool log_queue_start(
	void (*make_lost_line)(struct buf *line, size_t n), struct metrics *metrics, struct error *err);

/* [main] Gives the thread so long to write what waits. If the reader does not take it by then, the thread is left where it
 * is, and further lines are dropped. Not started: nothing. */
void log_queue_stop(uint64_t most_ms);

/* [any] One whole line. Without a thread it is written at once. */
void log_queue_put(struct str line);

#endif
