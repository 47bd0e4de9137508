// SPDX-License-Identifier: MIT
/* s3_link.h - a link to an object: GetObject, signed in its query, for whoever has the URL. */
#ifndef PENSTOCK_S3_LINK_H
#define PENSTOCK_S3_LINK_H

#include "sink/order.h"

#include <time.h>

struct s3_keys;
struct s3_settings;

bool s3_link(const struct order *order, struct order_link *link, struct error *err); /* as sink.h has it */

/* Borrowed. */
struct s3_link_wish {
	const struct s3_settings *to;
	const char *target;  /* '/' and the key, escaped */
	const char *version; /* of the object; NULL or "": whichever is the newest when the link is followed */
	const char *as;      /* the Content-Disposition of the answer; NULL: the object's own */
	unsigned lifetime_s; /* at least 1; what is more than S3 or the keys bear is made less */
	time_t now;
};

/* [any] Pure. `link` is zeroed; its url is the caller's to free after either result. False: err says why; keys that expire
 * within this second sign none. */
bool s3_link_make(
	const struct s3_link_wish *wish, const struct s3_keys *keys, struct order_link *link, struct error *err);

/* [any] Pure. What the link asks for beside the object, appended as it stands in the query: "a=b&c=d", or nothing. */
void s3_link_add_query(const struct s3_link_wish *wish, struct buf *query);

#endif
