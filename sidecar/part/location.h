// SPDX-License-Identifier: MIT
/* location.h - `response.redirect` of a route and a request's head -> the Location of the answer. Pure, any thread. */
#ifndef PENSTOCK_LOCATION_H
#define PENSTOCK_LOCATION_H

#include "part/naming.h"

#define LOCATION_MAX 599 /* bytes */

/* Appends the Location to `out`. A client's text is escaped as safe_name.h says for http, and each value on its own: an empty
 * one becomes "_", so that none can make a segment, a "//host" or a "..".  A route without a redirect: nothing.
 * False: ERR_RULE (it would be too long: refuse the form before anything is stored), or ERR_NOMEM. */
bool location_make(
	const struct naming *naming, const struct response *response, struct buf *out, struct error *err);

#endif
