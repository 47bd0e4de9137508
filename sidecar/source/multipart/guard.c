// SPDX-License-Identifier: MIT
/* guard.c - see guard.h.
 *
 * Only the delimiter's first byte is a carriage return, so a match that fails can only begin anew at the
 * byte that made it fail: `matched` alone carries the search from one piece to the next, and nothing has to be
 * looked at twice. Within a piece the delimiter's text is looked for, without its CRLF (finder.h): where that stands alone
 * in a content, or behind the end, somebody takes it for a delimiter. */
#include "source/multipart/guard.h"

#include "base/must.h"

#include <stddef.h>
#include <string.h>

#define HEAD_STEP 256 /* bytes of a head at a time */
#define DENSE_MIN 512 /* pieces shorter than this are never called dense ... */
#define DENSE 32      /* ... longer ones if one byte of so many is a carriage return */

#define NO_DASHES 3

#define AFTER_CLOSE "the final boundary is followed by something other than CRLF or the end"

void
guard_init(struct guard *guard, const struct boundary *boundary, uint64_t max_head,
	const struct guard_events *events, void *arg)
{
	*guard = (struct guard){ .events = events, .arg = arg, .max_head = max_head };
	memcpy(guard->delimiter, "\r\n--", 4);
	memcpy(guard->delimiter + 4, boundary->text, boundary->len);
	guard->delimiter_len = boundary->len + 4;
	guard->matched = guard->assumed = 2;
	finder_init(&guard->finder, boundary);
}

void
guard_fini(struct guard *guard)
{
	buf_free(&guard->head);
}

static bool
refuse(struct guard *guard, uint64_t offset, const char *why)
{
	error_set(guard->err, ERR_MALFORMED, "%s", why);
	guard->err->offset = offset;
	return false;
}

/* -- finding the delimiter ---------------------------------------------------------------------------- */

/* Where a delimiter begins, or could if more came, in [p, end), in which its text does not stand whole; `end`: nowhere. Its
 * first byte stands in it only once, so it is the last one there is, or none. */
static const char *
find_unfinished(const struct guard *guard, const char *p, const char *end)
{
	size_t most = guard->delimiter_len - 1;
	const char *from = (size_t)(end - p) > most ? end - most : p;
	const char *at = memrchr(from, '\r', (size_t)(end - from));

	return at != NULL && memcmp(at, guard->delimiter, (size_t)(end - at)) == 0 ? at : end;
}

/* First place in [p, end) where a delimiter begins, or could if more came; `end`: nowhere. *stray: the text of one stands
 * there without its CRLF, which would have been held back if it were in the piece before. */
static const char *
find_delimiter(struct guard *guard, const char *p, const char *end, bool *stray)
{
	size_t len = (size_t)(end - p), returns = 0;
	const char *at = finder_find(&guard->finder, p, end, &returns);

	guard->is_dense = len >= DENSE_MIN && returns > len / DENSE;
	*stray = false;
	if (at == end)
		return find_unfinished(guard, p, end);
	if (at - p >= 2 && at[-2] == '\r' && at[-1] == '\n')
		return at - 2;
	*stray = true;
	return at;
}

/* Some parsers take the text of a delimiter behind an LF alone, a CR alone, or anything (PHP, Python's email, Rack 2). */
static bool
refuse_stray(struct guard *guard)
{
	if (guard->state == GUARD_PREAMBLE)
		return refuse(guard, guard->preamble - guard->finder.len,
			"the boundary before the first part, not behind CR LF");
	return refuse(guard, guard->content_at - guard->finder.len,
		"the boundary within a part's content, not behind CR LF");
}

/* Before the first delimiter and behind the last one: an empty line after text. Django (parse_boundary_stream()) reads what
 * stands there as it reads a part, so such text is the head of one more. */
static bool
ends_head(struct guard *guard, char c)
{
	if (c == '\n' && guard->outside == OUTSIDE_LINE)
		return true;
	if (c == '\n' && guard->outside == OUTSIDE_TEXT)
		guard->outside = OUTSIDE_LINE; /* the line that begins here is empty so far */
	else if (c != '\r' && c != '\n')
		guard->outside = OUTSIDE_TEXT;
	return false;
}

_Static_assert(FORM_PREAMBLE_MAX == 1024, "the sentence says it");

/* A line that begins as delimiters do is one that somebody has got wrong: to skip it would be to lose a part. */
static bool
skip_byte(struct guard *guard, char c)
{
	if (guard->preamble == FORM_PREAMBLE_MAX)
		return refuse(guard, guard->preamble,
			"its boundary does not stand within the first 1024 bytes of the body");
	guard->preamble++;
	if (c == '\r' || c == '\n')
		guard->dashes = 0;
	else
		guard->dashes = c == '-' && guard->dashes < 2 ? guard->dashes + 1 : NO_DASHES;
	if (guard->dashes == 2)
		return refuse(
			guard, guard->preamble - 2, "a line before the first part begins with another boundary");
	return !ends_head(guard, c) ||
		refuse(guard, guard->preamble - 1, "text and an empty line before the first part, as a head has");
}

