// SPDX-License-Identifier: MIT
/* named.c - see named.h. */
#include "route/named.h"

#include <string.h>

/* -- clear or not ------------------------------------------------------------------------------------ */

static bool
is_single(const struct head *head, const char *header, struct error *err)
{
	struct str second;

	return !head->header(head->arg, str_of(header), 1, &second) ||
		error_set(err, ERR_BAD_REQUEST, "more than one header %s, by which a route is chosen", header);
}

static bool
is_clear_query(struct str query, struct error *err)
{
	if (query.len > NAMED_QUERY_MAX)
		return error_set(err, ERR_BAD_REQUEST, "the query, by which a route is chosen, is over %d bytes",
			NAMED_QUERY_MAX);
	if (query.len > 0 && memchr(query.data, ';', query.len) != NULL)
		return error_set(err, ERR_BAD_REQUEST,
			"the query, by which a route is chosen, has a ';' that is not written %%3B");
	return true;
}

bool
named_is_clear(const struct match *match, const struct head *head, struct error *err)
{
	for (size_t i = 0; i < match->headers.n; i++)
		if (!is_single(head, match->headers.items[i].name, err))
			return false;
	if (match->query.n > 0 && !is_clear_query(head_query(head), err))
		return false;
	for (size_t i = 0; i < match->query.n; i++)
		if (!head_query_is_clear(head, str_of(match->query.items[i].name), err))
			return false;
	return true;
}

/* -- does it fit? -------------------------------------------------------------------------------------- */

/* Where both have as many commas, each of the value's is met by one of the pattern's, and none by a wildcard. */
static bool
fits(const struct named_pattern *named, struct str value)
{
	struct str pattern = str_of(named->value);

	return value.len > 0 && value.len <= NAMED_VALUE_MAX && !str_has_control(value) &&
		str_count(pattern, ',') == str_count(value, ',') && glob_match(pattern, value);
}

const struct named_pattern *
named_header_misfit(const struct match *match, const struct head *head)
{
	for (size_t i = 0; i < match->headers.n; i++)
		if (!fits(&match->headers.items[i], head_header(head, match->headers.items[i].name)))
			return &match->headers.items[i];
	return NULL;
}

/* One byte more than may be shows that there are more. */
static struct str
decode(struct str encoded, char to[static NAMED_VALUE_MAX + 1])
{
	size_t n = 0;

	while (encoded.len > 0 && n <= NAMED_VALUE_MAX) {
		bool is_plus = encoded.data[0] == '+';
		int byte = percent_take(&encoded);

		if (byte < 0)
			return STR_NONE;
		to[n++] = is_plus ? ' ' : (char)(unsigned char)byte;
	}
	return (struct str){ to, n };
}

const struct named_pattern *
named_query_misfit(const struct match *match, const struct head *head)
{
	char decoded[NAMED_VALUE_MAX + 1];

	for (size_t i = 0; i < match->query.n; i++) {
		const struct named_pattern *named = &match->query.items[i];

		if (!fits(named, decode(head_query_encoded(head, str_of(named->name)), decoded)))
			return named;
	}
	return NULL;
}
