// SPDX-License-Identifier: MIT
/* scan.c - see scan.h. Contents of parts are skipped, and so are their heads, but for their number and length: what
 * they say is the sidecar's to read. */
#include "native/scan.h"

#include <inttypes.h>
#include <stdio.h>

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
	error_set(scan->err, ERR_TOO_LARGE, "more than %" PRIu64 " part%s", scan->limits->parts,
		PLURAL(scan->limits->parts));
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
	if (!guard_feed(&scan->guard, data, n, err))
		return false;
	if (n == len)
		return true;
	error_set(err, ERR_TOO_LARGE, "the body is over the limit of %" PRIu64 " byte%s", max, PLURAL(max));
	return too_large(err, "body", max);
}
