// SPDX-License-Identifier: MIT
/* problem.h - a refusal as application/problem+json (RFC 9457 section 3): the one place that writes it, for penstock's own answers
 * and, inside HAProxy, for the filter's. Pure, any thread. */
#ifndef PENSTOCK_PROBLEM_H
#define PENSTOCK_PROBLEM_H

#include "base/error.h"
#include "base/str.h"

/* Views. What is empty or absent is left out. */
struct problem {
	const struct error *error; /* its message is the detail; the others of its members are named as they are */
	unsigned status;
	struct str route, request_id;
};

/* Appends the object, without a newline: type ("urn:penstock:problem:too-large"), title (the reason phrase of the status), status,
 * detail, and route, field, limit, offset, request_id where they are known. Out of memory shows as out->failed. */
void problem_add(struct buf *out, const struct problem *problem);

#endif
