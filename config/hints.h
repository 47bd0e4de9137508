// SPDX-License-Identifier: MIT
/* hints.h - what somebody who is new to route files most likely meant, and what to write instead. Pure. */
#ifndef PENSTOCK_HINTS_H
#define PENSTOCK_HINTS_H

#include "config/diag.h"
#include "config/keys.h"

/* Where libyaml gave up and why, in its words, and where the thing that it was reading begins. */
struct broken_yaml {
	const char *problem, *context; /* not NULL */
	struct spot at;
	struct spot begun; /* source NULL: not known */
};

/* A sentence that says what to do; "" if none is known. It is constant, or lies in `out`, which the caller frees. */
const char *hints_of_syntax(const struct broken_yaml *broken, struct buf *out);

/* What to write instead of `key`, which this table does not have and another system may call so; NULL: not known. */
const char *hints_of_key(const struct key_table *table, struct str key);

#endif
