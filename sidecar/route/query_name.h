// SPDX-License-Identifier: MIT
/* query_name.h - the name of a query parameter as what reads queries in applications may have it (config/app_names.h). Pure, any thread, no
 * allocation. */
#ifndef PENSTOCK_QUERY_NAME_H
#define PENSTOCK_QUERY_NAME_H

#include "base/str.h"

#define QUERY_NAME_MAX                                                                                             \
	1024u /* bytes; a rule's name has at most 256, and of a longer one what is cut off would be cut at a bracket */

/* `encoded` decoded into `to`, for app_names.h to compare. */
struct str query_name_read(struct str encoded, char to[static QUERY_NAME_MAX]);

/* Has the query more than one parameter that an application could take for the one of this name? */
bool query_name_is_shared(struct str query, struct str name);

#endif
