// SPDX-License-Identifier: MIT
/* needed.c - see needed.h. A route needs a handful of fields, so they are looked through one after the other. */
#include "config/needed.h"

const struct needed *
needed_find(const struct route *route, struct str name)
{
	for (size_t i = 0; i < route->n_needed; i++)
		if (str_is(name, route->needed[i].name))
			return &route->needed[i];
	return NULL;
}
