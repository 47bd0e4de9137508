// SPDX-License-Identifier: MIT
/* agree.c - see agree.h. */
#include "lib/agree.h"

#include "native/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* -- feeding -------------------------------------------------------------------------------------- */

struct reader {
	bool (*feed)(struct reader *, const char *data, size_t len, struct error *err);
	const struct limits *limits;
	struct scan scan;
	struct form *form;
	uint64_t seen;
};

static bool
feed_scan(struct reader *reader, const char *data, size_t len, struct error *err)
{
	return scan_feed(&reader->scan, data, len, err);
}

/* As the sidecar does (parts_feed()). */
static bool
feed_form(struct reader *reader, const char *data, size_t len, struct error *err)
{
	uint64_t max = reader->limits->body, left = max - reader->seen;
	size_t n = len < left ? len : (size_t)left;

	reader->seen += n;
	if (!form_feed(reader->form, data, n, err))
		return false;
	if (n == len)
		return true;
	error_set(err, ERR_TOO_LARGE, "the body is over the limit of %" PRIu64 " byte%s", max, PLURAL(max));
	snprintf(err->limit, sizeof err->limit, "body");
	err->offset = max;
	return false;
}

static bool
feed_all(struct reader *reader, struct str body, struct cut cut, struct error *err)
{
	for (size_t at = 0; at < body.len;) {
		size_t n = at == 0 && cut.first > 0 ? cut.first : cut.step;

		n = n < body.len - at ? n : body.len - at;
		if (!reader->feed(reader, body.data + at, n, err))
			return false;
		at += n;
	}
	return true;
}

static void
describe(const struct error *err, struct buf *verdict)
{
	buf_addf(verdict, "%s@%lld %s: %s", error_kind_name(err->kind), (long long)err->offset, err->limit,
		err->message);
}

/* -- the two -------------------------------------------------------------------------------------- */

static bool
run_scan(const struct boundary *boundary, const struct limits *limits, struct str body, struct cut cut,
	struct error *err)
{
	struct reader reader = { .feed = feed_scan };
	bool ok;

	scan_init(&reader.scan, limits, boundary);
	ok = feed_all(&reader, body, cut, err);
	scan_fini(&reader.scan);
	return ok;
}

static bool
on_begin(void *arg, const struct part_head *head)
{
	(void)arg;
	(void)head;
	return true;
}

static bool
on_data(void *arg, const char *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	return true;
}

static bool
on_end(void *arg, uint64_t size)
{
	(void)arg;
	(void)size;
	return true;
}

static bool
run_form(const struct boundary *boundary, const struct limits *limits, struct str body, struct cut cut,
	struct error *err, bool *has_ended)
{
	static const struct source_events events = { .on_begin = on_begin, .on_data = on_data, .on_end = on_end };
	struct form_limits form_limits = { .parts = limits->parts, .part_head = limits->part_head };
	struct reader reader = { .feed = feed_form, .limits = limits };
	bool ok;

	reader.form = form_new(boundary, &form_limits, &events, NULL, err);
	ok = reader.form != NULL && feed_all(&reader, body, cut, err);
	*has_ended = ok;
	ok = ok && form_finish(reader.form, err);
	form_free(reader.form);
	return ok;
}

void
agree_scan(const struct boundary *boundary, const struct limits *limits, struct str body, struct cut cut,
	struct buf *verdict)
{
	struct error err = { 0 };

	if (run_scan(boundary, limits, body, cut, &err))
		buf_add_text(verdict, "passed");
	else
		describe(&err, verdict);
}

void
agree_form(const struct boundary *boundary, const struct limits *limits, struct str body, struct cut cut,
	struct buf *verdict)
{
	struct error err = { 0 };
	bool has_ended;

	if (run_form(boundary, limits, body, cut, &err, &has_ended))
		buf_add_text(verdict, "whole");
	else
		describe(&err, verdict);
}

/* -- do they agree? ------------------------------------------------------------------------------- */

static bool
is_same(const struct error *a, const struct error *b)
{
	return a->kind == b->kind && a->offset == b->offset && strcmp(a->limit, b->limit) == 0 &&
		strcmp(a->message, b->message) == 0;
}

/* How a body ends is not the scanner's to judge. */
static bool
do_agree(const struct error *scan, const struct error *form, bool has_ended)
{
	return has_ended ? scan->kind == ERR_NONE : is_same(scan, form);
}

bool
agree(const struct boundary *boundary, const struct limits *limits, struct str body, struct cut cut,
	struct buf *why)
{
	struct error scan = { 0 }, whole = { 0 }, form = { 0 };
	bool has_ended;

	run_scan(boundary, limits, body, cut, &scan);
	run_scan(boundary, limits, body, (struct cut){ 0, body.len + 1 }, &whole);
	run_form(boundary, limits, body, cut, &form, &has_ended);
	if (is_same(&scan, &whole) && do_agree(&scan, &form, has_ended))
		return true;
	buf_add_text(why, "scanner: ");
	describe(&scan, why);
	buf_add_text(why, "\nscanner, body whole: ");
	describe(&whole, why);
	buf_add_text(why, "\nform: ");
	describe(&form, why);
	return false;
}
