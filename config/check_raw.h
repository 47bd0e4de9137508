// SPDX-License-Identifier: MIT
/* check_raw.h - the part of check.h that is about routes whose bodies are one file (`body: { raw: NAME }`). */
#ifndef PENSTOCK_CHECK_RAW_H
#define PENSTOCK_CHECK_RAW_H

#include "config/loading.h"

/* Does nothing for other routes. */
void check_raw(struct loading *l, size_t route);

#endif
