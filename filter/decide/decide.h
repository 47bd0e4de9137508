// SPDX-License-Identifier: MIT
/* decide.h - may this upload come in? Every place that can refuse an upload asks this before it reads a byte of the body, so that
 * all of them decide the same, in the same words.
 *
 * Pure, any thread: no clock, no library types, no global state, no allocation. Asked by request/ for each request,
 * by spoa/ for HAProxy's agent, and inside HAProxy by native/.
 */
#ifndef PENSTOCK_DECIDE_H
#define PENSTOCK_DECIDE_H

#include "base/counter.h"
#include "base/error.h"
#include "config/route.h"
#include "route/head.h"
#include "route/match.h"

/* How busy the process is; the caller fills it in just before it asks. */
struct load {
	struct str
		gateway_refuses; /* X-Penstock-Refuse of a gateway that is trusted: its own answer would be lost, so
	                             * penstock says it. A status, of its rules (401, 403, 429) or because it could
	                             * ask nobody (anything else); STR_NONE: it refuses nothing */
	bool is_draining;
	bool is_over_memory; /* pool_is_used_up(); no reason to refuse those who wait for memory, route.memory */
	struct counter *const
		*active; /* requests under way, by struct route's index; NULL: not known, as if none */
	uint64_t (*uploads)(
		void *arg, const struct route *route); /* that its client has under way of that route, asked
								    * where the route has such a limit; NULL: as if none */
	void *uploads_arg;
};

struct decision {
	bool allow;
	bool is_preflight; /* allowed, and to be answered by `route->cors` (route/cors.h): no upload, and it takes no place */
	const struct route *route; /* also of a refusal, once it is known; NULL before that */
	uint64_t length;           /* Content-Length, or LENGTH_UNKNOWN where the head does not say it */
	uint64_t max_body;         /* if allowed: limits.body of the route, LIMIT_NONE for none */
	unsigned retry_after_s;    /* with ERR_TOO_MANY, ERR_BUSY and ERR_DRAINING, else 0 */
	struct error error;        /* if refused */
	struct path path;          /* views into head->target */
	struct match_result match; /* the same */
};

#define LENGTH_UNKNOWN UINT64_MAX

/* The most bytes of a header's value, and of a target before its query. HAProxy's question to the agent holds one byte more, so that
 * a value which was cut is too long and is refused. */
#define DECIDE_HOST_MAX 255
#define DECIDE_TYPE_MAX 511
#define DECIDE_TARGET_MAX (8 + DECIDE_HOST_MAX + MATCH_PATH_MAX) /* "https://", host and path */

/* How much of a target HAProxy's question to the agent holds: with the query where routes go by it. */
size_t decide_target_shown(const struct config *config);

/* Fills the zeroed `decision`. The first of these that fits refuses:
 *
 *   ERR_BAD_REQUEST      a Host that is missing (but in HTTP/1.0), repeated, too long, no host
 *                        (head_has_sound_hosts()), or other than that of an absolute target; Content-Length and Transfer-Encoding repeated or both; a length that is no
 *                        number, a coding other than chunked, or in HTTP/1.0
 *   ERR_UNAUTHORIZED, ERR_FORBIDDEN, ERR_TOO_MANY   what the gateway's own rules refuse, as `load` says
 *   ERR_EXPECTATION      an Expect other than 100-continue; an empty one is none
 *   ERR_BAD_REQUEST      a path that path_read() refuses; a target too long before its query
 *   ERR_BAD_REQUEST      a header or query parameter that routes go by and that can be read in two ways (route/named.h)
 *   ERR_NO_ROUTE, ERR_METHOD (match_allow() tells which the route takes)
 *   ERR_BAD_REQUEST      a query parameter that an application could take for one of our files (reserved.h)
 *   ERR_LENGTH_REQUIRED  neither length nor chunked before HTTP/2; no length where limits.length wants one
 *   ERR_MEDIA_TYPE       a Content-Encoding other than identity or empty; a Content-Type repeated, too long, or none
 *                        that the format of the route's bodies accepts (source/format.h)
 *   ERR_TOO_LARGE        a Content-Length over limits.body (limit "body")
 *   ERR_BUSY (the gateway could not ask its agent), ERR_DRAINING, ERR_BUSY (over memory),
 *   ERR_TOO_MANY (limits.per_client.uploads, limits.concurrent), as `load` says
 *
 * A Content-Length of 0 is let in: the form will say that it is truncated. A preflight of a route with `cors` is let in before all
 * but the first of these: a browser sends no credentials with it, and asks for no more than words. */
void decide(
	const struct config *config, const struct head *head, const struct load *load, struct decision *decision);

/* Does the client wait for 100 before it sends the body? To be asked of any head, also of one that is refused for something else.
 * One of several Expects is enough; HTTP/1.0 has none (RFC 9110 section 10.1.1). */
bool decide_expects_continue(const struct head *head);

/* For request/, which counts requests itself: turns a decision that allows into the refusal of one over limits.concurrent, or over a
 * limit of limits.per_client: `most` of `what` ("uploads"). */
void decide_too_many(struct decision *decision);
void decide_too_many_of_client(struct decision *decision, const char *what, uint64_t most);

#endif
