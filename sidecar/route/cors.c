// SPDX-License-Identifier: MIT
/* cors.c - see cors.h. A browser writes an origin in one way only, so they are compared byte for byte. */
#include "route/cors.h"

#include "route/match.h"

#include <string.h>

bool
cors_is_on(const struct route *route)
{
	return route->cors.origins.n > 0;
}

/* -- preflights -------------------------------------------------------------------------------------- */

static bool
has_body(const struct head *head)
{
	struct str value;

	return head->header(head->arg, STR("transfer-encoding"), 0, &value) ||
		(head->header(head->arg, STR("content-length"), 0, &value) && !str_is(value, "0"));
}

struct str
cors_asked_method(const struct head *head)
{
	return head_only(head, "access-control-request-method");
}

bool
cors_is_preflight(const struct head *head)
{
	size_t method = str_is(head->method, "OPTIONS") ? cors_asked_method(head).len : 0;

	return method > 0 && method <= CORS_METHOD_MAX && head_only(head, "origin").len > 0 && !has_body(head);
}

const struct route *
cors_of_preflight(const struct config *config, const struct head *head)
{
	struct head asked = *head;
	struct match_result scratch = { 0 };
	struct error none = { 0 };
	struct path path;
	const struct route *route = NULL;

	if (!cors_is_preflight(head))
		return NULL;
	asked.method = cors_asked_method(head);
	if (path_read(head_path(head), &path, &none))
		route = match_request(config, &asked, &path, &scratch, &none);
	return route != NULL && cors_is_on(route) ? route : NULL;
}

const struct route *
cors_of_refusal(const struct config *config, const struct head *head)
{
	const struct route *route = cors_of_preflight(config, head);
	struct match_result scratch = { 0 };
	struct error none = { 0 };
	struct path path;

	if (route != NULL || !path_read(head_path(head), &path, &none))
		return route;
	route = match_request(config, head, &path, &scratch, &none);
	if (route == NULL)
		return match_place(config, head, &path, cors_is_on);
	return cors_is_on(route) ? route : NULL;
}

/* -- origins ------------------------------------------------------------------------------------------- */

static bool
is_host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* What a star stands for: labels of a name, and a dot behind them stands in the pattern. */
static bool
is_labels(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_host_byte(s.data[i]) || (s.data[i] == '.' && (i == 0 || s.data[i - 1] == '.')))
			return false;
	return s.len > 0 && s.data[s.len - 1] != '.';
}

/* `star` is where it stands in the pattern. */
static bool
fits_star(struct str pattern, size_t star, struct str origin)
{
	size_t behind = pattern.len - star - 1;

	if (origin.len <= star + behind || memcmp(origin.data, pattern.data, star) != 0 ||
		memcmp(origin.data + origin.len - behind, pattern.data + star + 1, behind) != 0)
		return false;
	return is_labels((struct str){ origin.data + star, origin.len - star - behind });
}

static bool
fits(const char *pattern, struct str origin)
{
	struct str whole = str_of(pattern);
	const char *star = strchr(pattern, '*');

	return star != NULL ? fits_star(whole, (size_t)(star - pattern), origin) : str_equal(whole, origin);
}

struct str
cors_allowed(const struct cors *cors, const struct head *head)
{
	struct str origin = head_only(head, "origin");

	if (origin.len == 0 || origin.len > CORS_ORIGIN_MAX || str_is(origin, "null"))
		return STR_NONE;
	for (size_t i = 0; i < cors->origins.n; i++) {
		if (str_is(str_of(cors->origins.items[i]), "*"))
			return STR("*");
		if (fits(cors->origins.items[i], origin))
			return origin;
	}
	return STR_NONE;
}
