// SPDX-License-Identifier: MIT
/* query_name.c - see query_name.h. What cannot be decoded stands for itself, as it does there. */
#include "route/query_name.h"

#include "config/app_names.h"
#include "route/head.h"

#include <string.h>

static bool
is_bracket(char c)
{
	return c == '[' || c == ']';
}

/* However many of them there are, what stands behind them counts. */
static bool
is_more_in_front(const char *to, size_t len)
{
	return (len == 0 && to[0] == ' ') || (len == 1 && is_bracket(to[0]) && (is_bracket(to[1]) || to[1] == ' '));
}

/* Blanks in front are left out, and of brackets there all but one. A zero byte ends the name, as what reads it in C has it. */
struct str
query_name_read(struct str encoded, char to[static QUERY_NAME_MAX])
{
	size_t len = 0;

	while (encoded.len > 0 && len < QUERY_NAME_MAX) {
		char first = *encoded.data;
		struct str rest = encoded;
		int c = percent_take(&rest);

		if (c < 0 && str_starts_nocase(encoded, "%00"))
			break;
		if (c < 0)
			rest = (struct str){ encoded.data + 1, encoded.len - 1 };
		to[len] = c < 0 ? first : first == '+' ? ' ' : (char)(unsigned char)c;
		len += !is_more_in_front(to, len);
		encoded = rest;
	}
	return (struct str){ to, len };
}

static size_t
length_to(struct str s, char c)
{
	const char *at = s.len > 0 ? memchr(s.data, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.data) : s.len;
}

bool
query_name_is_shared(struct str query, struct str name)
{
	char decoded[QUERY_NAME_MAX];
	size_t n = 0;

	while (query.len > 0 && n < 2) {
		size_t len = length_to(query, '&');
		struct str pair = { query.data, len };

		pair.len = length_to(pair, '=');
		n += pair.len > 0 && app_names_are_one(query_name_read(pair, decoded), name);
		len += len < query.len;
		query = (struct str){ query.data + len, query.len - len };
	}
	return n > 1;
}
