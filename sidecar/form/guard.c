// SPDX-License-Identifier: MIT
/* guard.c - see guard.h.
 *
 * Only the delimiter's first byte is a carriage return, so a match that fails can only begin anew at the
 * byte that made it fail: `matched` alone carries the search from one piece to the next, and nothing has to be
 * looked at twice. Most of a body is skipped in blocks, several bytes at a time. */
#include "form/guard.h"

#include "base/must.h"

#include <stddef.h>
#include <string.h>

#define BLOCK 128 /* bytes that are looked at together */
#define WORD 8
#define HEAD_STEP 256 /* bytes of a head at a time */
#define DENSE_MIN 512 /* pieces shorter than this are never called dense ... */
#define DENSE 32      /* ... longer ones if one byte of so many is a carriage return */

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
	memcpy(&guard->beginning, guard->delimiter, WORD); /* a short one is filled up with zeros */
	for (size_t i = 0; i < WORD && i < guard->delimiter_len; i++)
		((unsigned char *)&guard->beginning_mask)[i] = 0xff;
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

/* How many bytes at p, which is a CR, surely go on like the delimiter: where they cease to, the number is one of whole
 * words. None but the first of these bytes is a CR, so behind them the search may go on: no byte is looked at more than
 * twice. */
static size_t
match_length(const struct guard *guard, const char *p, const char *end)
{
	size_t left = (size_t)(end - p), most = left < guard->delimiter_len ? left : guard->delimiter_len, n = 0;

	while (n + WORD <= most &&
		memcmp(p + n, guard->delimiter + n, WORD) == 0) /* one comparison: WORD is constant */
		n += WORD;
	if (n + WORD <= most)
		return n;
	while (n < most && p[n] == guard->delimiter[n])
		n++;
	return n;
}

/* Skips blocks in which no delimiter begins, and counts the carriage returns in what it has looked at. A delimiter begins
 * with CRLF and two hyphens, and the first and the third of these bytes are rare neighbours in text and in pictures alike.
 * Written so that compilers make a few wide instructions of it. */
static inline __attribute__((always_inline)) const char *
skip_blocks(const char *p, const char *end, size_t *returns)
{
	size_t passed = 0;

	while (end - p >= BLOCK + 2) {
		unsigned char hit = 0, n = 0;

		for (size_t i = 0; i < BLOCK; i++) {
			hit |= (unsigned char)((p[i] == '\r') & (p[i + 2] == '-'));
			n = (unsigned char)(n + (p[i] == '\r'));
		}
		passed += n;
		if (hit != 0)
			break;
		p += BLOCK;
	}
	*returns += passed;
	return p;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static const char *
skip_blocks_avx2(const char *p, const char *end, size_t *returns)
{
	return skip_blocks(p, end, returns);
}
#endif

static const char *
skip_clean(const char *p, const char *end, size_t *returns)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return skip_blocks_avx2(p, end, returns);
#endif
	return skip_blocks(p, end, returns);
}

/* First place in [p, stop) where the delimiter's first eight bytes stand (all of a shorter one); `stop`: nowhere. There
 * are eight bytes to be read at each place. One load and one comparison for each byte, whatever the bytes are. */
static const char *
find_beginning(const struct guard *guard, const char *p, const char *stop)
{
	for (uint64_t here; p < stop; p++) {
		memcpy(&here, p, WORD);
		if (((here ^ guard->beginning) & guard->beginning_mask) == 0)
			break;
	}
	return p;
}

/* Byte by byte. Returns where a delimiter may begin (*found), or where it stopped looking, at `stop` or a little
 * behind. */
static const char *
look_closely(const struct guard *guard, const char *p, const char *stop, const char *end, bool *found)
{
	while (p < stop) {
		size_t n;

		if (end - p > WORD)
			p = find_beginning(guard, p, stop < end - WORD ? stop : end - WORD);
		if (p == stop)
			break;
		n = *p == '\r' ? match_length(guard, p, end) : 0;
		*found = n > 0 && (n == guard->delimiter_len || p + n == end);
		if (*found)
			return p;
		p += n > 0 ? n : 1;
	}
	return p;
}

/* First place in [p, end) where a delimiter begins, or could if more came; `end`: nowhere. Only a block in which one may
 * begin is looked at byte by byte. */
static const char *
find_delimiter(struct guard *guard, const char *p, const char *end)
{
	size_t len = (size_t)(end - p), returns = 0;
	bool found = false;

	while (p < end && !found) {
		p = skip_clean(p, end, &returns);
		p = look_closely(guard, p, end - p > BLOCK ? p + BLOCK : end, end, &found);
	}
	guard->is_dense = len >= DENSE_MIN && returns > len / DENSE;
	return p;
}

/* Before the first delimiter only line ends may stand: who sends more is not understood by everybody. */
static bool
skip_preamble(struct guard *guard, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++, guard->preamble++)
		if ((data[i] != '\r' && data[i] != '\n') || guard->preamble == FORM_PREAMBLE_MAX)
			return refuse(guard, guard->preamble, "the body does not begin with its boundary");
	return true;
}

static bool
emit(struct guard *guard, const char *data, size_t len)
{
	if (len == 0)
		return true;
	if (guard->state == GUARD_PREAMBLE)
		return skip_preamble(guard, data, len);
	return guard->events->on_data(guard->arg, data, len, guard->is_dense);
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
	return true;
}

/* PREAMBLE and BODY: everything up to the next delimiter. */
static bool
scan(struct guard *guard, const char **p, const char *end)
{
	while (*p < end) {
		const char *found;

		if (guard->matched > 0) {
			if (!go_on_matching(guard, p, end))
				return false;
			if (guard->matched == guard->delimiter_len)
				return on_delimiter(guard, offset_of(guard, *p, end));
			continue;
		}
		found = find_delimiter(guard, *p, end);
		if (!emit(guard, *p, (size_t)(found - *p)))
			return false;
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
	if (++guard->after_len == 2)
		guard->state = GUARD_EPILOGUE;
	return true;
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

static bool
begin_body(struct guard *guard, size_t head_len)
{
	guard->state = GUARD_BODY;
	guard->matched = guard->assumed = 2; /* the empty line's CRLF: see on_delimiter() */
	guard->is_dense = false;
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
		return error_set(guard->err, ERR_NOMEM, "out of memory");
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
		*p = end;
		return true;
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
