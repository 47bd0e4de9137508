// SPDX-License-Identifier: MIT
/* reply.h - pure: what became of a request -> status, headers and body of the answer.
 *
 * Successes are the JSON summary, an empty body, a redirect, or the upstream's own answer; refusals are
 * application/problem+json (RFC 9457), or a page of HTML for clients that prefer that (accept.h).
 * `penstock explain` prints the same part objects through reply_part_json(). Any thread.
 */
#ifndef PENSTOCK_REPLY_H
#define PENSTOCK_REPLY_H

#include "base/error.h"
#include "base/str.h"
#include "config/route.h"
#include "reply/status.h"
#include "sink/order.h"
#include "sink/question.h"
#include "stage/facts.h"

#include <jansson.h>

/* One part of the form, as it is told to the client. Views; absent strings become null. */
struct reply_part {
	unsigned number;
	struct str field, filename, type; /* made valid UTF-8 on the way out, U+FFFD for what is not */
	uint64_t size;
	const struct facts *facts; /* what stages have found, each a key of its own; NULL: nothing */
	enum action action;
	struct str destination; /* absent for drop and reject */
	struct str target;
	/* run only: left out of `penstock explain` */
	bool has_outcome; /* of a part without a destination: just the two nulls */
	enum outcome_state state;
	unsigned upstream_status;   /* 0: null */
	struct str location;        /* empty or absent: null */
	struct str problem;         /* why the part is not where it should be; absent: left out */
	const struct order *linked; /* a summary tells a link to this one; NULL: none is wanted */
};

/* Makes links. Each is made when it is written, because many at once would take as much memory as all the rest. */
struct reply_links {
	/* As sinks.link of sink/order.h. False: there is none, which is null in the summary. */
	bool (*make)(void *arg, const struct order *order, struct order_link *link);
	void *arg;
};

/* What is said to the browser of a page of another origin. */
struct reply_cors {
	const struct cors *cors; /* that the answer goes by; NULL: nothing is said */
	struct str origin;       /* who may read it; empty: nobody */
	struct str
		method; /* of the request that a preflight asks for, and the answer is to that; empty: it is none */
};

/* What became of the request. */
struct reply_facts {
	struct error error;        /* ERR_NONE: committed */
	const struct route *route; /* NULL: none was found */
	struct str request_id;
	struct str location;    /* where a committed form is redirected to; empty: the route does not */
	bool wants_page;        /* a refusal is told in HTML: accept_prefers_page() */
	struct str allow;       /* for ERR_METHOD */
	unsigned retry_after_s; /* for 429 and 503, where 0 says 1 s; for others if a store has said it */
	struct str challenge;   /* for a 401 of a store: WWW-Authenticate */
	struct reply_cors cors;
	const struct reply_part *parts;
	size_t n_parts;                 /* of a refusal: only if something is already visible downstream */
	const struct outcome *upstream; /* for response.from: upstream, else NULL */
	struct app_answer
		*application; /* whose answer this is, instead of ours; its body is taken. NULL: nobody's */
	const struct reply_links
		*links; /* asked for each part that has `linked`, of a summary alone; NULL: no part has one */
};

struct reply_header {
	const char *name;
	char value[600];
};

struct reply {
	unsigned status;
	struct reply_header headers[14]; /* Content-Type, Allow, Retry-After, X-Request-Id, Location, ... */
	size_t n_headers;
	const struct question_line *lines; /* further ones, an application's; borrowed from facts->application */
	size_t n_lines;
	struct buf body;
};

/* Fills `reply`, whatever is in it; most of it is room for headers, and stays as it is. Out of memory gives a short plain
 * answer ("201 Created") or an empty one with the right status, never half of the JSON; it never fails. A success whose status
 * allows no content has none.
 * A refusal's JSON: type ("urn:penstock:problem:too-large"), title, status, detail, and route, field, limit,
 * offset, request_id where they are known (left out where not); plus `parts` when n_parts > 0: what is where, each
 * with its `state` (committed, aborted, unknown, undone) and `problem`. The page tells the same to people. */
void reply_make(const struct reply_facts *facts, struct reply *reply);
void reply_free(struct reply *reply);

const char *reply_action_name(enum action action); /* "store", "concat", ... */

/* "committed", "aborted", "unknown", "undone"; of a part without a destination "dropped". */
const char *reply_state_name(const struct reply_part *part);

/* What is known of a part before it has an outcome. Views of `part`. */
struct part; /* part/parts.h */
struct reply_part reply_part_of(const struct part *part);

/* The JSON object of one part; NULL: out of memory. The caller owns the reference. */
json_t *reply_part_json(const struct reply_part *part);

/* s as a JSON string, invalid UTF-8 replaced; absent: JSON null. */
json_t *reply_text(struct str s);

#endif
