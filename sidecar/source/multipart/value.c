// SPDX-License-Identifier: MIT
/* value.c - see value.h.
 *
 *   quoted      \" and \\ lose their backslash; before anything else it stays ("C:\dir\a.txt" of old IE). Some take
 *               a backslash for itself, or each \" for an escape: what would give them other parameters is refused
 *   unquoted    a token; some know single quotes, so one may not stand in front, nor open before another parameter
 *   both forms  %22 %0D %0A, which is how browsers send '"' CR LF (WHATWG HTML section 4.10.21.8); every other % is itself
 *   extended    RFC 8187, in UTF-8 or ISO-8859-1; what it may not hold unescaped, but clients leave as it is ("(1)"), is
 *               read, except what ends or quotes a value to somebody: ; , " and the backslash */
#include "source/multipart/value.h"

#include <string.h>

bool
cursor_refuse(struct cursor *cursor, const char *why)
{
	cursor->why = why;
	return false;
}

void
cursor_advance(struct cursor *cursor, size_t n)
{
	cursor->rest.data += n;
	cursor->rest.len -= n;
}

/* A tab is none: some find no parameter behind it (the module `multipart` of Python). */
void
cursor_skip_blanks(struct cursor *cursor)
{
	while (cursor->rest.len > 0 && cursor->rest.data[0] == ' ')
		cursor_advance(cursor, 1);
}

/* The byte of a %XX at the start of s; -1: it is none. */
static int
escaped_byte(struct str s)
{
	if (s.len < 3 || s.data[0] != '%' || str_hex_value(s.data[1]) < 0 || str_hex_value(s.data[2]) < 0)
		return -1;
	return str_hex_value(s.data[1]) * 16 + str_hex_value(s.data[2]);
}

/* Appends one character of a value, %22 %0D %0A decoded; returns how many bytes it took. */
static size_t
add_char(struct buf *out, struct str s)
{
	int byte = escaped_byte(s);

	if (byte == '"' || byte == '\r' || byte == '\n') {
		buf_add_char(out, (char)byte);
		return 3;
	}
	buf_add_char(out, s.data[0]);
	return 1;
}

/* [ blanks ] ( "name" / "filename" ) [ "*" ] [ blanks ] "=" at the start of s? */
static bool
is_telling(struct str s)
{
	size_t n = 0;

	while (n < s.len && (s.data[n] == ' ' || s.data[n] == '\t'))
		n++;
	s = (struct str){ s.data + n, s.len - n };
	if (!str_starts_nocase(s, "name") && !str_starts_nocase(s, "filename"))
		return false;
	for (n = 4 + (str_starts_nocase(s, "filename") ? 4 : 0); n < s.len && strchr(" \t*", s.data[n]) != NULL;)
		n++;
	return n < s.len && s.data[n] == '=';
}

/* Whoever ends the string at another quote would find a parameter in it. */
static bool
hides_parameter(struct str quoted)
{
	const char *end = quoted.data + quoted.len, *at = quoted.data;

	while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
		at++;
		if (is_telling((struct str){ at, (size_t)(end - at) }))
			return true;
	}
	return false;
}

/* Does s begin with a backslash that stands for what follows it? */
static bool
is_escape(struct str s)
{
	return s.len > 1 && s.data[0] == '\\' && (s.data[1] == '"' || s.data[1] == '\\');
}

/* Of the string behind its first quote: where does it end? quoted.len: nowhere. */
static size_t
quoted_length(struct str quoted)
{
	size_t n = 0;

	while (n < quoted.len && quoted.data[n] != '"')
		n += is_escape((struct str){ quoted.data + n, quoted.len - n }) ? 2 : 1;
	return n;
}

static bool
take_quoted(struct cursor *cursor, struct buf *out)
{
	struct str s;

	cursor_advance(cursor, 1);
	s = (struct str){ cursor->rest.data, quoted_length(cursor->rest) };
	if (s.len == cursor->rest.len)
		return cursor_refuse(cursor, "a quoted string that does not end in Content-Disposition");
	cursor_advance(cursor, s.len + 1);
	if (s.len > 0 && s.data[s.len - 1] == '\\') /* then two: to who reads \" alone, the string goes on */
		return cursor_refuse(
			cursor, "a backslash before the quote that ends a string in Content-Disposition");
	if (hides_parameter(s))
		return cursor_refuse(cursor, "a name or filename within a quoted string in Content-Disposition");
	while (s.len > 0) {
		size_t n = is_escape(s) ? 2 : add_char(out, s);

		if (n == 2)
			buf_add_char(out, s.data[1]);
		s = (struct str){ s.data + n, s.len - n };
	}
	return true;
}