/* What stands before the first delimiter says nothing, as long as nobody can find a delimiter in it. */
static bool
skip_preamble(struct guard *guard, const char *data, size_t len)
{
	size_t stray = finder_pass(&guard->finder, data, len);

	for (size_t i = 0; i < (stray > 0 ? stray : len); i++)
		if (!skip_byte(guard, data[i]))
			return false;
	return stray == 0 || refuse_stray(guard);
}

static bool
emit(struct guard *guard, const char *data, size_t len)
{
	size_t stray;

	if (len == 0)
		return true;
	if (guard->state == GUARD_PREAMBLE)
		return skip_preamble(guard, data, len);
	stray = finder_pass(&guard->finder, data, len);
	len = stray > 0 ? stray : len; /* so that what comes first is told first, wherever the pieces end */
	guard->content_at += len;
	if (!guard->events->on_data(guard->arg, data, len, guard->is_dense))
		return false;
	return stray == 0 || refuse_stray(guard);
}

/* Input that goes on with the delimiter moves `matched`; input that does not gives back what was held. */
static bool
go_on_matching(struct guard *guard, const char **p, const char *end)
{
	while (*p < end && guard->matched < guard->delimiter_len && **p == guard->delimiter[guard->matched]) {
		guard->matched++;
		(*p)++;
	}
	if (*p == end || guard->matched == guard->delimiter_len)
		return true;
	if (!emit(guard, guard->delimiter + guard->assumed, guard->matched - guard->assumed))
		return false;
	guard->matched = guard->assumed = 0;
	return true;
}

static uint64_t
offset_of(const struct guard *guard, const char *p, const char *end)
{
	return guard->offset - (uint64_t)(end - p); /* guard->offset is that of `end` already */
}

static bool
on_delimiter(struct guard *guard, uint64_t offset)
{
	guard->delimiter_at = offset - (guard->matched - guard->assumed);
	if (guard->state == GUARD_BODY && guard->assumed > 0)
		return refuse(guard, guard->delimiter_at,
			"a delimiter right after a part's head, without a line of its own");
	if (guard->state == GUARD_BODY && !guard->events->on_end(guard->arg))
		return false;
	guard->matched = guard->assumed = 0;
	guard->after_len = 0;
	guard->state = GUARD_AFTER;
	finder_forget(&guard->finder);
	return true;
}

/* PREAMBLE and BODY: everything up to the next delimiter. */
static bool
scan(struct guard *guard, const char **p, const char *end)
{
	while (*p < end) {
		const char *found;
		bool stray;

		if (guard->matched > 0) {
			if (!go_on_matching(guard, p, end))
				return false;
			if (guard->matched == guard->delimiter_len)
				return on_delimiter(guard, offset_of(guard, *p, end));
			continue;
		}
		found = find_delimiter(guard, *p, end, &stray);
		if (!emit(guard, *p, (size_t)(found - *p) + (stray ? guard->finder.len : 0)))
			return false;
		if (stray)
			return refuse_stray(guard);
		*p = found;
		if (found < end) {
			guard->matched = 1;
			(*p)++;
		}
	}
	return true;
}

/* -- what is around the delimiters -------------------------------------------------------------------- */

static bool
read_after(struct guard *guard, const char **p, const char *end)
{
	uint64_t offset = offset_of(guard, *p, end);

	guard->after[guard->after_len++] = *(*p)++;
	if (guard->after[0] != '\r' && guard->after[0] != '-')
		return refuse(guard, offset, "a delimiter is followed by something other than CRLF or \"--\"");
	if (guard->after_len < 2)
		return true;
	if (memcmp(guard->after, "--", 2) == 0) {
		guard->state = GUARD_CLOSE;
		guard->after_len = 0;
		return true;
	}
	if (memcmp(guard->after, "\r\n", 2) != 0)
		return refuse(guard, offset, "a delimiter is followed by something other than CRLF or \"--\"");
	guard->state = GUARD_HEAD;
	guard->head_at = offset + 1;
	buf_clear(&guard->head);
	return true;
}

/* Behind the last delimiter: the end, or a line end and whatever follows it. */
static bool
read_close(struct guard *guard, const char **p, const char *end)
{
	if (**p != "\r\n"[guard->after_len])
		return refuse(guard, offset_of(guard, *p, end), AFTER_CLOSE);
	++*p;
	if (++guard->after_len == 2) {
		guard->state = GUARD_EPILOGUE;
		guard->outside = OUTSIDE_NOTHING;
	}
	return true;
}

