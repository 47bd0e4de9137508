// SPDX-License-Identifier: MIT
/* object_lines.h - what a rule says of its objects (config/object_head.h) and a part -> the type and the header lines of the delivery.
 * Nothing that a client says can end a line or a quoted text, or make one longer than it may be. */
#ifndef PENSTOCK_OBJECT_LINES_H
#define PENSTOCK_OBJECT_LINES_H

#include "part/naming.h"
#include "txn/delivery.h"

#define OBJECT_LINES_FILENAME_MAX                                                                                  \
	255 /* bytes of a file name, as UTF-8; what is longer is cut in front of its extension */

/* Sets type, lines, head and link_as of a new delivery, and what its order says of lines and of a link. `part`: its first one. False: ERR_RULE (more
 * metadata than the kind of destination takes: refuse the form), or ERR_NOMEM. */
bool object_lines_make(
	const struct naming *naming, const struct named_part *part, struct delivery *delivery, struct error *err);

/* Pure. Appends the value of a Content-Disposition by which a browser saves a file under that name (RFC 6266): `attachment`, then the
 * name without its folder in ASCII, and, where that is not all of it, in UTF-8. Without a name `attachment` alone. */
void object_lines_add_attachment(struct buf *out, struct str filename);

#endif
