// SPDX-License-Identifier: MIT
/* naming.h - a template and a part -> the name under which the part's bytes come to lie.
 *
 * Every value that a client can choose goes through safe_name.h, which has the rule. {file.name} is the name without any
 * folder ("C:\dir\a.txt" gives "a.txt"). {file.ext} is what follows its last dot if that is 1 to 16 ASCII letters and
 * digits; where there is none, a dot right before the placeholder goes too, and so it is with {detected.ext}. Values that are absent count as empty.
 */
#ifndef PENSTOCK_NAMING_H
#define PENSTOCK_NAMING_H

#include "base/error.h"
#include "config/route.h"
#include "route/head.h"
#include "route/match.h"
#include "sink/safe_name.h"
#include "source/source.h"

#include <time.h>

/* What a request contributes to the names of its parts. Borrowed for the request's life. */
struct naming {
	const struct head *head;
	const struct match_result *match;
	struct str request_id;
	time_t started;  /* {date} */
	bool want_shown; /* explain: each name is also made for showing */
};

/* A part, as far as names are made of it. */
struct named_part {
	const struct part_head *head;
	struct str detected_type; /* what its first bytes are; STR_NONE: nobody has looked */
};

/* Before the body: every header and query parameter of which some name or metadata of the route, or its redirect, is made stands there once, and can
 * be read. Of two a gateway may have added one, and nobody knows which. False: ERR_BAD_REQUEST. */
bool naming_check(const struct naming *naming, const struct route *route, struct error *err);

/* Appends the name that the rule gives the part to `out`. False: ERR_RULE (too long, or refused by safe_name.h), or
 * ERR_NOMEM. */
bool naming_expand(const struct naming *naming, const struct rule *rule, const struct named_part *part,
	struct buf *out, struct error *err);

/* The same with {uuid}, {date:...} and {request_id} as they stand in the template, since they differ each time; of a name
 * that naming_expand() has made. False: ERR_NOMEM. */
bool naming_show(const struct naming *naming, const struct rule *rule, const struct named_part *part,
	struct buf *out, struct error *err);

/* Appends what the template makes of the part, as it is: any byte may be in it, and absent values are empty. False:
 * ERR_NOMEM. */
bool naming_text(const struct naming *naming, const struct template *t, const struct named_part *part,
	struct buf *out, struct error *err);

#endif
