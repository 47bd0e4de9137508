// SPDX-License-Identifier: MIT
/* type_extension.h - the extension that files of a media type usually have, for {detected.ext}. Pure. */
#ifndef PENSTOCK_TYPE_EXTENSION_H
#define PENSTOCK_TYPE_EXTENSION_H

#include "base/str.h"

/* [any] Without the dot, in lower case. `type` as libmagic says it, without parameters, in any case. STR_NONE: none is known. */
struct str type_extension(struct str type);

#endif
