// SPDX-License-Identifier: MIT
/* source.h - body bytes in, events of parts out. What the bytes mean depends on the body's format. Each format is one constant,
 * NAME_source, in the source.c of its folder, and one line of sources.def. All other code reads a body through
 * struct source_reader.
 *
 *   source_begin() ─▶ source_feed()* ─▶ source_finish() ─▶ source_end()
 *                          └─ on_begin, on_data*, on_end for each part ─┘
 *
 * Events are the same for every way of cutting the body into pieces, except for where one part's bytes are cut into on_data
 * calls. A body belongs to one thread. Pure: no sockets, no clock; of a route only its limits, and its format.
 */
#ifndef PENSTOCK_SOURCE_H
#define PENSTOCK_SOURCE_H

#include "base/error.h"
#include "base/str.h"
#include "config/route.h"
#include "route/head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_FEED_MAX 65536 /* the most that one source_feed() should be given: bounds what comes out of it */

/* What is known of a part when it begins, decoded. Views are valid until on_end of that part has returned. */
struct part_head {
	unsigned number;      /* from 1 in the order of the body */
	struct str field;     /* name of the field; never absent, may be empty */
	struct str filename;  /* decoded, folders kept; absent: a value, no file */
	struct str type;      /* media type as sent, trimmed; absent: none */
	struct str encoding;  /* Content-Transfer-Encoding as sent; absent: none */
	uint64_t offset;      /* byte of the body where the part begins, whatever stands in front of its content */
	uint64_t data_offset; /* byte of the body where its content begins */
	bool may_be_unfilled; /* if no content comes, no file was meant: an input of a form that was left empty */
	const struct part_header *headers; /* all of its own in order, as sent */
	size_t n_headers;
	const struct head
		*request; /* whose headers count as its own, where the body is the part; NULL: those above */
};

struct part_header {
	struct str name, value;
};

/* Receives the events, in the order begin, data*, end, begin, ... Each returns false to stop the body for good; the
 * receiver then knows why itself, and source_feed() or source_finish() returns false without touching its error. */
struct source_events {
	bool (*on_begin)(void *arg, const struct part_head *head);
	bool (*on_data)(void *arg, const char *data, size_t len); /* len > 0 */
	bool (*on_end)(void *arg, uint64_t size);                 /* size: bytes of this part */
};

/* All of it is borrowed for the reader's life. `head` is that of the request, which decide() has let in. */
struct source_setup {
	const struct route *route;
	const struct head *head;
	const struct source_events *events;
	void *arg;
	uint64_t parts; /* most parts of a form: limits.parts of the route, or less */
};

struct source_format;

struct source {
	const struct source_format *format;

	/* Starts a body. NULL: ERR_NOMEM, or ERR_BAD_REQUEST where the head says something that two would read differently. */
	void *(*new)(const struct source_setup *setup, struct error *err);

	/* Takes `len` more bytes of the body, all of them. False: the body is over; `err` holds ERR_MALFORMED or ERR_TOO_LARGE
	 * with the byte offset, or ERR_NOMEM, unless an event said stop. Cost is linear in all bytes fed, whatever they are.
	 * After false only free() may be called. */
	bool (*feed)(void *body, const char *data, size_t len, struct error *err);

	/* The body has ended. False: it may not end here (ERR_TRUNCATED, ERR_MALFORMED), or an event said stop. */
	bool (*finish)(void *body, struct error *err);

	size_t (*memory)(const void *body); /* bytes that it holds of what the client chose: the longest so far */
	void (*free)(void *body);           /* NULL is fine */

	/* [main] Before the first new() and after the last free(). NULL: nothing is to be done. */
	bool (*start)(struct error *err);
	void (*stop)(void);
};

/* One body that is being read. Zeroed: none, for which only source_end() may be called. */
struct source_reader {
	const struct source *source;
	void *body;
	uint64_t offset; /* bytes fed so far */
};

/* They call the function of the same name above, of the source that the route takes. */
bool source_begin(struct source_reader *reader, const struct source_setup *setup, struct error *err);
bool source_feed(struct source_reader *reader, const char *data, size_t len, struct error *err);
bool source_finish(struct source_reader *reader, struct error *err);
size_t source_memory(const struct source_reader *reader);
void source_end(struct source_reader *reader);

/* [main] All sources, before the first body and after the last one. False: one could not be started, and none is; to stop
 * them does no harm. */
bool sources_start(struct error *err);
void sources_stop(void);

#endif
