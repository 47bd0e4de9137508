// SPDX-License-Identifier: MIT
/* route_match.h - a part of route.h: which requests a route takes. */
#ifndef PENSTOCK_ROUTE_MATCH_H
#define PENSTOCK_ROUTE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

enum segment_kind { SEGMENT_TEXT, SEGMENT_ONE, SEGMENT_REST }; /* text, "*", "**" (last only) */

struct path_segment {
	enum segment_kind kind;
	char *text; /* decoded; NULL unless SEGMENT_TEXT */
};

struct path_pattern {
	struct path_segment *segments; /* of "/albums/x/photos": three; none: "/" alone */
	size_t n_segments;
	char *source; /* as written */
};

/* A header or query parameter that a request has to have, and what its value has to look like. */
struct named_pattern {
	char *name;  /* of a header in lower case */
	char *value; /* a glob with '*' and '?'; how it is compared: route/named.h */
};

struct named_patterns {
	struct named_pattern *items;
	size_t n;
};

/* Which requests a route takes: those that fit one host, path and method, each header and each parameter. */
struct match {
	char **hosts; /* lower case; "*.example.org" takes any name below it; none: any host */
	size_t n_hosts;
	struct path_pattern *paths; /* the first that fits says what wildcards took; none: any path */
	size_t n_paths;
	char **methods; /* as written, upper case; POST alone where none is given */
	size_t n_methods;
	struct named_patterns headers, query;
	bool is_broken; /* some of it could not be read, which was reported */
};

#endif
