// SPDX-License-Identifier: MIT
/* accept.h - which of two forms of a refusal a client would rather read (RFC 9110 section 12.5.1). Pure, any thread. */
#ifndef PENSTOCK_ACCEPT_H
#define PENSTOCK_ACCEPT_H

#include "route/head.h"

/* Does the Accept of this head, all of its lines, prefer text/html over JSON (application/problem+json or application/json)?
 * A browser's does; no Accept, the ranges with stars that curl and fetch send, and a tie do not. What is malformed in it counts for nothing. */
bool accept_prefers_page(const struct head *head);

#endif
