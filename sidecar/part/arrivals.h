// SPDX-License-Identifier: MIT
/* arrivals.h - which of the fields that rules of the route need (config/needed.h) a form has brought, and their values.
 *
 * Nobody could tell which of two values is meant, and an application might take another one than the name of an object was made of. So a
 * form has one of each, wherever it stands; a file of such a name is refused as well, and so is a value that the application gets and might
 * read as one of that name (config/app_names.h). One thread. */
#ifndef PENSTOCK_ARRIVALS_H
#define PENSTOCK_ARRIVALS_H

#include "base/error.h"
#include "base/str.h"
#include "config/route.h"

struct part; /* part/parts.h */

struct arrivals {
	const struct route *route;
	const struct part **came; /* by route->needed; NULL: has not come */
};

bool arrivals_init(struct arrivals *arrivals, const struct route *route); /* false: out of memory */
void arrivals_fini(struct arrivals *arrivals);                            /* also of a zeroed one */

/* Has each field come that the rule needs? NULL: yes; else the name of the first one that has not. */
const char *arrivals_missing(const struct arrivals *arrivals, const struct rule *rule);

/* A part begins; it is borrowed for the life of `arrivals`. False: ERR_RULE; err says why the form may not have it, in a sentence without the
 * field's name. */
bool arrivals_note(struct arrivals *arrivals, struct part *part, struct error *err);

/* What the field has brought; STR_NONE: nothing, also of NULL. */
struct str arrivals_value(const struct arrivals *arrivals, const char *name);

#endif
