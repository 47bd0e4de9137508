// SPDX-License-Identifier: MIT
/* detector.h - tells what bytes are, by libmagic's database, and by nothing that a client says of them. It does so in this process:
 * it asks no other program, unpacks nothing, and opens no file but the database.
 *
 * A detector belongs to one thread. The database is mapped, so a second detector costs next to nothing. */
#ifndef PENSTOCK_DETECTOR_H
#define PENSTOCK_DETECTOR_H

#include "base/error.h"
#include "base/str.h"

struct detector;

/* NULL: ERR_SYSTEM (the database cannot be read; err names it), or ERR_NOMEM. */
struct detector *detector_new(struct error *err);

void detector_free(struct detector *detector); /* NULL is fine */

/* The media type of bytes with which a file begins (or which are all of it), as `file --mime-type` says it; no bytes are
 * application/x-empty. Valid until the next call. NULL: ERR_INTERNAL. */
const char *detector_type(struct detector *detector, struct str first, struct error *err);

/* The version of the libmagic that runs: 544 is 5.44. */
int detector_library_version(void);

#endif
