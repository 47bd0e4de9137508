// SPDX-License-Identifier: MIT
/* file_name.h - what a client's file name says, whichever system it comes from. Pure; views into the name. */
#ifndef PENSTOCK_FILE_NAME_H
#define PENSTOCK_FILE_NAME_H

#include "base/str.h"

#define FILE_NAME_EXTENSION_MAX 16u /* bytes; what is longer is none */

/* [any] What follows the last '/' or '\\', whichever a browser wrote: "C:\dir\a.txt" gives "a.txt". */
struct str file_name_base(struct str name);

bool file_name_is_extension(struct str s); /* [any] 1 to 16 ASCII letters and digits */

/* [any] What follows the last dot of the base, if it is an extension; else STR_NONE. */
struct str file_name_extension(struct str name);

#endif
