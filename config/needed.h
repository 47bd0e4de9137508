// SPDX-License-Identifier: MIT
/* needed.h - the fields of a form that rules of its route need (`needs`). Pure. */
#ifndef PENSTOCK_NEEDED_H
#define PENSTOCK_NEEDED_H

#include "config/route.h"

#define NEEDED_VALUE_MAX 256u /* bytes of a value of which names are made */

/* NULL: no rule of the route needs a field of this name. */
const struct needed *needed_find(const struct route *route, struct str name);

#endif
