// SPDX-License-Identifier: MIT
/* str_bytes.c - see str.h: what kind of bytes a string is made of. Each header and each part's head is asked several of these. */
#include "base/str.h"

#include <string.h>

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* Is one of eight bytes less than 0x20, also a tab, or 0x7f? Taking away what it is compared with borrows into its top bit. */
static bool
may_have_control(const char *eight)
{
	uint64_t word, low, del;

	memcpy(&word, eight, sizeof word);
	low = (word - EACH_BYTE(0x20)) & ~word;
	del = word ^ EACH_BYTE(0x7f);
	del = (del - EACH_BYTE(1)) & ~del;
	return ((low | del) & EACH_BYTE(0x80)) != 0;
}

bool
str_has_control(struct str s)
{
	size_t i = 0;

	while (i + 8 <= s.len && !may_have_control(s.data + i))
		i += 8;
	for (; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
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
