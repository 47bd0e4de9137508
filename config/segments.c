// SPDX-License-Identifier: MIT
/* segments.c - see segments.h. */
#include "config/segments.h"

#include "config/diag.h"
#include "config/pattern.h"

#include <string.h>

#define SEGMENT_MAX 255 /* bytes of a file name, as file systems have it (NAME_MAX) */

static bool
is_hex_or_value(char c)
{
	return c == SEGMENTS_MARK || str_hex_value(c) >= 0;
}

/* Whether `s` begins with an escape of '%' that could be decoded once more. */
static bool
is_escape_of_escape(struct str s)
{
	if (s.len < 4 || memcmp(s.data, "%25", 3) != 0)
		return false;
	return s.data[3] == SEGMENTS_MARK ||
		(s.len > 4 && is_hex_or_value(s.data[3]) && is_hex_or_value(s.data[4]));
}

static bool
check_url_segment(struct str segment, struct error *err)
{
	for (size_t i = 0; i < segment.len; i++)
		if (is_escape_of_escape((struct str){ segment.data + i, segment.len - i }))
			return error_set(err, ERR_CONFIG,
				"%%25 before hex digits, or before a value, could be decoded once more than it is meant");
	return true;
}

static bool
check_file_segment(struct str segment, struct error *err)
{
	if (str_starts_nocase(segment, ".penstock-"))
		return error_set(
			err, ERR_CONFIG, "names that begin with \".penstock-\" are kept for unfinished files");
	if (segment.len > SEGMENT_MAX)
		return error_set(err, ERR_CONFIG, "a segment is longer than %d bytes", SEGMENT_MAX);
	return true;
}

static bool
check_segment(struct str segment, enum template_style style, bool is_last, struct error *err)
{
	if (segment.len == 0 && is_last && style == TEMPLATE_FOR_URL)
		return true;
	if (segment.len == 0 && !is_last && style == TEMPLATE_FOR_KEY)
		return true;
	if (segment.len == 0)
		return error_set(err, ERR_CONFIG, is_last ? "the name ends with '/'" : "an empty segment: \"//\"");
	if (pattern_is_dots(segment))
		return error_set(err, ERR_CONFIG, "a segment \"%.*s\" is not allowed", SHOWN(segment));
	if (style == TEMPLATE_FOR_KEY)
		return true; /* any text stands for itself */
	return style == TEMPLATE_FOR_URL ? check_url_segment(segment, err) : check_file_segment(segment, err);
}

/* Bytes of the separator at the start of `s`; 0: there is none. */
static size_t
separator(struct str s, enum template_style style)
{
	if (s.data[0] == '/')
		return 1;
	if (style != TEMPLATE_FOR_URL || s.len < 3)
		return 0;
	return strncasecmp(s.data, "%2f", 3) == 0 || strncasecmp(s.data, "%5c", 3) == 0 ? 3 : 0;
}

bool
segments_check(struct str flat, enum template_style style, struct error *err)
{
	size_t begin = flat.len > 0 && flat.data[0] == '/', at = begin;

	if (begin == flat.len && style != TEMPLATE_FOR_URL)
		return error_set(err, ERR_CONFIG, "this names nothing");
	if (style == TEMPLATE_FOR_KEY && flat.len - begin > SEGMENTS_KEY_MAX)
		return error_set(err, ERR_CONFIG, "a key has at most %d bytes", SEGMENTS_KEY_MAX);
	while (at < flat.len) {
		size_t n = separator((struct str){ flat.data + at, flat.len - at }, style);

		if (n > 0 && !check_segment((struct str){ flat.data + begin, at - begin }, style, false, err))
			return false;
		at += n > 0 ? n : 1;
		begin = n > 0 ? at : begin;
	}
	return check_segment((struct str){ flat.data + begin, flat.len - begin }, style, true, err);
}
