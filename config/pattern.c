// SPDX-License-Identifier: MIT
/* pattern.c - see pattern.h. Matching itself lives in route/ and part/; here is how patterns are read. */
#include "config/pattern.h"

#include "base/mem.h"
#include "config/diag.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool
nomem(struct error *err)
{
	return error_nomem(err);
}

bool
pattern_is_token(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alnum && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return name.len > 0;
}

/* %XX resolved. False: a '%' without two digits, or a byte that a request's segment can never hold. */
static bool
decode(struct str s, struct buf *out, struct error *err)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.data[i];

		if (c == '%') {
			int high = i + 2 < s.len ? str_hex_value(s.data[i + 1]) : -1;
			int low = i + 2 < s.len ? str_hex_value(s.data[i + 2]) : -1;

			if (high < 0 || low < 0)
				return error_set(err, ERR_CONFIG, "'%%' needs two hexadecimal digits after it");
			c = (char)(unsigned char)(high * 16 + low);
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return error_set(err, ERR_CONFIG, "a control byte cannot stand in a path");
		buf_add_char(out, c);
	}
	return !out->failed || nomem(err);
}

bool
pattern_is_dots(struct str segment)
{
	size_t dots = 0;

	while (segment.len > 0) {
		size_t n = segment.data[0] == '.'                                      ? 1
			: segment.len >= 3 && strncasecmp(segment.data, "%2e", 3) == 0 ? 3
										       : 0;

		if (n == 0)
			return false;
		segment.data += n;
		segment.len -= n;
		dots++;
	}
	return dots == 1 || dots == 2;
}

static bool
add_segment(struct path_pattern *path, enum segment_kind kind, char *text, struct error *err)
{
	struct path_segment *more = mem_resize(path->segments, path->n_segments + 1, sizeof *more);

	if (more == NULL) {
		mem_free(text);
		return nomem(err);
	}
	path->segments = more;
	path->segments[path->n_segments++] = (struct path_segment){ kind, text };
	return true;
}

static bool
read_text_segment(struct str s, struct path_pattern *path, struct error *err)
{
	struct buf text = { 0 };
	char *copy;

	if (!decode(s, &text, err)) {
		buf_free(&text);
		return false;
	}
	if (str_is(buf_str(&text), ".") || str_is(buf_str(&text), "..")) {
		buf_free(&text);
		return error_set(err, ERR_CONFIG, "a segment \"%.*s\" never comes in a request", SHOWN(s));
	}
	copy = str_dup(buf_str(&text));
	buf_free(&text);
	return copy != NULL ? add_segment(path, SEGMENT_TEXT, copy, err) : nomem(err);
}

/* "{id}", ":id" and "<id>" are wildcards in other programs. Who means such text can write its first byte as %XX. */
static bool
looks_named(struct str s)
{
	return memchr(s.data, '{', s.len) != NULL || memchr(s.data, '}', s.len) != NULL || s.data[0] == '<' ||
		(s.data[0] == ':' && s.len > 1);
}

static bool
read_segment(struct str s, bool last, struct path_pattern *path, struct error *err)
{
	if (path->n_segments == PATTERN_SEGMENTS_MAX)
		return error_set(err, ERR_CONFIG, "more than %d segments", PATTERN_SEGMENTS_MAX);
	if (s.len == 0)
		return error_set(err, ERR_CONFIG,
			last ? "the path ends with '/'; leave that out" : "an empty segment: \"//\"");
	if (str_is(s, "*"))
		return add_segment(path, SEGMENT_ONE, NULL, err);
	if (str_is(s, "**"))
		return last ? add_segment(path, SEGMENT_REST, NULL, err)
			    : error_set(err, ERR_CONFIG,
				      "\"**\" takes the rest of the path, so it must be the last segment");
	if (memchr(s.data, '*', s.len) != NULL)
		return error_set(
			err, ERR_CONFIG, "'*' stands for a whole segment: \"%.*s\" mixes it with text", SHOWN(s));
	if (looks_named(s))
		return error_set(err, ERR_CONFIG,
			"a wildcard has no name: write '*' in place of \"%.*s\"; {path.1} is what the first one takes",
			SHOWN(s));
	if (memchr(s.data, '?', s.len) != NULL || memchr(s.data, '#', s.len) != NULL)
		return error_set(err, ERR_CONFIG, "'?' and '#' do not belong to a path");
	return read_text_segment(s, path, err);
}

