// SPDX-License-Identifier: MIT
/* pattern.h - the patterns of a route file: read them, and say whether one takes all that another takes.
 * Pure. x_covers() is never wrong when it says true; it may miss a cover that only a search would find.
 */
#ifndef PENSTOCK_PATTERN_H
#define PENSTOCK_PATTERN_H

#include "base/error.h"
#include "config/route.h"

#define PATTERN_SEGMENTS_MAX 64
#define PATTERN_WILDCARDS_MAX 32

/* A path pattern, as match.path has it, into the zeroed `path`. False: ERR_CONFIG, ERR_NOMEM; what was read so far stays in `path`.
 */
bool pattern_read_path(struct str text, struct path_pattern *path, struct error *err);

/* What was read so far. */
void pattern_free_path(struct path_pattern *path);

/* A host in lower case, "*.example.org", "[::1]", without the dot that may end a name. NULL: err says why. The caller
 * frees the copy. */
char *pattern_read_host(struct str text, struct error *err);

/* A name of labels, or an IPv6 address in brackets, in any case; neither wildcard nor port. What else a Host may be
 * (RFC 3986 has lists, blanks and percent signs in names) is no host that anybody is reached by. */
bool pattern_is_host(struct str s);

/* True if `name` is a token of RFC 9110 section 5.6.2. */
bool pattern_is_token(struct str name);

/* Is a segment "." or "..", also as %2e? Then what stands there lies elsewhere than it seems. */
bool pattern_is_dots(struct str segment);

/* Wildcards of the path: what {path.N} may count to. */
size_t pattern_wildcards(const struct path_pattern *path);

/* Does everything that fits `inner` also fit `outer`? */
bool pattern_match_covers(const struct match *outer, const struct match *inner);
bool pattern_host_covers(const char *outer, const char *inner);
bool pattern_path_covers(const struct path_pattern *outer, const struct path_pattern *inner);
bool pattern_glob_covers(struct str outer, struct str inner);

#endif
