// SPDX-License-Identifier: MIT
/* naming.h - a template and a part -> the name under which the part's bytes are stored.
 *
 * Every value that a client can choose is made harmless as safe_name.h says. {file.name} is the name without any folder
 * ("C:\dir\a.txt" gives "a.txt"). {file.ext} is what follows its last dot if that is 1 to 16 ASCII letters and digits. If there
 * is no {file.ext}, or no {detected.ext}, a dot right before the placeholder is left out, too. Absent values count as empty.
 */
#ifndef PENSTOCK_NAMING_H
#define PENSTOCK_NAMING_H

#include "base/error.h"
#include "config/route.h"
#include "part/grants.h"
#include "route/head.h"
#include "route/match.h"
#include "sink/safe_name.h"
#include "source/source.h"

#include <time.h>

struct arrivals; /* part/arrivals.h */

/* What a request contributes to the names of its parts. Borrowed for the request's life. */
struct naming {
	const struct head *head;
	const struct match_result *match;
	struct str request_id;
	const struct grants *grants; /* of the application; NULL: nobody was asked */
	time_t started;              /* {date} */
	bool want_shown;             /* explain: each name is also made for showing */
};

/* A part, as far as names are made of it. */
struct named_part {
	const struct part_head *head;
	struct str detected_type;        /* what its first bytes are; STR_NONE: not looked at */
	const struct arrivals *arrivals; /* {field.NAME}: which values have come; NULL: none */
};

/* To be called before the body: does every header and query parameter from which the route makes names, metadata or its redirect
 * stand in the head at most once, and can it be read? If there are two, one may be a gateway's and one the client's, and they
 * cannot be told apart. False: ERR_BAD_REQUEST. */
bool naming_check(const struct naming *naming, const struct route *route, struct error *err);

/* Appends the name that the rule gives the part to `out`. False: ERR_RULE (too long, or refused by safe_name.h), or
 * ERR_NOMEM. */
bool naming_expand(const struct naming *naming, const struct rule *rule, const struct named_part *part,
	struct buf *out, struct error *err);

/* Appends a name that naming_expand() has made, but with {uuid}, {date:...} and {request_id} as they stand in the template, because
 * their values differ each time, and so is a {grant.NAME} that nobody has granted. False: ERR_NOMEM. */
bool naming_show(const struct naming *naming, const struct rule *rule, const struct named_part *part,
	struct buf *out, struct error *err);

/* Appends what the template makes of the part, without making it harmless: any byte may be in it. Absent values are empty.
 * False: ERR_NOMEM. */
bool naming_text(const struct naming *naming, const struct template *t, const struct named_part *part,
	struct buf *out, struct error *err);

#endif
