// SPDX-License-Identifier: MIT
/* encoded_word.c - see encoded_word.h. */
#include "source/multipart/encoded_word.h"

#include "base/base64.h"

#include <string.h>

static const struct str before = { "=?utf-8?b?", 10 }, after = { "?=", 2 };

/* The base64 between the two ends. False: s does not have them. */
static bool
cut_ends(struct str s, struct str *base64)
{
	if (s.len < before.len + after.len || !str_starts_nocase(s, before.data) ||
		memcmp(s.data + s.len - after.len, after.data, after.len) != 0)
		return false;
	*base64 = (struct str){ s.data + before.len, s.len - before.len - after.len };
	return true;
}

/* Four digits at a time, `=` only in place of the last one or two. False: that is not base64. */
static bool
decode(struct str base64, struct buf *out)
{
	struct str left = base64;

	if (base64.len == 0 || base64.len % 4 != 0)
		return false;
	while (left.len > base64.len - 2 && left.data[left.len - 1] == '=')
		left.len--;
	while (left.len > 0) {
		size_t n = left.len < 4 ? left.len : 4;
		unsigned char bytes[3];

		if (!base64_read((struct str){ left.data, n }, bytes))
			return false;
		buf_add(out, bytes, n * 6 / 8);
		left = (struct str){ left.data + n, left.len - n };
	}
	return true;
}

/* Well-formed UTF-8 that is not ASCII alone, and has no control byte. */
static bool
needed_encoding(struct str s)
{
	bool beyond_ascii = false;

	if (str_has_control(s))
		return false;
	while (s.len > 0) {
		size_t n = utf8_length(s);

		if (n == 0)
			return false;
		beyond_ascii |= n > 1;
		s.data += n;
		s.len -= n;
	}
	return beyond_ascii;
}

void
encoded_word_add(struct buf *out, struct str s)
{
	struct buf text = { 0 };
	struct str base64;

	if (cut_ends(s, &base64) && decode(base64, &text) && needed_encoding(buf_str(&text)))
		s = buf_str(&text);
	buf_add_str(out, s);
	out->failed |= text.failed;
	buf_free(&text);
}
