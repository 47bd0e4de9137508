// SPDX-License-Identifier: MIT
/* canonical.c - see canonical.h.
 *
 * A query is sorted by names and then values, not as whole texts: "Param" stands before "Param-3", though '-' is less than '='. */
#include "sink/s3/canonical.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void
s3_escape(struct buf *out, struct str text, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slash);
		char escaped[] = { '%', digits[c >> 4], digits[c & 15] };

		if (is_plain)
			buf_add_char(out, (char)c);
		else
			buf_add(out, escaped, sizeof escaped);
	}
}

/* -- queries -------------------------------------------------------------------------------------- */

struct parameter {
	struct str name, value;
};

static int
compare(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.data, b.data, n) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare_parameters(const void *a, const void *b)
{
	const struct parameter *x = a, *y = b;
	int order = compare(x->name, y->name);

	return order != 0 ? order : compare(x->value, y->value);
}

/* Returns what stands before the first `mark`, or all; *rest is what follows the mark. */
static struct str
cut(struct str text, char mark, struct str *rest)
{
	const char *at = text.len > 0 ? memchr(text.data, mark, text.len) : NULL;
	size_t n = at != NULL ? (size_t)(at - text.data) : text.len;

	*rest = at != NULL ? (struct str){ at + 1, text.len - n - 1 } : STR("");
	return (struct str){ text.data, n };
}

static size_t
split(struct str query, struct parameter *found)
{
	size_t n = 0;

	while (query.len > 0) {
		struct str one = cut(query, '&', &query);

		if (one.len == 0)
			continue;
		found[n].name = cut(one, '=', &found[n].value);
		n++;
	}
	return n;
}

void
s3_canonical_query(struct str query, struct buf *out)
{
	struct parameter *found = mem_array(query.len / 2 + 1, sizeof *found);
	size_t n;

	if (found == NULL) {
		out->failed = true;
		return;
	}
	n = split(query, found);
	qsort(found, n, sizeof *found, compare_parameters);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(out, '&');
		buf_add_str(out, found[i].name);
		buf_add_char(out, '=');
		buf_add_str(out, found[i].value);
	}
	mem_free(found);
}

/* -- lines ---------------------------------------------------------------------------------------- */

static int
compare_names(const char *a, const char *b)
{
	while (*a != '\0' && str_lower(*a) == str_lower(*b)) {
		a++;
		b++;
	}
	return (unsigned char)str_lower(*a) - (unsigned char)str_lower(*b);
}

void
s3_canonical_sort(struct s3_sign_line *lines, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct s3_sign_line line = lines[i];
		size_t at = i;

		for (; at > 0 && compare_names(lines[at - 1].name, line.name) > 0; at--)
			lines[at] = lines[at - 1];
		lines[at] = line;
	}
}

static void
add_lower(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++)
		buf_add_char(out, str_lower(*name));
}

static bool
begins_name(const struct s3_sign_line *lines, size_t i)
{
	return i == 0 || compare_names(lines[i - 1].name, lines[i].name) != 0;
}

void
s3_canonical_names(const struct s3_sign_line *lines, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!begins_name(lines, i))
			continue;
		if (i > 0)
			buf_add_char(out, ';');
		add_lower(out, lines[i].name);
	}
}

/* Appends the value without blanks at its ends, and with one space for each run of them. */
static void
add_value(struct buf *out, struct str value)
{
	value = str_trim(value);
	for (size_t i = 0; i < value.len; i++) {
		bool is_blank = value.data[i] == ' ' || value.data[i] == '\t';

		if (!is_blank)
			buf_add_char(out, value.data[i]);
		else if (value.data[i - 1] != ' ' && value.data[i - 1] != '\t')
			buf_add_char(out, ' ');
	}
}

void
s3_canonical_lines(const struct s3_sign_line *lines, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (begins_name(lines, i)) {
			add_lower(out, lines[i].name);
			buf_add_char(out, ':');
		} else {
			buf_add_char(out, ',');
		}
		add_value(out, lines[i].value);
		if (i + 1 == n || begins_name(lines, i + 1))
			buf_add_char(out, '\n');
	}
}
