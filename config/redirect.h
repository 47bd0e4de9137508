// SPDX-License-Identifier: MIT
/* redirect.h - `response.redirect` of a route: where a browser is sent when the form has been stored. Pure.
 *
 * The origin is the route file's own text and holds no placeholder, so no client chooses the host; what a client puts
 * into the rest is escaped where it is filled in (part/location.h).
 */
#ifndef PENSTOCK_REDIRECT_H
#define PENSTOCK_REDIRECT_H

#include "base/error.h"
#include "config/route.h"
#include "config/template.h"

/* "/thanks?id={request_id}", "https://example.org/{path.1}" -> out->origin and out->redirect, which the caller frees, also
 * after a failure. False: err says why (ERR_CONFIG, ERR_NOMEM), and `where` which bytes of the text are wrong. */
bool redirect_read(struct str text, struct response *out, struct span *where, struct error *err);

/* The same of a path and query alone, "/may?id={request_id}". NULL: err says why, as above. */
struct template *redirect_read_path(struct str text, struct span *where, struct error *err);

#endif
