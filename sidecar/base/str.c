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

static bool
is_same_nocase(char a, char b)
{
	return a == b || str_lower(a) == str_lower(b);
}

bool
str_equal_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (!is_same_nocase(a.data[i], b.data[i]))
			return false;
	return true;
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

char *
str_dup_lower(struct str s)
{
	char *copy = str_dup(s);

	for (size_t i = 0; copy != NULL && i < s.len; i++)
		copy[i] = str_lower(copy[i]);
	return copy;
}

void
str_write_hex(char *out, const unsigned char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

size_t
str_write_u64(char out[STR_U64_SIZE], uint64_t n)
{
	char digits[STR_U64_SIZE], *first = digits + sizeof digits;
	size_t len;

	*--first = '\0';
	do
		*--first = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	len = (size_t)(digits + sizeof digits - first);
	memcpy(out, first, len);
	return len - 1;
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

/* realloc() leaves what it moves where it was. */
static char *
move_secret(struct buf *b, size_t cap)
{
	char *data = mem_alloc(cap);

	if (data == NULL || b->data == NULL)
		return data;
	memcpy(data, b->data, b->len + 1);
	explicit_bzero(b->data, b->cap);
	mem_free(b->data);
	return data;
}

static bool
resize(struct buf *b, size_t cap)
{
	char *data = b->is_secret ? move_secret(b, cap) : mem_resize(b->data, cap, 1);

	if (data == NULL) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

/* Makes room for `more` bytes and the NUL; doubles, so that n appends cost O(n). */
static bool
buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap;

	if (b->failed || more > SIZE_MAX / 2 - b->len - 1) {
		b->failed = true;
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	for (cap = b->cap > 0 ? b->cap : 64; cap < need;)
		cap *= 2;
	return resize(b, cap);
}

void
buf_make_room(struct buf *b, size_t more)
{
	if (b->failed || more > SIZE_MAX / 2 - b->len - 1)
		b->failed = true;
	else if (b->len + more + 1 > b->cap)
		resize(b, b->len + more + 1);
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
	size_t room;
	int n;

	if (!buf_reserve(b, 0))
		return;
	room = b->cap - b->len;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(b->data + b->len, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= room && buf_reserve(b, (size_t)n))
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
	va_end(again);
	b->failed = b->failed || n < 0;
	if (!b->failed)
		b->len += (size_t)n;
	b->data[b->len] = '\0';
}

void
buf_add_u64(struct buf *b, uint64_t n)
{
	char digits[STR_U64_SIZE];

	buf_add(b, digits, str_write_u64(digits, n));
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

/* How many bytes at the start of s are ASCII that JSON takes as it is. */
static size_t
plain_length(struct str s)
{
	size_t n = 0;

	while (n < s.len && s.data[n] >= ' ' && s.data[n] < 0x7f && s.data[n] != '"' && s.data[n] != '\\')
		n++;
	return n;
}

static size_t
add_sequence(struct buf *b, struct str s)
{
	size_t n = utf8_length(s);

	if (n > 0)
		buf_add(b, s.data, n);
	else
		buf_add_text(b, "\xef\xbf\xbd"); /* U+FFFD */
	return n > 0 ? n : 1;
}

void
buf_add_utf8(struct buf *b, struct str s)
{
	for (size_t n; s.len > 0; s = (struct str){ s.data + n, s.len - n }) {
		n = plain_length(s);
		if (n > 0)
			buf_add(b, s.data, n);
		else
			n = add_sequence(b, s);
	}
}

void
buf_add_json(struct buf *b, struct str s)
{
	buf_add_char(b, '"');
	for (size_t n; s.len > 0; s = (struct str){ s.data + n, s.len - n }) {
		unsigned char c = (unsigned char)s.data[0];

		n = plain_length(s);
		if (n > 0)
			buf_add(b, s.data, n);
		else if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\u%04x", c);
		else
			n = add_sequence(b, s);
		n = n > 0 ? n : 1;
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
