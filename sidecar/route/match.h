// SPDX-License-Identifier: MIT
/* match.h - which route takes a request. Pure, any thread; nothing is allocated but by match_allow().
 *
 * A trailing slash counts: "/upload/" is not "/upload", and only "**" matches it. "*" matches one segment, never an
 * empty one; "**" matches any rest, also none: behind "/a" it makes "/a", "/a/" and "/a/b/c" match.
 * The path is cut at '/' first, and its segments are compared after they were decoded. So %2F is a byte of a segment and never
 * a separator. A path with an empty segment in the middle, a "." or ".." segment (encoded or not), a broken
 * %XX, or a control byte is refused for all routes: two parsers could read it differently.
 */
#ifndef PENSTOCK_MATCH_H
#define PENSTOCK_MATCH_H

#include "base/error.h"
#include "config/route.h"
#include "route/head.h"

/* Bytes of a path, encoded. */
#define MATCH_PATH_MAX 2047
#define MATCH_SEGMENTS_MAX 64
#define MATCH_CAPTURES_MAX 32

/* A request's path, cut but still encoded: views into what path_read() was given. */
struct path {
	struct str encoded; /* without the slash at either end */
	struct str segments[MATCH_SEGMENTS_MAX];
	size_t n_segments;
	bool has_trailing_slash; /* "/a/" is not "/a"; only "**" matches it */
};

/* What matched. `captures` are what each wildcard of match.path matched, in order; for "**" the rest with the slashes in
 * it (empty if nothing was left). They are views into the path, still percent-encoded, and sure to decode. */
struct match_result {
	const struct route *route;
	struct str captures[MATCH_CAPTURES_MAX];
	size_t n_captures;
};

/* False: ERR_BAD_REQUEST. */
bool path_read(struct str encoded_path, struct path *path, struct error *err);

/* What of a route a request misses first, in the order in which it is looked at. */
enum match_miss {
	MATCH_NOTHING, /* the route takes it */
	MATCH_HOST,
	MATCH_PATH,
	MATCH_UNCLEAR, /* a header or parameter that the route names can be read in two ways (named.h) */
	MATCH_HEADER,
	MATCH_QUERY,
	MATCH_METHOD,
};

struct match_look {
	enum match_miss miss;
	const struct named_pattern *named; /* with MATCH_HEADER and MATCH_QUERY */
	struct error error;                /* with MATCH_UNCLEAR */
};

void match_look_at(
	const struct route *route, const struct head *head, const struct path *path, struct match_look *look);

/* First route in file order that takes the request. NULL: ERR_BAD_REQUEST if a route was come to for which it is unclear;
 * ERR_METHOD if all of some route fits but its methods; else ERR_NO_ROUTE. Methods compare by case. */
const struct route *match_request(const struct config *config, const struct head *head, const struct path *path,
	struct match_result *result, struct error *err);

/* The same, whatever the method, of the routes for which `fits` says yes. NULL: there is none. */
const struct route *match_place(const struct config *config, const struct head *head, const struct path *path,
	bool (*fits)(const struct route *route));

/* The methods of all routes of which all else fits, as an Allow value ("POST, PUT", no duplicates). Check
 * allow->failed: half an Allow would be a wrong one. */
void match_allow(const struct config *config, const struct head *head, const struct path *path, struct buf *allow);

/* Does `host` (from the request, any case, without port, one final dot ignored) fit the pattern of a route?
 * "*.example.org" fits any name below it, not example.org itself. IPv6 literals stand in brackets
 * and compare as text, not by their value. */
bool match_host(const char *pattern, struct str host);

#endif