/* reqwest escapes only blanks, controls, bytes beyond ASCII and "#%/<>?`{} */
static bool
is_extended_char(char c)
{
	return c > ' ' && c < 0x7f && strchr(";\"\\", c) == NULL;
}

bool
value_take_extended(struct cursor *cursor, struct buf *out)
{
	if (cursor->rest.len == 0 || !is_extended_char(cursor->rest.data[0]) || cursor->rest.data[0] == '\'')
		return cursor_refuse(cursor, "name* or filename* without a character set");
	while (cursor->rest.len > 0 && is_extended_char(cursor->rest.data[0])) {
		cursor->in_single_quotes ^= cursor->rest.data[0] == '\'';
		buf_add_char(out, cursor->rest.data[0]);
		cursor_advance(cursor, 1);
	}
	if (cursor->rest.len > 0 && strchr("; \t", cursor->rest.data[0]) == NULL)
		return cursor_refuse(cursor, "a character that must be escaped in name* or filename*");
	return true;
}

static bool
take_unquoted(struct cursor *cursor, struct buf *out)
{
	if (cursor->rest.len > 0 && cursor->rest.data[0] == '\'')
		return cursor_refuse(cursor, "a single quote before a value in Content-Disposition");
	if (cursor->rest.len == 0 || !str_is_token_char(cursor->rest.data[0]))
		return cursor_refuse(cursor, "an unquoted value that is no token in Content-Disposition");
	while (cursor->rest.len > 0 && str_is_token_char(cursor->rest.data[0])) {
		cursor->in_single_quotes ^= cursor->rest.data[0] == '\'';
		cursor_advance(cursor, add_char(out, cursor->rest));
	}
	if (cursor->rest.len > 0 && strchr("; \t", cursor->rest.data[0]) == NULL)
		return cursor_refuse(cursor, "an unquoted value that is no token in Content-Disposition");
	return true;
}

bool
value_take(struct cursor *cursor, struct buf *out)
{
	if (cursor->rest.len > 0 && cursor->rest.data[0] == '"')
		return take_quoted(cursor, out);
	return take_unquoted(cursor, out);
}

/* ext-value of RFC 8187: charset'language'percent-encoded. */
bool
value_decode_extended(struct cursor *cursor, struct str s, struct buf *out)
{
	bool utf8 = str_starts_nocase(s, "utf-8'"), latin1 = str_starts_nocase(s, "iso-8859-1'");
	size_t at = 0;
	int quotes = 0;

	for (; quotes < 2 && at < s.len; at++)
		quotes += s.data[at] == '\'';
	if (!utf8 && !latin1)
		return cursor_refuse(
			cursor, "name* or filename* in a character set that is neither UTF-8 nor ISO-8859-1");
	if (quotes < 2)
		return cursor_refuse(cursor, "name* or filename* without the two quotes before its value");
	for (; at < s.len; at++) {
		struct str here = { s.data + at, s.len - at };
		int byte = here.data[0] == '%' ? escaped_byte(here) : (unsigned char)here.data[0];

		if (byte <= 0)
			return cursor_refuse(cursor, "name* or filename* with a broken %-escape");
		at += here.data[0] == '%' ? 2 : 0;
		if (latin1 && byte >= 0x80)
			buf_addf(out, "%c%c", 0xc0 | byte >> 6, 0x80 | (byte & 0x3f));
		else
			buf_add_char(out, (char)byte);
	}
	return true;
}

/* Is it the same name, or the same with %XX for what it holds, as older aiohttp sends it? */
bool
value_says_the_same(struct str plain, struct str name)
{
	size_t n = 0;

	if (str_equal(plain, name))
		return true;
	for (; plain.len > 0 && n < name.len; n++) {
		int byte = escaped_byte(plain);
		size_t taken = byte >= 0 ? 3 : 1;

		if ((byte >= 0 ? byte : (unsigned char)plain.data[0]) != (unsigned char)name.data[n])
			return false;
		plain = (struct str){ plain.data + taken, plain.len - taken };
	}
	return plain.len == 0 && n == name.len;
}
