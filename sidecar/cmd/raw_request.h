// SPDX-License-Identifier: MIT
/* raw_request.h - an HTTP/1.1 request as it goes over the wire, read from memory (RFC 9112): for
 * `penstock explain`, which has no libmicrohttpd connection to ask. */
#ifndef PENSTOCK_RAW_REQUEST_H
#define PENSTOCK_RAW_REQUEST_H

#include "base/error.h"
#include "base/str.h"
#include "route/head.h"

#define RAW_HEADERS_MAX 4096

struct raw_request {
	struct head head; /* its views point into the text */
	struct {
		struct str name, value;
	} headers[RAW_HEADERS_MAX];
	size_t n_headers;
	struct str rest; /* what follows the head */
};

/* False: ERR_BAD_REQUEST, the head is not a request's. `raw` must not be moved afterwards, `text` outlives it. */
bool raw_request_read(struct raw_request *raw, struct str text, struct error *err);

/* The body out of `rest`: by Content-Length, or dechunked if `is_chunked`. What follows it would be the next request
 * of a connection, and is left alone. False: ERR_TRUNCATED (not all of it is there), ERR_BAD_REQUEST (broken chunk
 * framing) or ERR_NOMEM; *body then holds what came before. */
bool raw_request_body(
	const struct raw_request *raw, bool is_chunked, uint64_t length, struct buf *body, struct error *err);

#endif
