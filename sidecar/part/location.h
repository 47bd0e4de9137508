// SPDX-License-Identifier: MIT
/* location.h - `response.redirect` of a route and a request's head -> the Location of the answer. Pure, any thread. */
#ifndef PENSTOCK_LOCATION_H
#define PENSTOCK_LOCATION_H

#include "part/naming.h"

#define LOCATION_MAX 599 /* bytes */

/* Appends the Location to `out`; a route without a redirect appends nothing. A client's text is escaped as safe_name.h says for
 * http, each value on its own, and an empty one becomes "_": so no value can make a segment, a "//host" or a "..".
 * False: ERR_RULE (the Location would be too long: refuse the form before anything is stored), or ERR_NOMEM. */
bool location_make(
	const struct naming *naming, const struct response *response, struct buf *out, struct error *err);

/* Appends path and query of a question to an application (config/authorize.h), however long. Each value is percent-encoded, and nothing of it
 * changed. False: ERR_BAD_REQUEST (a segment of the path would be "." or "..", or would be empty because its values are), or ERR_NOMEM. */
bool location_of_question(
	const struct naming *naming, const struct template *t, struct buf *out, struct error *err);

/* Appends path and query behind which the application is told of a form: the client's own (but no fragment, which is never sent), or as the
 * route has it. Results as above. */
bool location_of_form(const struct naming *naming, const struct app *app, struct buf *out, struct error *err);

#endif
