// SPDX-License-Identifier: MIT
/* match.c - see match.h. The path is cut and checked once, before any route is looked at; then each route is asked
 * in file order for host, path, headers, query and method. It does not say that a route can never match: check does (config/). */
#include "route/match.h"

#include "base/state.h"
#include "route/named.h"

#include <string.h>

/* -- the path ---------------------------------------------------------------------------------------- */

/* Checks a segment as it will be when decoded. */
static bool
check_segment(struct str segment, struct error *err)
{
	size_t n = 0, dots = 0;

	while (segment.len > 0) {
		int byte = percent_take(&segment);

		if (byte < 0)
			return error_set(err, ERR_BAD_REQUEST, "the path has a %% that is not an escape");
		if (byte < 0x20 || byte == 0x7f)
			return error_set(err, ERR_BAD_REQUEST, "the path has a dot segment or a control byte");
		dots += byte == '.';
		n++;
	}
	if (n == 0)
		return error_set(err, ERR_BAD_REQUEST, "the path has an empty segment");
	if (dots == n && n <= 2)
		return error_set(err, ERR_BAD_REQUEST, "the path has a dot segment or a control byte");
	return true;
}

static bool
cut_segments(struct path *path, struct error *err)
{
	struct str rest = path->encoded;

	for (;;) {
		const char *slash = memchr(rest.data, '/', rest.len);
		size_t n = slash != NULL ? (size_t)(slash - rest.data) : rest.len;

		if (path->n_segments == MATCH_SEGMENTS_MAX)
			return error_set(
				err, ERR_BAD_REQUEST, "the path has more than %d segments", MATCH_SEGMENTS_MAX);
		if (!check_segment((struct str){ rest.data, n }, err))
			return false;
		path->segments[path->n_segments++] = (struct str){ rest.data, n };
		if (slash == NULL)
			return true;
		rest = (struct str){ slash + 1, rest.len - n - 1 };
	}
}

bool
path_read(struct str encoded_path, struct path *path, struct error *err)
{
	struct str rest = encoded_path;

	*path = (struct path){ 0 };
	if (rest.len == 0 || rest.data[0] != '/')
		return error_set(err, ERR_BAD_REQUEST, "the request target has no path");
	if (rest.len > MATCH_PATH_MAX)
		return error_set(err, ERR_BAD_REQUEST, "the path is over %d bytes", MATCH_PATH_MAX);
	path->has_trailing_slash = rest.len > 1 && rest.data[rest.len - 1] == '/';
	path->encoded = (struct str){ rest.data + 1, rest.len - 1 - path->has_trailing_slash };
	return rest.len == 1 || cut_segments(path, err);
}

/* -- matching ---------------------------------------------------------------------------------------- */

static struct str
without_trailing_dot(struct str host)
{
	if (host.len > 0 && host.data[host.len - 1] == '.')
		host.len--;
	return host;
}

bool
match_host(const char *pattern, struct str host)
{
	struct str want = str_of(pattern);

	host = without_trailing_dot(host);
	if (want.len < 2 || want.data[0] != '*')
		return str_equal_nocase(want, host);
	want.data++; /* ".example.org" must be the end, with at least one byte before it */
	want.len--;
	if (host.len <= want.len)
		return false;
	return str_equal_nocase(want, (struct str){ host.data + host.len - want.len, want.len });
}

static void
capture(struct match_result *result, struct str value)
{
	if (result->n_captures < MATCH_CAPTURES_MAX)
		result->captures[result->n_captures++] = value;
}

static struct str
rest_from(const struct path *path, size_t i)
{
	const char *from;

	if (i >= path->n_segments)
		return STR("");
	from = path->segments[i].data;
	return (struct str){ from, path->encoded.len - (size_t)(from - path->encoded.data) };
}

static bool
is_text(struct str encoded, const char *text)
{
	while (encoded.len > 0 && *text != '\0')
		if (percent_take(&encoded) != (unsigned char)*text++)
			return false;
	return encoded.len == 0 && *text == '\0';
}

static bool
fits_path(const struct path_pattern *pattern, const struct path *path, struct match_result *result)
{
	size_t i = 0;

	result->n_captures = 0;
	for (; i < pattern->n_segments; i++) {
		const struct path_segment *segment = &pattern->segments[i];

		if (segment->kind == SEGMENT_REST) {
			capture(result, rest_from(path, i));
			return true;
		}
		if (i >= path->n_segments)
			return false;
		if (segment->kind == SEGMENT_ONE)
			capture(result, path->segments[i]);
		else if (!is_text(path->segments[i], segment->text))
			return false;
	}
	return i == path->n_segments && !path->has_trailing_slash;
}

static bool
takes_path(const struct match *match, const struct path *path, struct match_result *result)
{
	for (size_t i = 0; i < match->n_paths; i++)
		if (fits_path(&match->paths[i], path, result))
			return true;
	result->n_captures = 0;
	return match->n_paths == 0;
}

