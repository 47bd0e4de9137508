// SPDX-License-Identifier: MIT
/* fuzz_head.c - any Content-Type, path and query: the first line of the input is a Content-Type, the second a
 * request target, the rest a part's head. */
#include "route/match.h"
#include "source/multipart/form.h"
#include "source/multipart/part_head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str
next_line(struct str *rest)
{
	const char *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t n = end != NULL ? (size_t)(end - rest->data) : rest->len;
	struct str line = { rest->data, n };

	n += end != NULL;
	*rest = (struct str){ rest->data + n, rest->len - n };
	return line;
}

static void
try_target(struct str target)
{
	struct head head = { .target = target };
	struct path path;
	struct error err = { 0 };
	struct buf value = { 0 };

	if (path_read(head_path(&head), &path, &err))
		for (size_t i = 0; i < path.n_segments; i++)
			if (path.segments[i].len == 0 || str_is(path.segments[i], ".."))
				abort();
	head_query_value(&head, STR("a"), &value);
	buf_free(&value);
}

static void
try_part_head(struct str text)
{
	const struct form_limits limits = { .parts = 1, .part_head = text.len };
	struct head_reader reader = { 0 };
	struct error err = { 0 };

	if (part_head_next(&reader, &limits, text, 0, 0, &err) != !error_is_set(&err))
		abort();
	part_head_free(&reader);
}

/* Of the first header line. */
static struct str
first_value(struct str text)
{
	const char *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
	size_t n = colon != NULL ? (size_t)(colon - text.data) + 1 : 0;
	const char *end = memchr(text.data + n, '\r', text.len - n);

	return (struct str){ text.data + n, end != NULL ? (size_t)(end - text.data) - n : text.len - n };
}

static void
try_disposition(struct str text)
{
	struct disposition disposition = { 0 };
	struct error err = { 0 };

	if (disposition_read_file(&disposition, text, &err) != !error_is_set(&err))
		abort();
	disposition_free(&disposition);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size };
	struct boundary boundary;
	struct error err = { 0 };

	if (boundary_read(next_line(&rest), &boundary, &err) &&
		(boundary.len == 0 || boundary.len > FORM_BOUNDARY_MAX))
		abort();
	try_target(next_line(&rest));
	try_disposition(first_value(rest));
	try_part_head(rest);
	return 0;
}
