// SPDX-License-Identifier: MIT
/* naming.h - a template and a part -> the name under which the part's bytes come to lie.
 *
 * Every value that a client can choose is escaped for the place where it stands and can never leave its
 * path segment:
 *   http       everything but unreserved characters becomes %XX (RFC 3986 section 2.1)
 *   directory  '/', '\\', '%', control bytes and bytes that are not UTF-8 become %XX; a segment that would begin with
 *              ".penstock-" (any case) begins with '_' instead of the dot
 *   both       a segment that would be empty becomes "_"; in "." and ".." the dots become '_'
 * {file.name} is the name without any folder ("C:\dir\a.txt" gives "a.txt"). {file.ext} is what follows its
 * last dot if that is 1 to 16 ASCII letters and digits; where there is none, a dot right before the
 * placeholder goes too. Values that are absent count as empty.
 */
#ifndef PENSTOCK_NAMING_H
#define PENSTOCK_NAMING_H

#include "base/error.h"
#include "config/route.h"
#include "form/form.h"
#include "route/head.h"
#include "route/match.h"

#include <time.h>

#define NAMING_SEGMENT_MAX 255 /* bytes, of a file name (NAME_MAX) */
#define NAMING_TARGET_MAX 2048 /* bytes */

/* What a request contributes to the names of its parts. Borrowed for the request's life. */
struct naming {
	const struct head *head;
	const struct match_result *match;
	struct str request_id;
	time_t started;    /* {date} */
	bool show_runtime; /* explain: {uuid}, {date:...} and {request_id} are shown as they stand */
};

/* Appends the target to `out`. False: ERR_RULE (the name would be too long), or ERR_NOMEM. */
bool naming_expand(const struct naming *naming, const struct template *template, enum destination_type type,
	const struct part_head *part, struct buf *out, struct error *err);

/* A random UUID, version 4, 36 characters and a NUL. */
void naming_uuid(char out[37]);

#endif
