// SPDX-License-Identifier: MIT
/* mhd_query.c - see mhd_query.h. */
#include "http/mhd_query.h"

#include <string.h>

void
mhd_query_drop(const char *target)
{
	char *query = strchr(target, '?');

	if (query != NULL)
		query[1] = '\0';
}
