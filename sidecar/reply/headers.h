// SPDX-License-Identifier: MIT
/* headers.h - header lines of an answer, for reply.c, and for who has to know them beforehand. Pure, any thread. */
#ifndef PENSTOCK_REPLY_HEADERS_H
#define PENSTOCK_REPLY_HEADERS_H

#include "reply/reply.h"
#include "route/head.h"

/* Cut at sizeof reply_header.value. An empty value adds no line. */
void headers_add(struct reply *reply, const char *name, struct str value);

/* What an answer to this head says to browsers: by the `cors` of its route, or where `route` is NULL of the one that cors_of_refusal()
 * finds. Borrows from `config` and `head`. */
struct reply_cors headers_cors_of(
	const struct config *config, const struct head *head, const struct route *route, bool is_preflight);

/* What a browser wants to read before it shows the answer to a page, or before it sends what the page asks for (Fetch standard,
 * "HTTP responses" of the CORS protocol). Nothing where `cors->cors` is NULL. */
void headers_add_cors(struct reply *reply, const struct reply_cors *cors);

#endif