bool
pattern_read_path(struct str text, struct path_pattern *path, struct error *err)
{
	struct str rest = text;

	if (text.len == 0 || text.data[0] != '/')
		return error_set(err, ERR_CONFIG, "a path begins with '/'");
	path->source = str_dup(text);
	if (path->source == NULL)
		return nomem(err);
	while (rest.len > 0 && text.len > 1) {
		const char *slash = memchr(rest.data + 1, '/', rest.len - 1);
		size_t len = slash != NULL ? (size_t)(slash - rest.data) - 1 : rest.len - 1;

		if (!read_segment((struct str){ rest.data + 1, len }, slash == NULL, path, err))
			return false;
		rest.data += len + 1;
		rest.len -= len + 1;
	}
	if (pattern_wildcards(path) > PATTERN_WILDCARDS_MAX)
		return error_set(err, ERR_CONFIG, "more than %d wildcards", PATTERN_WILDCARDS_MAX);
	return true;
}

void
pattern_free_path(struct path_pattern *path)
{
	for (size_t i = 0; i < path->n_segments; i++)
		mem_free(path->segments[i].text);
	mem_free(path->segments);
	mem_free(path->source);
}

size_t
pattern_wildcards(const struct path_pattern *path)
{
	size_t n = 0;

	for (size_t i = 0; i < path->n_segments; i++)
		n += path->segments[i].kind != SEGMENT_TEXT;
	return n;
}

#define HOST_MAX 253 /* bytes of a name, RFC 1035 section 2.3.4 in text */

static bool
is_v6(struct str s)
{
	struct in6_addr address;

	return str_to_ip(s, AF_INET6, &address);
}

/* Labels of letters, digits, '-' and '_', none of them empty. */
static bool
is_host_name(struct str s)
{
	bool in_label = false;

	for (size_t i = 0; i < s.len; i++) {
		char c = (char)(s.data[i] | 0x20); /* of letters the small one */
		bool is_label = (c >= 'a' && c <= 'z') || (s.data[i] >= '0' && s.data[i] <= '9') ||
			s.data[i] == '-' || s.data[i] == '_';

		if (!is_label && (s.data[i] != '.' || !in_label))
			return false;
		in_label = is_label;
	}
	return in_label;
}

bool
pattern_is_host(struct str s)
{
	if (s.len > 2 && s.data[0] == '[' && s.data[s.len - 1] == ']')
		return is_v6((struct str){ s.data + 1, s.len - 2 });
	return is_host_name(s);
}

static bool
is_host(struct str s)
{
	if (s.len > 2 && memcmp(s.data, "*.", 2) == 0) {
		s = (struct str){ s.data + 2, s.len - 2 };
		return s.len <= HOST_MAX && is_host_name(s);
	}
	return s.len <= HOST_MAX && pattern_is_host(s);
}

static bool
complain_of_host(struct str host, struct error *err)
{
	if (str_is(host, "*"))
		return error_set(err, ERR_CONFIG, "to take any host, leave this key out");
	if (memchr(host.data, '*', host.len) != NULL)
		return error_set(err, ERR_CONFIG, "a wildcard stands only in front, as in \"*.example.org\"");
	if (is_v6(host))
		return error_set(err, ERR_CONFIG, "an IPv6 address is written in brackets, as in \"[::1]\"");
	if (host.len > 0 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		return error_set(err, ERR_CONFIG, "\"%.*s\" is not an IPv6 address", SHOWN(host));
	if (memchr(host.data, ':', host.len) != NULL)
		return error_set(err, ERR_CONFIG, "a host is matched without its port");
	return error_set(err, ERR_CONFIG, "\"%.*s\" is not a host name", SHOWN(host));
}

char *
pattern_read_host(struct str text, struct error *err)
{
	char *host = str_dup_lower(text);
	struct str s = { host, text.len };

	if (host == NULL) {
		nomem(err);
		return NULL;
	}
	if (s.len > 0 && host[s.len - 1] == '.')
		host[--s.len] = '\0'; /* as the matcher drops it from a request's */
	if (is_host(s))
		return host;
	complain_of_host(text, err);
	mem_free(host);
	return NULL;
}
