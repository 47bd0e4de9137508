// SPDX-License-Identifier: MIT
/* form.c - see form.h: the guard in front, the post-processor behind, and the events in between. */
#include "source/multipart/form.h"

#include "base/mem.h"
#include "base/must.h"
#include "source/multipart/guard.h"
#include "source/multipart/part_head.h"
#include "source/multipart/postproc.h"

struct form {
	struct guard guard;
	struct postproc *postproc;
	struct head_reader reader;
	struct form_limits limits;
	const struct source_events *events;
	void *arg;
	uint64_t size; /* of the part under way */
	bool has_failed;
};

/* -- events of the guard ------------------------------------------------------------------------------ */

static bool
on_head(void *arg, struct str text, uint64_t delimiter_offset, uint64_t head_offset)
{
	struct form *form = arg;
	struct error *err = form->guard.err;
	struct head_reader *reader = &form->reader;

	if (!part_head_next(reader, &form->limits, text, delimiter_offset, head_offset, err))
		return false;
	form->size = 0;
	return form->events->on_begin(form->arg, &reader->head) &&
		postproc_begin(form->postproc, reader->head.number, err);
}

static bool
on_data(void *arg, const char *data, size_t len, bool is_dense)
{
	struct form *form = arg;

	return postproc_data(form->postproc, data, len, is_dense, form->guard.err);
}

static bool
on_end(void *arg)
{
	struct form *form = arg;

	return postproc_end(form->postproc, form->guard.err) && form->events->on_end(form->arg, form->size);
}

static const struct guard_events guard_events = { .on_head = on_head, .on_data = on_data, .on_end = on_end };

/* What the post-processor delivers. */
static bool
on_bytes(void *arg, const char *data, size_t len)
{
	struct form *form = arg;

	form->size += len;
	return form->events->on_data(form->arg, data, len);
}

/* -- the form ----------------------------------------------------------------------------------------- */

struct form *
form_new(const struct boundary *boundary, const struct form_limits *limits, const struct source_events *events,
	void *arg, struct error *err)
{
	struct form *form = mem_zalloc(sizeof *form);

	if (form == NULL) {
		error_nomem(err);
		return NULL;
	}
	form->limits = *limits;
	form->events = events;
	form->arg = arg;
	guard_init(&form->guard, boundary, limits->part_head, &guard_events, form);
	form->postproc = postproc_new(on_bytes, form, err);
	if (form->postproc == NULL) {
		form_free(form);
		return NULL;
	}
	return form;
}

bool
form_feed(struct form *form, const char *data, size_t len, struct error *err)
{
	must(!form->has_failed);
	form->has_failed = !guard_feed(&form->guard, data, len, err);
	return !form->has_failed;
}

bool
form_finish(struct form *form, struct error *err)
{
	must(!form->has_failed);
	return guard_finish(&form->guard, err);
}

size_t
form_memory(const struct form *form)
{
	return form->guard.head.cap + part_head_memory(&form->reader);
}

void
form_free(struct form *form)
{
	if (form == NULL)
		return;
	postproc_free(form->postproc);
	part_head_free(&form->reader);
	guard_fini(&form->guard);
	mem_free(form);
}

bool
form_setup(struct error *err)
{
	return postproc_setup(err);
}

void
form_teardown(void)
{
	postproc_teardown();
}
