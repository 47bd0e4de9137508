// SPDX-License-Identifier: MIT
/* exchange.h - one HTTP request and its answer, on the engine of a worker: what transfers, undoing and probes are made of.
 * exchange*.c and engine.c alone know libcurl.
 *
 *   IDLE ─begin▶ ASKING ─▶ on_done: IDLE          stop: IDLE, without on_done
 *                  │  ▲ a connection could not be made, or one that was kept has died: once more
 *                  └──┘
 *
 * Which connection it goes over:
 *
 *   body                                   method that may be repeated (PUT, DELETE, GET ...)   any other (POST)
 *   none, whole, or one that can rewind    kept, if there is one; should that die before a      new; `reuse_always`: kept,
 *                                          line of an answer: once more over a new one          never sent again
 *   a stream                               new                                                  new
 *
 * A server may close a connection that it keeps at any moment, and may say 408 then. That is no harm to a request that can be sent again; any other
 * would fail for nothing, so it gets a new connection. libcurl would send some requests anew by itself, without asking whether
 * that is allowed, so it is stopped from doing so (exchange_callbacks.c).
 *
 * Everything belongs to the engine's thread. on_done may begin the exchange anew, or free the struct that holds it. All other
 * calls come from within libcurl, and must not call any function of an exchange. */
#ifndef PENSTOCK_EXCHANGE_H
#define PENSTOCK_EXCHANGE_H

#include "base/error.h"
#include "base/str.h"
#include "config/peer.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXCHANGE_LENGTH_UNKNOWN UINT64_MAX
#define EXCHANGE_PAUSE SIZE_MAX
#define EXCHANGE_ANSWER_MAX (1024u * 1024)

struct engine;
struct exchange;

/* How it ended. */
struct exchange_result {
	unsigned status;   /* of the final answer; 0: none came */
	bool is_whole;     /* that answer was read to its end, or as far as the caller wants it */
	bool was_complete; /* what completes the request (its last byte) may have reached the other side */
	bool was_early;    /* the answer came before the request was complete */
	bool was_sent_before; /* over a kept connection, which died when all may have reached the other side: what `status` says is
				 of the last time */
	bool is_long;         /* more of its body came than answer_max, and was not read */
	enum error_kind kind; /* if not is_whole: whose fault it is ... */
	const char *why;      /* ... in words that name no address and no path; a constant */
};

struct exchange_line {
	const char *name, *value;
};

struct exchange_calls {
	/* Bytes of a streamed body into `to`, at most `room` of them. EXCHANGE_PAUSE: none now, exchange_resume() follows.
	 * 0: the body has ended. */
	size_t (*on_read)(void *arg, char *to, size_t room);
	void (*on_rewind)(
		void *arg); /* EXCHANGE_READ: on_read begins at the beginning; before each time that it is asked */
	/* EXCHANGE_STREAM with has_trailer, when on_read has told the end: the line that follows the body (RFC 9112 section 7.1.2). */
	struct exchange_line (*on_trailer)(void *arg);
	void (*on_interim)(
		void *arg, unsigned status); /* 1xx: the final answer is still to come; NULL: it is ignored */
	void (*on_status)(void *arg, unsigned status); /* of the final answer; NULL likewise */
	void (*on_header)(void *arg,
		struct str line); /* each line of its head, and none of a 1xx or behind its body; NULL likewise */
	void (*on_answer)(void *arg, const char *data, size_t len); /* its body; NULL likewise */
	void (*on_done)(void *arg, const struct exchange_result *result);
};

enum exchange_body {
	EXCHANGE_NO_BODY,
	EXCHANGE_WHOLE,  /* `whole` is all of it, contiguous */
	EXCHANGE_READ,   /* by on_read; can be read from its beginning again */
	EXCHANGE_STREAM, /* by on_read, once */
	EXCHANGE_CONNECT /* no request: only a connection (TLS included), which is closed again */
};

/* What is asked. Borrowed until the end, with all that it points to. */
struct exchange_request {
	const struct http_peer *to;
	const char *method, *target;       /* behind the URL of `to` */
	const struct exchange_line *lines; /* of the head, beside those of `to`; a NULL value leaves its line out */
	size_t n_lines;
	enum exchange_body body;
	struct str whole;
	uint64_t length;   /* of what is read; EXCHANGE_LENGTH_UNKNOWN: chunked */
	bool has_trailer;  /* of a stream of unknown length: on_trailer() is asked for one */
	size_t unit;       /* bytes that should leave in one piece, see exchange_buffer() */
	size_t answer_max; /* bytes of the answer's body that are read; 0: EXCHANGE_ANSWER_MAX */
	bool reuse_always;
	bool is_alone;   /* over a connection of its own, which nobody uses after it */
	bool is_once;    /* never sent a second time, also where its method would allow that */
	bool is_patient; /* it may be silent for as long as total_at_ms allows; to->idle_ms does not count */
	uint64_t connect_ms, total_at_ms; /* longest time to connect; when all of it must have ended */
};

/* NULL: out of memory. */
struct exchange *exchange_new(struct engine *engine, const struct exchange_calls *calls, void *arg);
void exchange_free(struct exchange *exchange); /* stops it; NULL is fine */

/* IDLE -> ASKING. False: out of memory, it stays IDLE. */
bool exchange_begin(struct exchange *exchange, const struct exchange_request *request);

/* How many bytes a send of a body may have, which is read in pieces of this `unit`: on_read is never offered more room. */
size_t exchange_buffer(size_t unit);

/* To be called when on_read would have more to give, or the end. Cheap if on_read has not paused it. Not from within a call. */
void exchange_resume(struct exchange *exchange);

/* total_at_ms of its request has been changed. */
void exchange_retime(struct exchange *exchange);

/* -> IDLE. A request that was not complete leaves a closed connection behind. */
void exchange_stop(struct exchange *exchange);

bool exchange_is_asking(const struct exchange *exchange);
bool exchange_is_away(const struct exchange *exchange); /* all of it was read, only its answer is awaited */
bool exchange_may_have_arrived(const struct exchange *exchange); /* was_complete, as far as is known now */

/* Of a line that on_header() was told and that begins with `name` ("etag:"): what stands behind it, without blanks and line end. */
struct str exchange_value_of(struct str line, const char *name);

/* The same as a text in `out`, which stays as it is if that has no room for it or it holds a control byte. */
void exchange_take_value(struct str line, const char *name, char *out, size_t size);

/* Does the line go on with the one before (RFC 9112 section 5.2)? */
bool exchange_is_folded(struct str line);

#endif
