// SPDX-License-Identifier: MIT
/* app_form.h - pure: a form whose bytes are away -> the body that its application gets (`app` of a route). Any thread.
 *
 * It has, in the order of the form, the values that rules with `forward` have taken, and what is known of each stored file. Other parts
 * are not in it.
 *
 *   APP_URLENCODED  application/x-www-form-urlencoded as browsers write it (WHATWG URL Standard section 5.2). Names and values are the
 *                   bytes that the client has sent. A stored file is a field of the file's own name whose value is its object.
 *   APP_JSON        {"route":"...","request_id":"...","fields":[{"name":"...","value":"..."},{"name":"...","file":{...}}]}; of a
 *                   rule that stores what it forwards, a field has both. app_form_schema() describes it.
 *
 * The object of a file has always the same keys, null where nothing is known:
 *
 *   name           the client's file name           type          the Content-Type that the client has sent
 *   detected_type  what its first bytes are         size          bytes of the part
 *   digests        {"sha256":"hex",...}, {} if none destination   its name in the route file
 *   target         name of the object there: below the folder, the URL or the bucket
 *   location       what the store says of where it is; of an object that is not visible yet null
 *   version        of the object, in a bucket that keeps versions; likewise
 *   part           number of the part in its form, from 1
 *   path           with `reveal_path` alone: where the file lies on this machine, else null
 *
 * In JSON each byte that is not UTF-8 is U+FFFD, as in the summary.
 */
#ifndef PENSTOCK_APP_FORM_H
#define PENSTOCK_APP_FORM_H

#include "base/str.h"
#include "part/parts.h"

struct app_form_of {
	const struct route *route; /* with an app */
	const struct parts *parts;
	struct str request_id;
};

/* Bytes that are taken at the most while it is made, all that is allocated for it included; `out` keeps no more than that. */
size_t app_form_most(const struct app_form_of *of);

/* Appends it to `out`, which has failed if memory ran out. */
void app_form_make(const struct app_form_of *of, struct buf *out);

const char *app_form_type(enum app_form form); /* Content-Type of the body */

/* JSON Schema (draft 2020-12) of what APP_JSON makes; ends with a newline. */
void app_form_schema(struct buf *out);

#endif
