// SPDX-License-Identifier: MIT
/* app_names.h - the names that belong to the files which an application is told of. Pure.
 *
 * It is told of a stored file in a field of the file's own name, so a client must not be able to send a value that the application
 * takes for such a field. What reads forms and queries there does not compare names as they stand: PHP cuts "photo[x]" at the bracket,
 * drops blanks in front and a zero byte with all behind it, and reads '.', a blank and a '[' without its ']' as '_'; PHP and Rack merge
 * what they have cut. Rack before 3 drops brackets in front, and ends a name at any other, and qs drops a pair of them around it: "[photo]",
 * and of Rack "photo]", is "photo". So names are the same here if any of them could take the one for the other. Letter case counts, as it does
 * there.
 */
#ifndef PENSTOCK_APP_NAMES_H
#define PENSTOCK_APP_NAMES_H

#include "config/route.h"

/* Could an application take a field of this name (decoded) for one that a storing rule of the route makes? A rule whose name is a
 * glob reserves none: such a route has `form: json`, where values and files stand apart. A route without `app` reserves none. */
bool app_names_reserve(const struct route *route, struct str name);

/* Is the name of the rule a glob? */
bool app_names_is_glob(const struct rule *rule);

/* Could it take a value of the name `name` for one of the name `own`? Of an array ("user[name]") the other elements are not it. */
bool app_names_are_one(struct str name, struct str own);

#endif
