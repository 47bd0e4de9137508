// SPDX-License-Identifier: MIT
/* check_needs.h - the part of check.h that is about fields on which other fields wait: that each can come, that it can come in time, and
 * that no name is made of a field which may be missing. */
#ifndef PENSTOCK_CHECK_NEEDS_H
#define PENSTOCK_CHECK_NEEDS_H

#include "config/loading.h"

void check_needs(struct loading *l, size_t route);

#endif
