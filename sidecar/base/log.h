// SPDX-License-Identifier: MIT
/* log.h - one line per event, for operators: time, level, room, message, key=value.
 *
 * Text: `2026-11-24T10:00:00.123Z info intake msg="request" id="..." route="album" status=201`
 * JSON: `{"time":"...","level":"info","room":"request","msg":"request","id":"...","route":"album","status":201}`
 * Texts are cut to 256 bytes each, made valid UTF-8 and quoted, numbers are not. Never a secret, never a body byte.
 *
 * Between log_start() and log_stop() a thread of its own writes, so that no thread that logs waits for the reader of the log:
 * lines wait in a bounded queue (log_queue.c), in their order. A line that finds no room there is dropped and counted, and when
 * the reader goes on, the log says "lines were lost" in its place. Before log_start() and after log_stop() the caller writes
 * the line by itself.
 */
#ifndef PENSTOCK_LOG_H
#define PENSTOCK_LOG_H

#include "base/metrics.h"
#include "base/str.h"

#define LOG_FLUSH_MS 1000u /* how long the end waits for a slow reader of the log */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* One key=value of a line. Built by the macros below, never by hand. */
struct log_pair {
	const char *key;
	enum { LOG_IS_STR, LOG_IS_U64 } is;
	struct str str;
	uint64_t u64;
};

#define LOG_STR(k, v) ((struct log_pair){ .key = (k), .is = LOG_IS_STR, .str = (v) })
#define LOG_TEXTVAL(k, v) ((struct log_pair){ .key = (k), .is = LOG_IS_STR, .str = str_of(v) })
#define LOG_NUM(k, v) ((struct log_pair){ .key = (k), .is = LOG_IS_U64, .u64 = (v) })

/* [any] Default: LOG_INFO, LOG_TEXT. */
void log_setup(enum log_level level, enum log_format format);

/* [main] Before any other thread runs: where lines go. Default: stderr. */
void log_to(int fd);

/* [main] Starts the thread, once. It takes no signals. `metrics` is borrowed until log_stop(). False: the thread could not be
 * started, and err says why. */
bool log_start(struct metrics *metrics, struct error *err);

/* [main] Lets the thread write what waits, for LOG_FLUSH_MS at most, and ends it. Does nothing if it was not started. */
void log_stop(void);

/* [any] True if lines of this level are written: ask before building costly values. */
bool log_enabled(enum log_level level);

/* [any] Writes one line. `pairs` may be NULL with n 0; a pair whose string is STR_NONE is left out. */
void log_event(enum log_level level, const char *room, const char *msg, const struct log_pair *pairs, size_t n);

/* log_line(LOG_INFO, "request", "listening", LOG_TEXTVAL("addr", addr)); needs at least one pair. */
#define log_line(level, room, msg, ...)                                                                            \
	log_event((level), (room), (msg), (const struct log_pair[]){ __VA_ARGS__ },                                \
		sizeof((const struct log_pair[]){ __VA_ARGS__ }) / sizeof(struct log_pair))

#endif
