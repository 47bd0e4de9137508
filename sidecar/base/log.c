// SPDX-License-Identifier: MIT
/* log.c - formats a line into a buffer of its own, on the caller's thread, and queues it.
 *
 * A line for which there is no memory, or that cannot be written, is dropped: the upload matters more. */
#include "base/log.h"

#include "base/counter.h"
#include "base/log_queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX_BYTES 256

static struct counter log_max = { LOG_INFO }; /* enum log_level; a reload may change both */
static struct counter log_form = { LOG_TEXT };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void
log_setup(enum log_level level, enum log_format format)
{
	counter_set(&log_max, level);
	counter_set(&log_form, format);
}

void
log_to(int fd)
{
	log_queue_to(fd);
}

bool
log_enabled(enum log_level level)
{
	return level <= counter_read(&log_max);
}

/* The escapes of JSON are readable enough for the text form too. */
static void
add_quoted(struct buf *b, struct str s)
{
	if (s.len > VALUE_MAX_BYTES)
		s.len = VALUE_MAX_BYTES;
	buf_add_json(b, s);
}

static void
add_time(struct buf *b)
{
	struct timespec ts;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_addf(b, "%s.%03ldZ", text, ts.tv_nsec / 1000000);
}

static void
add_value(struct buf *b, const struct log_pair *pair)
{
	switch (pair->is) {
	case LOG_IS_STR:
		add_quoted(b, pair->str);
		break;
	case LOG_IS_U64:
		buf_addf(b, "%" PRIu64, pair->u64);
		break;
	}
}

static void
add_head(struct buf *b, enum log_level level, bool is_json, const char *room, const char *msg)
{
	if (is_json) {
		buf_add_text(b, "{\"time\":\"");
		add_time(b);
		buf_addf(b, "\",\"level\":\"%s\",\"room\":\"%s\",\"msg\":", level_names[level], room);
	} else {
		add_time(b);
		buf_addf(b, " %s %s msg=", level_names[level], room);
	}
	add_quoted(b, str_of(msg));
}

static void
log_make(struct buf *line, enum log_level level, const char *room, const char *msg, const struct log_pair *pairs,
	size_t n)
{
	bool is_json = counter_read(&log_form) == LOG_JSON; /* of the whole line */

	add_head(line, level, is_json, room, msg);
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].is == LOG_IS_STR && pairs[i].str.data == NULL)
			continue;
		buf_addf(line, is_json ? ",\"%s\":" : " %s=", pairs[i].key);
		add_value(line, &pairs[i]);
	}
	buf_add_text(line, is_json ? "}\n" : "\n");
}

void
log_event(enum log_level level, const char *room, const char *msg, const struct log_pair *pairs, size_t n)
{
	struct buf line = { 0 };

	if (!log_enabled(level))
		return;
	log_make(&line, level, room, msg, pairs, n);
	if (!line.failed)
		log_queue_put(buf_str(&line));
	buf_free(&line);
}

/* In its place among the others: the queue has just been emptied. */
static void
make_lost_line(struct buf *line, size_t n)
{
	struct log_pair pair = LOG_NUM("lines", n);

	log_make(line, LOG_WARN, "log", "lines were lost: nobody read them in time", &pair, 1);
}

bool
log_start(struct metrics *metrics, struct error *err)
{
	return log_queue_start(make_lost_line, metrics, err);
}

void
log_stop(void)
{
	log_queue_stop(LOG_FLUSH_MS);
}
