// SPDX-License-Identifier: MIT
/* request.h - one client request, from its first line to its answer, for whoever speaks HTTP to the client.
 *
 *   request_new() ─▶ request_begin() ──────────────────────────▶ request_take_body() ... ─▶ request_end() ... ─▶ request_leave()
 *                          └─ paused ─ resumed ─▶ request_go_on() ─┘
 *
 * It is told what has come, in this order, and asks for what it wants by the client's ops (client.h). request_leave() may come at
 * any time after request_new(), once: the client is gone, or free for its next request. The request frees itself when it has no
 * client and every transfer that it started has ended.
 *
 * Where a call returns false, the caller closes the connection. All on the thread of the request's intake. */
#ifndef PENSTOCK_REQUEST_H
#define PENSTOCK_REQUEST_H

#include "request/client.h"
#include "request/intake.h"
#include "route/head.h"

#include <sys/socket.h>

struct request;

/* Its first line has come; `target` is the request target as sent, and is copied. NULL: out of memory. */
struct request *request_new(struct intake *intake, struct client *client, const char *target);
struct str request_target(const struct request *request); /* until request_leave() */

/* What came before the body. All of it is borrowed until request_leave(), but for `peer` and `flaw`: these for the call. */
struct request_head {
	struct head head;            /* its target is request_target() */
	const struct sockaddr *peer; /* AF_UNSPEC: nobody knows, so nobody trusts it */
	const struct error
		*flaw; /* other parsers may read this head differently: it is refused so. NULL: it is plain */
};

/* The whole head has come: decides, and answers at once where the answer is no. Not answered and not paused: the body may be
 * asked for (100 Continue). */
bool request_begin(struct request *request, const struct request_head *head);

/* Once, if request_begin() has paused the client and it was resumed: may the body be asked for now? As request_begin(). */
bool request_go_on(struct request *request);

/* The next `*len` bytes of body, at least one, at most piece(). *len is what was not taken: it is shown again after a resume.
 * Not while the client is paused. */
void request_take_body(struct request *request, const char *data, size_t *len);

/* The body is whole. Called again after each resume, until there is an answer. */
bool request_end(struct request *request);

/* Its connection is over, or free for the next request: the client is not touched any more. The request may be freed. */
void request_leave(struct request *request);

/* The client has closed its sending side (`is_reset`: both); who reads a paused one does not notice it by reading. */
void request_on_hangup(struct request *request, bool is_reset);

/* What answer_now() was given is out, or will never be. */
void request_on_told(struct request *request);

#endif
