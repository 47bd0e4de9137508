// SPDX-License-Identifier: MIT
/* media_type.h - a media type as a header line has it (RFC 9110 section 8.3.1): type "/" subtype, and parameters, which
 * are left out. Pure. */
#ifndef PENSTOCK_MEDIA_TYPE_H
#define PENSTOCK_MEDIA_TYPE_H

#include "base/str.h"

/* [any] "image/png; a=b" gives "image/png", a view. STR_NONE: it is no media type, or more than one. */
struct str media_type_essence(struct str s);

#endif
