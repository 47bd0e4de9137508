// SPDX-License-Identifier: MIT
/* headers.h - header lines of an answer, for reply.c. Pure, any thread. */
#ifndef PENSTOCK_REPLY_HEADERS_H
#define PENSTOCK_REPLY_HEADERS_H

#include "reply/reply.h"

/* Cut at sizeof reply_header.value. An empty value adds no line. */
void headers_add(struct reply *reply, const char *name, struct str value);

/* What a browser wants to read before it shows the answer to a page, or before it sends what the page asks for (Fetch standard,
 * "HTTP responses" of the CORS protocol). Nothing where `cors->cors` is NULL. */
void headers_add_cors(struct reply *reply, const struct reply_cors *cors);

#endif
