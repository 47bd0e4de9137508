// SPDX-License-Identifier: MIT
/* diag.c - see diag.h.
 *
 * A problem is made into its final block of text when it is added, because that is when its sources are
 * at hand; printing only sorts the blocks. Nothing is written to a terminal here. When memory runs out
 * the problem is counted, its block is lost, and diag.nomem says so.
 */
#include "config/diag.h"

#include "base/mem.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCERPT_MAX 200u /* characters of a source line that are shown */
#define CUT_MAX 60

struct problem {
	unsigned order, line, column;
	size_t index; /* keeps the order of arrival among equals: qsort is not stable */
	struct buf block;
};

bool
diag_nomem(struct diag *d)
{
	d->nomem = true;
	return false;
}

int
diag_cut(struct str s)
{
	size_t at = 0;

	if (s.len <= CUT_MAX)
		return (int)s.len;
	while (at < CUT_MAX) {
		size_t n = utf8_length((struct str){ s.data + at, s.len - at });

		n = n > 0 ? n : 1;
		if (at + n > CUT_MAX)
			break;
		at += n;
	}
	return (int)at;
}

static size_t
add_safe_char(struct buf *out, struct str s)
{
	size_t n = utf8_length(s);

	if (utf8_is_control(s))
		buf_addf(out, "\\x%02x", (unsigned)(unsigned char)s.data[n - 1]);
	else
		buf_add_utf8(out, (struct str){ s.data, n > 0 ? n : 1 });
	return n > 0 ? n : 1;
}

static void
add_safe(struct buf *out, struct str s)
{
	while (s.len > 0) {
		size_t n = add_safe_char(out, s);

		s.data += n;
		s.len -= n;
	}
}

/* Length of the line break at the start of s, 0 if there is none. YAML 1.1 section 5.4: CR, LF, CRLF,
 * NEL, LS and PS; libyaml counts lines that way. */
static size_t
break_length(struct str s)
{
	if (s.len == 0 || strchr("\r\n\xc2\xe2", s.data[0]) == NULL)
		return 0;
	if (s.len >= 2 && memcmp(s.data, "\r\n", 2) == 0)
		return 2;
	if (s.data[0] == '\r' || s.data[0] == '\n')
		return 1;
	if (s.len >= 2 && memcmp(s.data, "\xc2\x85", 2) == 0)
		return 2;
	if (s.len >= 3 && memcmp(s.data, "\xe2\x80", 2) == 0)
		return s.data[2] == '\xa8' || s.data[2] == '\xa9' ? 3 : 0;
	return 0;
}

/* The line of that number without its break; STR_NONE past the end. */
static struct str
find_line(const struct source *source, unsigned line)
{
	struct str rest = { source->text, source->len };

	for (unsigned now = 1; rest.len > 0; now++) {
		size_t len = 0, skip = 0;

		for (; len < rest.len && skip == 0; len += skip == 0)
			skip = break_length((struct str){ rest.data + len, rest.len - len });
		if (now == line)
			return (struct str){ rest.data, len };
		rest.data += len + skip;
		rest.len -= len + skip;
	}
	return STR_NONE;
}

struct spot
diag_spot(const struct source *source, size_t offset)
{
	struct spot spot = { source, 1, 1, 1 };

	for (size_t at = 0; at < offset && at < source->len;) {
		struct str rest = { source->text + at, source->len - at };
		size_t end = break_length(rest), n = end > 0 ? end : utf8_length(rest);

		spot.line += end > 0;
		spot.column = end > 0 ? 1 : spot.column + 1;
		at += n > 0 ? n : 1;
	}
	return spot;
}

/* Where the window on a long line begins, in characters from 0. */
static unsigned
window_start(unsigned column)
{
	return column > EXCERPT_MAX - 40 ? column - 40 : 0;
}

