// SPDX-License-Identifier: MIT
/* head.c - see head.h. Nothing here trusts the head: a target may be anything that has no blank in it.
 *
 * It only cuts and decodes, and knows what a host is; decide/ and match.c say whether a head may be used. */
#include "route/head.h"

#include "config/pattern.h"
#include "route/query_name.h"

#include <string.h>

/* Where the path begins: an absolute-form target ("http://host/path", RFC 9112 section 3.2.2) has an
 * authority before it. */
static struct str
without_authority(struct str target, struct str *authority)
{
	struct str rest;
	size_t skip, n = 0;

	*authority = STR_NONE;
	if (str_starts_nocase(target, "http://"))
		skip = 7;
	else if (str_starts_nocase(target, "https://"))
		skip = 8;
	else
		return target;
	rest = (struct str){ target.data + skip, target.len - skip };
	while (n < rest.len && rest.data[n] != '/' && rest.data[n] != '?' && rest.data[n] != '#')
		n++;
	*authority = (struct str){ rest.data, n };
	return (struct str){ rest.data + n, rest.len - n };
}

static size_t
find_byte(struct str s, char c)
{
	const char *at = s.len > 0 ? memchr(s.data, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.data) : s.len;
}

struct str
head_path(const struct head *head)
{
	struct str authority, rest = without_authority(head->target, &authority);
	size_t query = find_byte(rest, '?'), fragment = find_byte(rest, '#');

	rest.len = query < fragment ? query : fragment;
	return rest.len == 0 && authority.data != NULL ? STR("/") : rest;
}

struct str
head_query(const struct head *head)
{
	struct str authority, rest = without_authority(head->target, &authority);
	size_t query = find_byte(rest, '?'), fragment = find_byte(rest, '#');

	if (query >= fragment)
		return STR_NONE;
	return (struct str){ rest.data + query + 1, fragment - query - 1 };
}

struct str
head_header(const struct head *head, const char *name)
{
	struct str value;

	return head->header(head->arg, str_of(name), 0, &value) ? value : STR_NONE;
}

struct str
head_only(const struct head *head, const char *name)
{
	struct str second;

	return head->header(head->arg, str_of(name), 1, &second) ? STR_NONE : head_header(head, name);
}

static struct str
without_port(struct str host)
{
	size_t n = host.len;

	while (n > 0 && host.data[n - 1] >= '0' && host.data[n - 1] <= '9')
		n--;
	if (n > 0 && host.data[n - 1] == ':')
		host.len = n - 1;
	return host;
}

/* uri-host [ ":" port ], of which the port may be empty (RFC 9110 section 7.2). */
static bool
is_sound(struct str host)
{
	struct str name = without_port(host);

	if (host.len - name.len > sizeof ":65535" - 1)
		return false;
	if (name.len > 1 && name.data[name.len - 1] == '.')
		name.len--;
	return pattern_is_host(name);
}

bool
head_has_sound_hosts(const struct head *head)
{
	struct str authority, host = head_header(head, "host");

	without_authority(head->target, &authority);
	return (host.len == 0 || is_sound(host)) && (authority.data == NULL || is_sound(authority));
}

struct str
head_host(const struct head *head)
{
	struct str authority, host;

	without_authority(head->target, &authority);
	host = authority.data != NULL ? authority : head_header(head, "host");
	return host.data != NULL ? without_port(host) : STR_NONE;
}

int
percent_take(struct str *s)
{
	int high, low, byte = (unsigned char)s->data[0];
	size_t n = 1;

	if (byte == '%') {
		if (s->len < 3)
			return -1;
		high = str_hex_value(s->data[1]);
		low = str_hex_value(s->data[2]);
		if (high < 0 || low < 0 || high + low == 0)
			return -1;
		byte = high * 16 + low;
		n = 3;
	}
	*s = (struct str){ s->data + n, s->len - n };
	return byte;
}

bool
percent_decode(struct str s, bool plus_is_blank, struct buf *out)
{
	while (s.len > 0) {
		bool is_plus = s.data[0] == '+';
		int byte = percent_take(&s);

		if (byte < 0)
			return false;
		buf_add_char(out, is_plus && plus_is_blank ? ' ' : (char)byte);
	}
	return true;
}

static bool
is_key(struct str encoded, struct str name)
{
	while (encoded.len > 0 && name.len > 0) {
		bool is_plus = encoded.data[0] == '+';
		int byte = percent_take(&encoded);

		if ((is_plus ? ' ' : byte) != (unsigned char)name.data[0])
			return false;
		name = (struct str){ name.data + 1, name.len - 1 };
	}
	return encoded.len == 0 && name.len == 0;
}

/* The next pair of `query` with that key, its value still encoded. False: there is none left. */
static bool
next_pair(struct str *query, struct str name, struct str *value)
{
	while (query->data != NULL && query->len > 0) {
		size_t n = find_byte(*query, '&'), eq;
		struct str pair = { query->data, n };

		eq = find_byte(pair, '=');
		n += n < query->len;
		*query = (struct str){ query->data + n, query->len - n };
		if (!is_key((struct str){ pair.data, eq }, name))
			continue;
		eq += eq < pair.len;
		*value = (struct str){ pair.data + eq, pair.len - eq };
		return true;
	}
	return false;
}

/* Appends all of the value, or nothing. */
static bool
add_decoded(struct str encoded, struct buf *out)
{
	size_t before = out->len;

	if (percent_decode(encoded, true, out))
		return true;
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return false;
}

struct str
head_query_encoded(const struct head *head, struct str name)
{
	struct str query = head_query(head), value;

	return next_pair(&query, name, &value) ? value : STR_NONE;
}

bool
head_query_value(const struct head *head, struct str name, struct buf *out)
{
	struct str query = head_query(head), value;

	return next_pair(&query, name, &value) && add_decoded(value, out);
}

bool
head_query_is_clear(const struct head *head, struct str name, struct error *err)
{
	struct str query = head_query(head), value;

	if (!next_pair(&query, name, &value))
		return true;
	while (value.len > 0)
		if (percent_take(&value) < 0)
			return error_set(err, ERR_BAD_REQUEST,
				"the query parameter %.*s has a %% that is not an escape", STR_ARG(name));
	if (next_pair(&query, name, &value))
		return error_set(err, ERR_BAD_REQUEST, "more than one query parameter %.*s", STR_ARG(name));
	return !query_name_is_shared(head_query(head), name) ||
		error_set(err, ERR_BAD_REQUEST,
			"a query parameter that an application could take for the query parameter %.*s, beside it",
			STR_ARG(name));
}
