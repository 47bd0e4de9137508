// SPDX-License-Identifier: MIT
/* str.c - see str.h. */
#include "base/str.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct str
str_of(const char *c_string)
{
	return c_string == NULL ? STR_NONE : (struct str){ c_string, strlen(c_string) };
}

bool
str_equal(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
str_is(struct str a, const char *c_string)
{
	return str_equal(a, str_of(c_string));
}

/* Not tolower(): that follows the locale, and HTTP tokens do not. */
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
str_equal_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

bool
str_starts_nocase(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && str_equal_nocase((struct str){ s.data, n }, (struct str){ prefix, n });
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

char *
str_dup(struct str s)
{
	char *copy = mem_alloc(s.len + 1);

	if (copy == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	return copy;
}

bool
str_has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

bool
str_is_token_char(char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool
str_is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!str_is_token_char(s.data[i]))
			return false;
	return s.len > 0;
}

int
str_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
str_to_ip(struct str s, int family, void *out)
{
	char copied[INET6_ADDRSTRLEN + 1] = "";

	if (s.len == 0 || s.len >= sizeof copied || memchr(s.data, '\0', s.len) != NULL)
		return false;
	memcpy(copied, s.data, s.len);
	return inet_pton(family, copied, out) == 1;
}

bool
str_to_u64(struct str s, uint64_t *out)
{
	uint64_t n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(unsigned char)s.data[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

/* Makes room for `more` bytes and the NUL; doubles, so that n appends cost O(n). */
static bool
buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap;
	char *data;

	if (b->failed || more > SIZE_MAX / 2 - b->len - 1) {
		b->failed = true;
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	for (cap = b->cap > 0 ? b->cap : 64; cap < need;)
		cap *= 2;
	data = mem_resize(b->data, cap, 1);
	if (data == NULL) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (!buf_reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.data, s.len);
}

void
buf_add_text(struct buf *b, const char *c_string)
{
	buf_add(b, c_string, strlen(c_string));
}

void
buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	else if (buf_reserve(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->data != NULL ? b->data : "", b->len };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_free(struct buf *b)
{
	mem_free(b->data);
	*b = (struct buf){ 0 };
}

/* Rows of RFC 3629's table: first byte range, allowed second byte range, length. */
static const struct {
	unsigned char first_low, first_high, second_low, second_high, len;
} utf8_rows[] = {
	{ 0x00, 0x7f, 0, 0, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t
utf8_length(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.data;

	if (s.len == 0)
		return 0;
	for (size_t i = 0; i < sizeof utf8_rows / sizeof utf8_rows[0]; i++) {
		size_t len = utf8_rows[i].len;

		if (p[0] < utf8_rows[i].first_low || p[0] > utf8_rows[i].first_high)
			continue;
		if (s.len < len)
			return 0;
		if (len > 1 && (p[1] < utf8_rows[i].second_low || p[1] > utf8_rows[i].second_high))
			return 0;
		for (size_t k = 2; k < len; k++)
			if (p[k] < 0x80 || p[k] > 0xbf)
				return 0;
		return len;
	}
	return 0;
}

bool
utf8_is_control(struct str s)
{
	unsigned char first = (unsigned char)s.data[0];

	if (first == 0xc2 && utf8_length(s) == 2)
		return (unsigned char)s.data[1] < 0xa0;
	return first < 0x20 || first == 0x7f;
}

void
buf_add_utf8(struct buf *b, struct str s)
{
	while (s.len > 0) {
		size_t n = utf8_length(s);

		if (n > 0)
			buf_add(b, s.data, n);
		else
			buf_add_text(b, "\xef\xbf\xbd"); /* U+FFFD */
		n = n > 0 ? n : 1;
		s.data += n;
		s.len -= n;
	}
}

void
buf_add_json(struct buf *b, struct str s)
{
	buf_add_char(b, '"');
	for (size_t n; s.len > 0; s = (struct str){ s.data + n, s.len - n }) {
		unsigned char c = (unsigned char)s.data[0];

		n = utf8_length(s);
		n = n > 0 ? n : 1;
		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\u%04x", c);
		else
			buf_add_utf8(b, (struct str){ s.data, n });
	}
	buf_add_char(b, '"');
}

/* The usual two-pointer glob: on a mismatch fall back to the last '*' and let it take one byte more. */
bool
glob_match(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			star_text = t;
		} else if (p < pattern.len && (pattern.data[p] == '?' || pattern.data[p] == text.data[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}
