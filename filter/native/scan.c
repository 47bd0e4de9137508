// SPDX-License-Identifier: MIT
/* scan.c - see scan.h. Contents of parts are skipped. */
#include "native/scan.h"

#include "route/body_limit.h"

static bool
on_head(void *arg, struct str text, uint64_t delimiter_offset, uint64_t head_offset)
{
	struct scan *scan = arg;

	return part_head_next(&scan->reader, &scan->form_limits, text, delimiter_offset, head_offset, scan->err);
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

	*scan = (struct scan){
		.limits = limits,
		.form_limits = { .parts = limits->parts, .part_head = limits->part_head },
	};
	scan->has_delimiters = boundary != NULL;
	if (scan->has_delimiters)
		guard_init(&scan->guard, boundary, limits->part_head, &events, scan);
}

void
scan_fini(struct scan *scan)
{
	part_head_free(&scan->reader);
	guard_fini(&scan->guard);
}

bool
scan_feed(struct scan *scan, const char *data, size_t len, struct error *err)
{
	uint64_t max = scan->limits->body, left = max - scan->seen;
	size_t n = len < left ? len : (size_t)left;

	scan->err = err;
	scan->seen += n;
	if (scan->has_delimiters && !guard_feed(&scan->guard, data, n, err))
		return false;
	if (n == len)
		return true;
	body_limit_refuse(max, err);
	err->offset = max;
	return false;
}
