// SPDX-License-Identifier: MIT
/* request.h - one client request, from its first line to its answer, for the side that speaks HTTP to the client.
 *
 *   request_new() ─▶ request_begin() ──────────────────────────▶ request_take_body() ... ─▶ request_end() ... ─▶ request_leave()
 *                          └─ paused ─ resumed ─▶ request_go_on() ─┘
 *
 * The request is told what has come, in this order, and acts on its client by the client's ops (client.h). request_leave() may be
 * called at any time after request_new(), once: the client is gone, or free for its next request. The request frees itself when it
 * has no client and every transfer that it started has ended.
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
	const struct sockaddr *peer; /* AF_UNSPEC: its address is not known, so it is not trusted */
	const struct error *
		flaw; /* why other parsers may read this head differently: it is refused for that. NULL: they cannot */
};

/* The whole head has come: decides, and answers at once if the upload is refused. If it has neither answered nor paused the client,
 * the body may be asked for (100 Continue). */
bool request_begin(struct request *request, const struct request_head *head);

/* To be called once after a client that request_begin() has paused was resumed: goes on as request_begin() does, to an answer or to
 * the body. */
bool request_go_on(struct request *request);

/* The next `*len` bytes of body, at least one, at most piece(). *len is what was not taken: it is shown again after a resume.
 * Not while the client is paused. */
void request_take_body(struct request *request, const char *data, size_t *len);

/* The body is whole. Called again after each resume, until there is an answer. */
bool request_end(struct request *request);

/* Its connection is over, or free for the next request: the client is not touched any more. The request may be freed. */
void request_leave(struct request *request);

/* The connection itself is over, after request_leave(): it counts as its client's no more. */
void request_forget_client(struct intake *intake, struct client *client);

/* The client has closed its sending side (`is_reset`: both). It has to be told, because a paused client is not read. */
void request_on_hangup(struct request *request, bool is_reset);

/* All that answer_now() was given is with the socket, or never will be. */
void request_on_told(struct request *request);

#endif