static bool
takes_host(const struct match *match, struct str host)
{
	for (size_t i = 0; i < match->n_hosts; i++)
		if (match_host(match->hosts[i], host))
			return true;
	return match->n_hosts == 0;
}

static bool
takes_method(const struct match *match, struct str method)
{
	for (size_t i = 0; i < match->n_methods; i++)
		if (str_is(method, match->methods[i]))
			return true;
	return false;
}

static bool
lists_method(const struct buf *allow, const char *method)
{
	struct str rest = buf_str(allow);
	size_t n = strlen(method);

	while (rest.len >= n) {
		const char *comma = memchr(rest.data, ',', rest.len);
		size_t word = comma != NULL ? (size_t)(comma - rest.data) : rest.len;

		if (word == n && memcmp(rest.data, method, n) == 0)
			return true;
		if (comma == NULL)
			return false;
		rest = (struct str){ comma + 2, rest.len - word - 2 };
	}
	return false;
}

static void
add_methods(const struct match *match, struct buf *allow)
{
	for (size_t i = 0; i < match->n_methods; i++) {
		if (lists_method(allow, match->methods[i]))
			continue;
		if (allow->len > 0)
			buf_add_text(allow, ", ");
		buf_add_text(allow, match->methods[i]);
	}
}

/* -- routes --------------------------------------------------------------------------------------------- */

/* What is asked of one route after another. */
struct question {
	const struct head *head;
	const struct path *path;
	struct str host;
};

static bool
takes_named(const struct match *match, const struct head *head, struct match_look *look)
{
	const struct named_pattern *header, *query;

	if (!named_is_clear(match, head, &look->error)) {
		look->miss = MATCH_UNCLEAR;
		return false;
	}
	header = named_header_misfit(match, head);
	query = header == NULL ? named_query_misfit(match, head) : NULL;
	if (header == NULL && query == NULL)
		return true;
	look->miss = header != NULL ? MATCH_HEADER : MATCH_QUERY;
	look->named = header != NULL ? header : query;
	return false;
}

static void
look_at(const struct question *q, const struct match *match, struct match_result *result, struct match_look *look)
{
	if (!takes_host(match, q->host))
		look->miss = MATCH_HOST;
	else if (!takes_path(match, q->path, result))
		look->miss = MATCH_PATH;
	else if (takes_named(match, q->head, look))
		look->miss = takes_method(match, q->head->method) ? MATCH_NOTHING : MATCH_METHOD;
}

/* All but the method. */
static bool
takes_place(const struct question *q, const struct match *match, struct match_look *look)
{
	struct match_result scratch;

	look_at(q, match, &scratch, look);
	return look->miss == MATCH_NOTHING || look->miss == MATCH_METHOD;
}

void
match_look_at(const struct route *route, const struct head *head, const struct path *path, struct match_look *look)
{
	struct question q = { head, path, head_host(head) };
	struct match_result scratch;

	*look = (struct match_look){ 0 };
	look_at(&q, &route->match, &scratch, look);
}

/* `seen`: a bit for each enum match_miss of the routes. */
static const struct route *
none(const struct head *head, unsigned seen, struct match_result *result, struct error *err)
{
	result->n_captures = 0;
	if ((seen & BIT(MATCH_METHOD)) != 0)
		error_set(err, ERR_METHOD, "this path does not take the method %.*s", STR_ARG(head->method));
	else if ((seen & (BIT(MATCH_HEADER) | BIT(MATCH_QUERY))) != 0)
		error_set(err, ERR_NO_ROUTE, "no route of this host and path takes these headers and this query");
	else
		error_set(err, ERR_NO_ROUTE, "no route takes this host and path");
	return NULL;
}

const struct route *
match_request(const struct config *config, const struct head *head, const struct path *path,
	struct match_result *result, struct error *err)
{
	struct question q = { head, path, head_host(head) };
	struct match_look look = { 0 };
	unsigned seen = 0;

	for (size_t i = 0; i < config->n_routes; i++) {
		look_at(&q, &config->routes[i].match, result, &look);
		if (look.miss == MATCH_NOTHING) {
			result->route = &config->routes[i];
			return result->route;
		}
		if (look.miss == MATCH_UNCLEAR) {
			result->n_captures = 0;
			*err = look.error;
			return NULL;
		}
		seen |= BIT(look.miss);
	}
	return none(head, seen, result, err);
}

const struct route *
match_place(const struct config *config, const struct head *head, const struct path *path,
	bool (*fits)(const struct route *route))
{
	struct question q = { head, path, head_host(head) };
	struct match_look look = { 0 };

	for (size_t i = 0; i < config->n_routes; i++)
		if (fits(&config->routes[i]) && takes_place(&q, &config->routes[i].match, &look))
			return &config->routes[i];
	return NULL;
}

void
match_allow(const struct config *config, const struct head *head, const struct path *path, struct buf *allow)
{
	struct question q = { head, path, head_host(head) };
	struct match_look look = { 0 };

	for (size_t i = 0; i < config->n_routes; i++)
		if (takes_place(&q, &config->routes[i].match, &look))
			add_methods(&config->routes[i].match, allow);
}
