// SPDX-License-Identifier: MIT
/* sign.h - pure: the line Penstock-Signature, by which an application knows that a request comes from penstock, what it is
 * for, and that nobody has changed it.
 *
 *   t=<unix seconds>,p=<purpose>,v1=<hex>       and one more v1 for the second key, while a key is changed
 *
 *   v1 = HMAC-SHA256(key, purpose LF t LF method LF target LF request-id LF hex(SHA-256(body)))    no LF at the end
 *
 * [any] No clock and no state of its own. */
#ifndef PENSTOCK_APP_SIGN_H
#define PENSTOCK_APP_SIGN_H

#include "base/error.h"
#include "base/str.h"
#include "config/route.h"

struct app_signed {
	const char *purpose;
	int64_t now_s; /* seconds since 1970 */
	const char *method;
	struct str target;      /* path and query as the application gets them */
	const char *request_id; /* as in X-Request-Id */
	struct str body;        /* may be empty */
};

/* Appends the line's value. `sign` has at least one key. False: err says why (memory, or the library), and `out` is not whole. */
bool app_sign(const struct sign *sign, const struct app_signed *what, struct buf *out, struct error *err);

/* Has it a key? NULL has none. */
bool app_has_key(const struct sign *sign);

#endif
