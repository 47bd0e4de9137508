// SPDX-License-Identifier: MIT
/* format.h - a body's format, as far as a head tells it: which routes take it, and whether a gateway can follow it. source.h has how
 * its bytes become parts. Each format is one constant, NAME_format, in the format.c of its folder, and one line of
 * sources.def. No other code asks which format a route has; it asks what the format says of itself.
 *
 * All of it is constant and pure, needs no library, and is linked into HAProxy's filter, too.
 */
#ifndef PENSTOCK_SOURCE_FORMAT_H
#define PENSTOCK_SOURCE_FORMAT_H

#include "base/error.h"
#include "base/str.h"
#include "config/route.h"

struct source_format {
	bool (*is_of)(const struct route *route); /* does the route take bodies of this format? */

	/* Of a request that the route takes: may a body with this Content-Type come in? Trimmed, said once; STR_NONE: there is
	 * none. False: ERR_MEDIA_TYPE. No allocation. */
	bool (*accepts)(struct str content_type, struct error *err);

	/* The body has delimiters and heads of parts in it that a gateway can look at while it passes (multipart/guard.h). */
	bool has_delimiters;
};

/* The one that the route takes. */
const struct source_format *source_format_of(const struct route *route);

/* All, in the order of sources.def; NULL at the end. formats.c has them. */
extern const struct source_format *const source_formats[];

#endif