/* To who looks for the first delimiter anywhere, or goes on behind the last one, the form begins here. */
static bool
read_epilogue(struct guard *guard, const char **p, const char *end)
{
	const char *stray = finder_pass_to_end(&guard->finder, *p, end), *most = stray != NULL ? stray : end;

	for (; *p < most; ++*p)
		if (ends_head(guard, **p))
			return refuse(guard, offset_of(guard, *p, end),
				"text and an empty line behind the final boundary, as a head has");
	if (stray == NULL)
		return true;
	return refuse(
		guard, offset_of(guard, stray, end) - guard->finder.len, "the boundary again behind the final one");
}

/* Where the empty line of the head ends, looking again only at the last three bytes of what was there
 * before; 0: not yet. */
static size_t
find_head_end(const struct buf *head, size_t before)
{
	size_t from = before > 3 ? before - 3 : 0;
	const char *found;

	if (head->len >= 2 && memcmp(head->data, "\r\n", 2) == 0)
		return 2;
	found = memmem(head->data + from, head->len - from, "\r\n\r\n", 4);
	return found != NULL ? (size_t)(found - head->data) + 4 : 0;
}

static bool
refuse_long_head(struct guard *guard)
{
	error_set(guard->err, ERR_TOO_LARGE, "a part's head is over part_head of %llu bytes",
		(unsigned long long)guard->max_head);
	memcpy(guard->err->limit, "part_head", sizeof "part_head");
	guard->err->offset = guard->head_at + guard->max_head;
	return false;
}

/* Whoever looks for it anywhere (Django) ends the part there. Line ends cannot stand in it, so the head has it whole. */
static bool
is_free_of_boundary(struct guard *guard, size_t head_len)
{
	size_t returns = 0;
	const char *head = guard->head.data, *found = finder_find(&guard->finder, head, head + head_len, &returns);

	return found == head + head_len ||
		refuse(guard, guard->head_at + (uint64_t)(found - head), "the boundary within a part's head");
}

static bool
begin_body(struct guard *guard, size_t head_len)
{
	if (!is_free_of_boundary(guard, head_len))
		return false;
	guard->state = GUARD_BODY;
	guard->matched = guard->assumed = 2; /* the empty line's CRLF: see on_delimiter() */
	guard->is_dense = false;
	guard->content_at = guard->head_at + head_len + 2;
	return guard->events->on_head(
		guard->arg, (struct str){ guard->head.data, head_len }, guard->delimiter_at, guard->head_at);
}

/* The head proper is what stands before the empty line. It is known to be too long as soon as what has come
 * cannot be a head and the beginning of its empty line any more. */
static bool
read_head(struct guard *guard, const char **p, const char *end)
{
	uint64_t most = guard->max_head + 2;
	size_t before = guard->head.len, n = (size_t)(end - *p), whole;

	if (n > HEAD_STEP) /* most of a piece is body: do not copy it */
		n = HEAD_STEP;
	if (n > most - before)
		n = (size_t)(most - before);
	buf_add(&guard->head, *p, n);
	if (guard->head.failed)
		return error_nomem(guard->err);
	whole = find_head_end(&guard->head, before);
	if (whole > 0) {
		*p += whole - before;
		return begin_body(guard, whole - 2);
	}
	*p += n;
	return guard->head.len < most ? true : refuse_long_head(guard);
}

/* -- the stream --------------------------------------------------------------------------------------- */

static bool
step(struct guard *guard, const char **p, const char *end)
{
	switch (guard->state) {
	case GUARD_AFTER:
		return read_after(guard, p, end);
	case GUARD_CLOSE:
		return read_close(guard, p, end);
	case GUARD_HEAD:
		return read_head(guard, p, end);
	case GUARD_PREAMBLE:
	case GUARD_BODY:
		return scan(guard, p, end);
	case GUARD_EPILOGUE:
		return read_epilogue(guard, p, end);
	}
	must_not_get_here();
}

bool
guard_feed(struct guard *guard, const char *data, size_t len, struct error *err)
{
	const char *p = data, *end = data + len;

	guard->err = err;
	guard->offset += len;
	while (p < end)
		if (!step(guard, &p, end))
			return false;
	return true;
}

bool
guard_finish(struct guard *guard, struct error *err)
{
	guard->err = err;
	if (guard->state == GUARD_EPILOGUE || (guard->state == GUARD_CLOSE && guard->after_len == 0))
		return true;
	if (guard->state == GUARD_CLOSE)
		return refuse(guard, guard->offset, AFTER_CLOSE);
	if (guard->state == GUARD_PREAMBLE && guard->offset > 0)
		return refuse(guard, 0, "the body never shows its boundary");
	error_set(err, ERR_TRUNCATED, "the body ends before its final boundary");
	err->offset = guard->offset;
	return false;
}
