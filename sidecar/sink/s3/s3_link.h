// SPDX-License-Identifier: MIT
/* s3_link.h - makes a link to an object: the URL of a GetObject that is signed in its query, so that it works for everybody. */
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
	unsigned lifetime_s; /* at least 1; lowered to what S3 takes, and to the life of the keys */
	time_t now;
};

/* [any] Pure. `link` must be zeroed; the caller frees its url after either result. False: err says why, for example that the keys
 * expire within this second. */
bool s3_link_make(
	const struct s3_link_wish *wish, const struct s3_keys *keys, struct order_link *link, struct error *err);

/* [any] Pure. Appends what the link asks for beside the object, as it stands in the query: "a=b&c=d", or nothing. */
void s3_link_add_query(const struct s3_link_wish *wish, struct buf *query);

#endif
