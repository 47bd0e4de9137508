// SPDX-License-Identifier: MIT
/* safe_name_write.c - see safe_name_priv.h: how the judged bytes of a name are written, in a URL or in a folder, and how long that is. */
#include "sink/safe_name_priv.h"

#include <string.h>

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr("-._~", c) != NULL);
}

static bool
stands_in_url(const struct safe_name *name, size_t at)
{
	int mark = mark_at(name, at);

	return mark == MARK_PLAIN || mark == MARK_SLASH || mark == MARK_UNCOUNTED ||
		(mark == MARK_TEXT && !is_key(name)) || is_unreserved(name->bytes.data[at]);
}

size_t
safe_name_unit(const struct safe_name *name, size_t at, size_t end)
{
	size_t n = utf8_length((struct str){ name->bytes.data + at, end - at });

	return n > 0 ? n : 1;
}

/* In a folder a value's byte is escaped if it is no character, begins an escape, or is unsafe. */
static bool
is_escaped_in_folder(const struct safe_name *name, size_t at, size_t end)
{
	struct str rest = { name->bytes.data + at, end - at };

	return mark_at(name, at) >= MARK_VALUE &&
		(utf8_length(rest) == 0 || rest.data[0] == '%' || safe_name_unsafe_byte(rest) != NULL);
}

/* How many bytes from `at` on are written as they are. */
static size_t
plain_length(const struct safe_name *name, size_t at, size_t end)
{
	size_t n = 0;

	if (!is_http(name))
		return is_escaped_in_folder(name, at, end) ? 0 : safe_name_unit(name, at, end);
	while (at + n < end && mark_at(name, at + n) != MARK_UNSEEN && stands_in_url(name, at + n))
		n++;
	return n;
}

static size_t
write_some(const struct safe_name *name, size_t at, size_t end, struct buf *out)
{
	const char *bytes = name->bytes.data + at;
	size_t n;

	if (mark_at(name, at) == MARK_UNSEEN)
		return 1;
	n = plain_length(name, at, end);
	if (n > 0)
		buf_add(out, bytes, n);
	else
		buf_addf(out, "%%%02X", (unsigned char)bytes[0]);
	return n > 0 ? n : 1;
}

void
safe_name_write(const struct safe_name *name, size_t from, size_t end, struct buf *out)
{
	while (from < end)
		from += write_some(name, from, end, out);
}

static size_t
count_marks(const struct safe_name *name, size_t from, size_t end, enum mark mark)
{
	size_t n = 0;

	for (; from < end; from++)
		n += mark_at(name, from) == (int)mark;
	return n;
}

size_t
safe_name_length(struct safe_name *name, size_t from, size_t end)
{
	size_t uncounted = count_marks(name, from, end, MARK_UNCOUNTED);
	struct buf text = { 0 };
	size_t len;

	if (is_key(name))
		return end - from - uncounted;
	safe_name_write(name, from, end, &text);
	len = text.len + count_marks(name, from, end, MARK_UNSEEN) - uncounted;
	if (text.failed)
		error_nomem(&name->error);
	buf_free(&text);
	return len;
}

size_t
safe_name_segment_end(const struct safe_name *name, size_t from)
{
	while (from < name->bytes.len && mark_at(name, from) != MARK_SLASH)
		from++;
	return from;
}
