// SPDX-License-Identifier: MIT
/* scan.c - see scan.h. Contents of parts are skipped, and so are their heads, but for their number and length: what
 * they say is the sidecar's to read. */
#include "native/scan.h"

#include <inttypes.h>
#include <stdio.h>

#define BLOCK 64   /* bytes that are looked at together */
#define STRIDE 256 /* bytes that the guard gets where a delimiter may begin */

/* In the words of the sidecar, which would say the same a moment later, for the same byte. */
static bool
too_large(struct error *err, const char *limit, uint64_t offset)
{
	snprintf(err->limit, sizeof err->limit, "%s", limit);
	err->offset = offset;
	return false;
}

static bool
on_head(void *arg, struct str text, uint64_t delimiter_offset, uint64_t head_offset)
{
	struct scan *scan = arg;

	(void)text;
	(void)head_offset;
	if (++scan->parts <= scan->limits->parts)
		return true;
	error_set(scan->err, ERR_TOO_LARGE, "more than %" PRIu64 " parts", scan->limits->parts);
	return too_large(scan->err, "parts", delimiter_offset);
}

static bool
on_data(void *arg, const char *data, size_t len, bool is_dense)
{
	(void)arg;
	(void)data;
	(void)len;
	(void)is_dense;
	return true;
}

static bool
on_end(void *arg)
{
	(void)arg;
	return true;
}

/* Could a delimiter begin among the first BLOCK bytes? Each begins with CRLF and two hyphens, and the bytes of that line
 * end and that hyphen, two apart, are rare neighbours in text and in pictures alike. Written so that compilers make a
 * few wide instructions of it. */
static inline __attribute__((always_inline)) bool
may_begin(const char *p)
{
	unsigned char hit = 0;

	for (size_t i = 0; i < BLOCK; i++)
		hit |= (unsigned char)((p[i] == '\r') & (p[i + 2] == '-'));
	return hit != 0;
}

static inline __attribute__((always_inline)) const char *
skip_blocks(const char *p, const char *end)
{
	while (end - p >= BLOCK + 2 && !may_begin(p))
		p += BLOCK;
	return p;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static const char *
skip_blocks_avx2(const char *p, const char *end)
{
	return skip_blocks(p, end);
}
#endif

static const char *
skip_clean(const char *p, const char *end)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return skip_blocks_avx2(p, end);
#endif
	return skip_blocks(p, end);
}

/* The guard looks at every byte; this does it several times faster where there is nothing to be found. */
static void
skip_contents(struct guard *guard, const char **p, const char *end)
{
	const char *from = *p;

	if (!guard_may_skip(guard))
		return;
	*p = skip_clean(*p, end);
	guard_skip(guard, (size_t)(*p - from));
}

static bool
feed_guard(struct guard *guard, const char *p, const char *end, struct error *err)
{
	while (p < end) {
		size_t n;

		skip_contents(guard, &p, end);
		n = end - p > STRIDE ? STRIDE : (size_t)(end - p);
		if (!guard_feed(guard, p, n, err))
			return false;
		p += n;
	}
	return true;
}

void
scan_init(struct scan *scan, const struct limits *limits, const struct boundary *boundary)
{
	static const struct guard_events events = { on_head, on_data, on_end };

	*scan = (struct scan){ .limits = limits };
	guard_init(&scan->guard, boundary, limits->part_head, &events, scan);
}

void
scan_fini(struct scan *scan)
{
	guard_fini(&scan->guard);
}

bool
scan_feed(struct scan *scan, const char *data, size_t len, struct error *err)
{
	uint64_t max = scan->limits->body, left = max - scan->seen;
	size_t n = len < left ? len : (size_t)left;

	scan->err = err;
	scan->seen += n;
	if (!feed_guard(&scan->guard, data, data + n, err))
		return false;
	if (n == len)
		return true;
	error_set(err, ERR_TOO_LARGE, "the body is over the limit of %" PRIu64 " bytes", max);
	return too_large(err, "body", max);
}
