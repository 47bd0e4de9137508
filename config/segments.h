// SPDX-License-Identifier: MIT
/* segments.h - whether the segments of a template can stand in a name, whatever the values in them will be. Pure.
 *
 * No segment is empty, "." or "..": but the last one of a URL may be empty. For a URL a "%2F" or "%5C" ends a segment as
 * a '/' does, for a server that decodes it cuts there; and a "%25" with hex digits behind it, or with a value that may
 * begin with some, is refused: decoded twice it would be another byte. In a key any text stands for
 * itself, and "//" too. What values bring is sink/safe_name.h's to judge.
 */
#ifndef PENSTOCK_SEGMENTS_H
#define PENSTOCK_SEGMENTS_H

#include "config/template.h"

#define SEGMENTS_MARK                                                                                              \
	'\x01' /* one or more of these stand for a value; control bytes in the text were refused before */

#define SEGMENTS_KEY_MAX 1024 /* bytes of a key, unescaped */

/* `flat`: the template with marks in place of values. False: `err` says why (ERR_CONFIG). */
bool segments_check(struct str flat, enum template_style style, struct error *err);

#endif
