// SPDX-License-Identifier: MIT
/* pattern_covers.c - see pattern.h: what can be said of patterns before any request has come. */
#include "config/pattern.h"

#include <string.h>

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && memcmp(s + n - m, end, m) == 0;
}

/* "*.a.org" covers "x.a.org", "*.x.a.org" and itself. */
bool
pattern_host_covers(const char *outer, const char *inner)
{
	return strcmp(outer, inner) == 0 || (outer[0] == '*' && ends_with(inner, outer + 1));
}

bool
pattern_path_covers(const struct path_pattern *outer, const struct path_pattern *inner)
{
	for (size_t i = 0;; i++) {
		bool outer_ended = i == outer->n_segments, inner_ended = i == inner->n_segments;

		if (!outer_ended && outer->segments[i].kind == SEGMENT_REST)
			return true; /* the rest may be empty */
		if (outer_ended || inner_ended)
			return outer_ended && inner_ended;
		if (inner->segments[i].kind == SEGMENT_REST)
			return false;
		if (outer->segments[i].kind == SEGMENT_ONE)
			continue;
		if (inner->segments[i].kind != SEGMENT_TEXT ||
			strcmp(outer->segments[i].text, inner->segments[i].text) != 0)
			return false;
	}
}

/* Of several, each has to be covered by one: what only some of them cover together is not looked for. */
static bool
has_host(const struct match *outer, const char *inner)
{
	for (size_t i = 0; i < outer->n_hosts; i++)
		if (pattern_host_covers(outer->hosts[i], inner))
			return true;
	return outer->n_hosts == 0;
}

static bool
hosts_cover(const struct match *outer, const struct match *inner)
{
	for (size_t i = 0; i < inner->n_hosts; i++)
		if (!has_host(outer, inner->hosts[i]))
			return false;
	return inner->n_hosts > 0 || outer->n_hosts == 0;
}

/* `inner` NULL: any path, as "/" and two asterisks has it. */
static bool
has_path(const struct match *outer, const struct path_pattern *inner)
{
	static struct path_segment rest = { SEGMENT_REST, NULL };
	static const struct path_pattern any = { .segments = &rest, .n_segments = 1 };

	for (size_t i = 0; i < outer->n_paths; i++)
		if (pattern_path_covers(&outer->paths[i], inner != NULL ? inner : &any))
			return true;
	return outer->n_paths == 0;
}

static bool
paths_cover(const struct match *outer, const struct match *inner)
{
	for (size_t i = 0; i < inner->n_paths; i++)
		if (!has_path(outer, &inner->paths[i]))
			return false;
	return inner->n_paths > 0 || has_path(outer, NULL);
}

static bool
has_method(const struct match *match, const char *method)
{
	for (size_t i = 0; i < match->n_methods; i++)
		if (strcmp(match->methods[i], method) == 0)
			return true;
	return false;
}

static bool
methods_cover(const struct match *outer, const struct match *inner)
{
	for (size_t i = 0; i < inner->n_methods; i++)
		if (!has_method(outer, inner->methods[i]))
			return false;
	return inner->n_methods > 0;
}

/* A wildcard takes no comma (route/named.h). */
static bool
value_covers(const struct named_pattern *outer, const struct named_pattern *inner)
{
	return str_count(str_of(outer->value), ',') == str_count(str_of(inner->value), ',') &&
		pattern_glob_covers(str_of(outer->value), str_of(inner->value));
}

static bool
is_narrower(const struct named_patterns *inner, const struct named_pattern *outer)
{
	for (size_t i = 0; i < inner->n; i++)
		if (strcmp(inner->items[i].name, outer->name) == 0)
			return value_covers(outer, &inner->items[i]);
	return false;
}

static bool
named_cover(const struct named_patterns *outer, const struct named_patterns *inner)
{
	for (size_t i = 0; i < outer->n; i++)
		if (!is_narrower(inner, &outer->items[i]))
			return false;
	return true;
}

bool
pattern_match_covers(const struct match *outer, const struct match *inner)
{
	return methods_cover(outer, inner) && hosts_cover(outer, inner) && paths_cover(outer, inner) &&
		named_cover(&outer->headers, &inner->headers) && named_cover(&outer->query, &inner->query);
}

/* glob_match() over the symbols of `inner`, where '*' of `inner` fits nothing but '*' of `outer`. */
bool
pattern_glob_covers(struct str outer, struct str inner)
{
	size_t o = 0, i = 0, star = SIZE_MAX, star_inner = 0;

	while (i < inner.len) {
		char c = inner.data[i];

		if (o < outer.len && outer.data[o] == '*') {
			star = o++;
			star_inner = i;
		} else if (o < outer.len && c != '*' && (outer.data[o] == '?' || outer.data[o] == c)) {
			o++;
			i++;
		} else if (star != SIZE_MAX) {
			o = star + 1;
			i = ++star_inner;
		} else {
			return false;
		}
	}
	while (o < outer.len && outer.data[o] == '*')
		o++;
	return o == outer.len;
}
