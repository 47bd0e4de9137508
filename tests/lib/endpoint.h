// SPDX-License-Identifier: MIT
/* endpoint.h - an HTTP server of a test's own on 127.0.0.1, on a thread of its own: one connection after the other, one
 * request each. */
#ifndef PENSTOCK_TEST_ENDPOINT_H
#define PENSTOCK_TEST_ENDPOINT_H

#include "base/str.h"

struct endpoint;

/* On the endpoint's thread: `request` is all of it, its body included; `answer` becomes all of the answer. Left empty: the
 * connection stays open without one until the endpoint stops. */
typedef void endpoint_answer(void *arg, const char *request, struct buf *answer);

struct endpoint *endpoint_start(endpoint_answer *on_request, void *arg); /* NULL: it cannot be made */
void endpoint_stop(struct endpoint *endpoint);
const char *endpoint_url(const struct endpoint *endpoint); /* "http://127.0.0.1:PORT" */

/* A whole answer of this status and body, after which the connection is closed. */
void endpoint_say(struct buf *answer, unsigned status, const char *body);

#endif
