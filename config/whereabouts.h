// SPDX-License-Identifier: MIT
/* whereabouts.h - where a destination really is, in one spelling. Two destinations may be one place, or one may lie within the other:
 * then two parts of a form must not get the same name there. */
#ifndef PENSTOCK_WHEREABOUTS_H
#define PENSTOCK_WHEREABOUTS_H

#include "config/route.h"

/* Sets `at` of each destination that could be read (see struct destination). `elsewhere`: they are served on another
 * machine, and this one's file system is not asked. False: out of memory. */
bool whereabouts_find(struct config *config, bool elsewhere);

/* Would both rules give the same name in the same place, as far as their templates show? *same: the answer. False: out of
 * memory. */
bool whereabouts_rules_meet(const struct rule *a, const struct rule *b, bool *same);

/* For a kind's `place`: a URL as a server would compare it, and a path without links, "." and "..". */
void whereabouts_add_url(struct buf *out, const char *url);
void whereabouts_add_path(struct buf *out, const char *path);

#endif
