// SPDX-License-Identifier: MIT
/* grants.h - what an application has granted to one upload, by the answer that let it in: values for {grant.NAME}, and limits that
 * are narrower than the route's.
 *
 *   Penstock-Grant-<NAME>: value      NAME in any letter case, '-' and '_' being one
 *   Penstock-Limit-Body: bytes        Penstock-Limit-Parts: count        Penstock-Limit-Rate: bytes a second
 *
 * Any thread. */
#ifndef PENSTOCK_GRANTS_H
#define PENSTOCK_GRANTS_H

#include "base/error.h"
#include "base/str.h"
#include "config/route.h"

struct app_answer; /* sink/question.h */

struct grant {
	const char *name; /* of route->authorize.grants */
	struct str value; /* STR_NONE: not granted */
};

struct grants { /* zeroed: nothing was granted, and nothing is narrower */
	struct grant *list;
	size_t n;
	bool has_body, has_parts, has_rate;
	uint64_t body, parts, rate; /* if so; a rate is not 0 */
	struct buf text;            /* that the values are in */
};

/* What the answer grants to an upload of this route. False: ERR_UPSTREAM, or ERR_NOMEM; it lacks a grant of which the route makes
 * something, has one twice, or has a limit that cannot be read or is not known. */
bool grants_take(
	struct grants *grants, const struct route *route, const struct app_answer *answer, struct error *err);

/* The same of texts "name=value", for `penstock explain`; no name has to be there. False: ERR_CONFIG, or ERR_NOMEM. */
bool grants_give(
	struct grants *grants, const struct route *route, const char *const *texts, size_t n, struct error *err);

/* What was granted under this name; STR_NONE: nothing, also of NULL. */
struct str grants_value(const struct grants *grants, const char *name);

/* The route's limit, or the narrower one. `grants` may be NULL. */
uint64_t grants_body(const struct grants *grants, const struct route *route);
uint64_t grants_parts(const struct grants *grants, const struct route *route);

/* Bytes a second of this upload alone, beside those of its route and client; LIMIT_NONE: none was granted. */
uint64_t grants_rate(const struct grants *grants);

/* An error of a limit that was narrowed says who has narrowed it. */
void grants_name_limit(const struct grants *grants, const struct route *route, struct error *err);

void grants_free(struct grants *grants); /* back to the zeroed state */

#endif
