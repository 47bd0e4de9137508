// SPDX-License-Identifier: MIT
/* fuzz_form.c - any body, cut anywhere: the same events and the same verdict, and no delimiter in what a part holds.
 * The first two bytes choose the cuts, the rest is the body of a form with boundary "B". */
#include "source/multipart/form.h"

#include <inttypes.h>
#include <stdlib.h>

static struct boundary boundary = { "B", 1 };

static size_t whole_parts; /* length of the log up to the last part that was whole */

static bool
on_begin(void *arg, const struct part_head *head)
{
	struct buf *log = arg;

	buf_add_text(log, "\n[");
	buf_add_str(log, head->field);
	buf_addf(log, "|%" PRIu64 "|%" PRIu64 "]", head->offset, head->data_offset);
	return true;
}

static bool
on_data(void *arg, const char *data, size_t len)
{
	buf_add(arg, data, len);
	return true;
}

static bool
on_end(void *arg, uint64_t size)
{
	struct buf *log = arg;

	buf_addf(log, "<%" PRIu64 ">", size);
	whole_parts = log->len;
	return true;
}

static const struct source_events events = { .on_begin = on_begin, .on_data = on_data, .on_end = on_end };

static void
run(const char *data, size_t len, size_t first, size_t step, struct buf *log)
{
	struct form_limits limits = { .parts = 20, .part_head = 300 };
	struct error err = { 0 };
	struct form *form = form_new(&boundary, &limits, &events, log, &err);
	bool ok = form != NULL;

	whole_parts = 0;
	for (size_t at = 0; ok && at < len;) {
		size_t n = at == 0 && first > 0 ? first : step;

		n = n < len - at ? n : len - at;
		ok = form_feed(form, data + at, n, &err);
		at += n;
	}
	if (ok)
		ok = form_finish(form, &err);
	log->len = whole_parts; /* how much of a part came before an error depends on the cuts */
	buf_addf(log, "\n%d %d %" PRIu64 " %s", ok, (int)err.kind, err.offset, err.message);
	form_free(form);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error err = { 0 };

	(void)argc;
	(void)argv;
	return form_setup(&err) ? 0 : -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, cut = { 0 };

	if (size < 2)
		return 0;
	run((const char *)data + 2, size - 2, 0, size, &whole);
	run((const char *)data + 2, size - 2, data[0], data[1] % 64u + 1, &cut);
	if (!str_equal(buf_str(&whole), buf_str(&cut)))
		abort();
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