/* The source line with each control shown as one blank, so that the caret below stays in its column. */
static void
add_excerpt(struct buf *out, struct str line, unsigned skip)
{
	for (unsigned at = 0; line.len > 0 && at < skip + EXCERPT_MAX; at++) {
		size_t n = utf8_length(line);

		n = n > 0 ? n : 1;
		if (at >= skip && utf8_is_control(line))
			buf_add_char(out, ' ');
		else if (at >= skip)
			buf_add_utf8(out, (struct str){ line.data, n });
		line.data += n;
		line.len -= n;
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_add_char(out, '\n');
}

static void
add_caret(struct buf *out, unsigned column, unsigned width)
{
	for (unsigned i = 1; i < column; i++)
		buf_add_char(out, ' ');
	buf_add_char(out, '^');
	for (unsigned i = 1; i < width && column + i <= EXCERPT_MAX; i++)
		buf_add_char(out, '~');
	buf_add_char(out, '\n');
}

static void
add_source_line(struct buf *out, struct spot spot)
{
	struct str line;
	unsigned skip = window_start(spot.column);

	if (spot.source == NULL || spot.line == 0 || spot.width == 0)
		return;
	line = find_line(spot.source, spot.line);
	if (line.data == NULL || str_trim(line).len == 0)
		return;
	buf_addf(out, "%6u | ", spot.line);
	add_excerpt(out, line, skip);
	buf_add_text(out, "       | ");
	add_caret(out, spot.column - skip, spot.width);
}

static void __attribute__((format(printf, 4, 0)))
add_block(struct buf *out, struct spot spot, const char *word, const char *fmt, va_list ap)
{
	char sentence[1024];

	if (spot.source != NULL)
		add_safe(out, str_of(spot.source->name));
	if (spot.source != NULL && spot.line > 0)
		buf_addf(out, ":%u:%u", spot.line, spot.column);
	buf_addf(out, "%s%s: ", spot.source != NULL ? ": " : "", word);
	vsnprintf(sentence, sizeof sentence, fmt, ap);
	add_safe(out, str_of(sentence));
	buf_add_char(out, '\n');
	add_source_line(out, spot);
}

/* A new problem at the end of the list; NULL: out of memory. */
static struct problem *
grow(struct diag *d)
{
	size_t cap = d->cap > 0 ? d->cap * 2 : 16;
	struct problem *more;

	if (d->n < d->cap)
		return &d->problems[d->n++];
	more = mem_resize(d->problems, cap, sizeof *more);
	if (more == NULL) {
		diag_nomem(d);
		return NULL;
	}
	d->problems = more;
	d->cap = cap;
	return &d->problems[d->n++];
}

static void __attribute__((format(printf, 4, 0)))
add_problem(struct diag *d, struct spot spot, const char *word, const char *fmt, va_list ap)
{
	struct problem *p = d->errors + d->warnings <= PROBLEMS_SHOWN ? grow(d) : NULL;

	if (p == NULL)
		return;
	*p = (struct problem){
		.order = spot.source != NULL ? spot.source->order : UINT_MAX,
		.line = spot.line,
		.column = spot.column,
		.index = d->n,
	};
	add_block(&p->block, spot, word, fmt, ap);
	if (p->block.failed)
		diag_nomem(d);
}

void
diag_error(struct diag *d, struct spot spot, const char *fmt, ...)
{
	va_list ap;

	d->errors++;
	va_start(ap, fmt);
	add_problem(d, spot, "error", fmt, ap);
	va_end(ap);
}

void
diag_warn(struct diag *d, struct spot spot, const char *fmt, ...)
{
	va_list ap;

	d->warnings++;
	va_start(ap, fmt);
	add_problem(d, spot, "warning", fmt, ap);
	va_end(ap);
}

static void
take(struct diag *d, struct spot spot, struct buf *sentence,
	void (*add)(struct diag *d, struct spot spot, const char *fmt, ...))
{
	if (sentence->failed)
		diag_nomem(d);
	else
		add(d, spot, "%s", sentence->data);
	buf_free(sentence);
}

void
diag_error_take(struct diag *d, struct spot spot, struct buf *sentence)
{
	take(d, spot, sentence, diag_error);
}

void
diag_warn_take(struct diag *d, struct spot spot, struct buf *sentence)
{
	take(d, spot, sentence, diag_warn);
}

void
diag_note(struct diag *d, struct spot spot, const char *fmt, ...)
{
	va_list ap;

	if (d->n == 0 || d->errors + d->warnings > PROBLEMS_SHOWN)
		return;
	va_start(ap, fmt);
	add_block(&d->problems[d->n - 1].block, spot, "note", fmt, ap);
	va_end(ap);
	if (d->problems[d->n - 1].block.failed)
		diag_nomem(d);
}

static int
compare_numbers(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare_problems(const void *left, const void *right)
{
	const struct problem *a = left, *b = right;
	int by = compare_numbers(a->order, b->order);

	by = by != 0 ? by : compare_numbers(a->line, b->line);
	by = by != 0 ? by : compare_numbers(a->column, b->column);
	return by != 0 ? by : compare_numbers(a->index, b->index);
}

void
diag_print(struct diag *d, struct buf *out)
{
	if (d->n > 0)
		qsort(d->problems, d->n, sizeof *d->problems, compare_problems);
	for (size_t i = 0; i < d->n; i++)
		buf_add_str(out, buf_str(&d->problems[i].block));
	if (d->nomem)
		buf_add_text(out, "error: out of memory\n");
}

void
diag_fini(struct diag *d)
{
	for (size_t i = 0; i < d->n; i++)
		buf_free(&d->problems[i].block);
	mem_free(d->problems);
	*d = (struct diag){ 0 };
}
