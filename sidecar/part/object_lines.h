// SPDX-License-Identifier: MIT
/* object_lines.h - what a rule says of its objects (config/object_head.h) and a part -> the type and the header lines of the
 * delivery. No text of a client's can end a line or a quoted text in it, or make a line too long. */
#ifndef PENSTOCK_OBJECT_LINES_H
#define PENSTOCK_OBJECT_LINES_H

#include "part/naming.h"
#include "txn/delivery.h"

#define OBJECT_LINES_FILENAME_MAX                                                                                  \
	255 /* bytes of a file name, as UTF-8; a longer one is cut in front of its extension */

/* Sets type, lines, head and link_as of a new delivery, and lines and link of its order. `part`: its first one. False: ERR_RULE
 * (more metadata than the kind of destination takes: refuse the form), or ERR_NOMEM. */
bool object_lines_make(
	const struct naming *naming, const struct named_part *part, struct delivery *delivery, struct error *err);

/* Pure. Appends the value of a Content-Disposition by which a browser saves a file under that name (RFC 6266): `attachment`, the
 * name without its folder in ASCII, and the same in UTF-8 if ASCII cannot say all of it. Without a name `attachment` alone. */
void object_lines_add_attachment(struct buf *out, struct str filename);

#endif
