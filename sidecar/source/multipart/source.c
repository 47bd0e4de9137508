// SPDX-License-Identifier: MIT
/* source.c - forms (RFC 7578), as a source: see source/source.h. What a form is stands in form.h. */
#include "source/source.h"

#include "source/multipart/form.h"

static void *
new_body(const struct source_setup *setup, struct error *err)
{
	const struct limits *limits = &setup->route->limits;
	struct form_limits form_limits = { .parts = setup->parts, .part_head = limits->part_head };
	struct boundary boundary;

	if (!boundary_read(head_header(setup->head, "content-type"), &boundary, err))
		return NULL; /* decide() has asked the format before */
	return form_new(&boundary, &form_limits, setup->events, setup->arg, err);
}

static bool
feed(void *body, const char *data, size_t len, struct error *err)
{
	return form_feed(body, data, len, err);
}

static bool
finish(void *body, struct error *err)
{
	return form_finish(body, err);
}

static size_t
memory(const void *body)
{
	return form_memory(body);
}

static void
free_body(void *body)
{
	form_free(body);
}

extern const struct source_format multipart_format;
extern const struct source multipart_source;

const struct source multipart_source = {
	.format = &multipart_format,
	.new = new_body,
	.feed = feed,
	.finish = finish,
	.memory = memory,
	.free = free_body,
	.start = form_setup,
	.stop = form_teardown,
};
