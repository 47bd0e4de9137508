// SPDX-License-Identifier: MIT
/* source.c - a body that is one file, as a source: see source/source.h.
 *
 *   new: the file's name ─▶ BEFORE ─first bytes, or the end▶ on_begin ─▶ WITHIN ─the end▶ on_end
 *
 * The name is that of Content-Disposition, read by the same rules as that of a part (source/multipart/disposition.h);
 * where there is none, or an empty one, the last segment of the path. A body without a byte is a file without a byte. */
#include "source/source.h"

#include "base/mem.h"
#include "route/head.h"
#include "source/multipart/disposition.h"

struct raw {
	struct source_setup setup;
	struct part_head head;
	struct buf filename;
	bool has_begun;
	uint64_t size;
};

static bool
refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_BAD_REQUEST, "%s", why);
}

/* -- the file's name ---------------------------------------------------------------------------------- */

/* Appends what the header says, which may be nothing. */
static bool
name_by_header(const struct head *head, struct buf *out, struct error *err)
{
	struct str value = head_header(head, "content-disposition"), second;
	struct disposition disposition = { 0 };
	bool ok = true;

	if (head->header(head->arg, STR("content-disposition"), 1, &second))
		return refuse(err, "more than one Content-Disposition");
	if (value.len == 0)
		return true;
	ok = disposition_read_file(&disposition, value, err);
	if (ok)
		buf_add_str(out, buf_str(&disposition.filename));
	else if (err->kind == ERR_MALFORMED) /* it is the request's head that is */
		err->kind = ERR_BAD_REQUEST;
	disposition_free(&disposition);
	return ok;
}

/* decide() has looked at the path: each %XX in it is one. */
static bool
name_by_path(const struct head *head, struct buf *out, struct error *err)
{
	struct str path = head_path(head);
	size_t n = path.len;

	while (n > 0 && path.data[n - 1] != '/')
		n--;
	return percent_decode((struct str){ path.data + n, path.len - n }, false, out) ||
		refuse(err, "the path has a % that is not an escape");
}

static bool
find_name(const struct head *head, struct buf *out, struct error *err)
{
	if (!name_by_header(head, out, err))
		return false;
	if (out->len == 0 && !name_by_path(head, out, err))
		return false;
	return !out->failed || error_nomem(err);
}

/* A client that resumes (`curl -C`) sends a piece, which would be stored as if it were all of the file (RFC 9110 section 14.5). */
static bool
is_no_piece(const struct head *head, struct error *err)
{
	struct str range;

	return !head->header(head->arg, STR("content-range"), 0, &range) ||
		refuse(err, "a Content-Range: the body has to be the whole file, and not a piece of one");
}

/* -- the body ----------------------------------------------------------------------------------------- */

static void
free_body(void *body)
{
	struct raw *raw = body;

	if (raw == NULL)
		return;
	buf_free(&raw->filename);
	mem_free(raw);
}

static void *
new_body(const struct source_setup *setup, struct error *err)
{
	struct raw *raw = mem_zalloc(sizeof *raw);
	struct str type = head_header(setup->head, "content-type");

	if (raw == NULL) {
		error_nomem(err);
		return NULL;
	}
	raw->setup = *setup;
	if (!is_no_piece(setup->head, err) || !find_name(setup->head, &raw->filename, err)) {
		free_body(raw);
		return NULL;
	}
	raw->head = (struct part_head){
		.number = 1,
		.field = str_of(setup->route->raw),
		.filename = raw->filename.len > 0 ? buf_str(&raw->filename) : STR(""),
		.type = type.len > 0 ? type : STR_NONE,
		.request = setup->head,
	};
	return raw;
}

static bool
begin(struct raw *raw)
{
	if (raw->has_begun)
		return true;
	raw->has_begun = true;
	return raw->setup.events->on_begin(raw->setup.arg, &raw->head);
}

static bool
feed(void *body, const char *data, size_t len, struct error *err)
{
	struct raw *raw = body;

	(void)err;
	raw->size += len;
	return begin(raw) && raw->setup.events->on_data(raw->setup.arg, data, len);
}

static bool
finish(void *body, struct error *err)
{
	struct raw *raw = body;

	(void)err;
	return begin(raw) && raw->setup.events->on_end(raw->setup.arg, raw->size);
}

static size_t
memory(const void *body)
{
	const struct raw *raw = body;

	return raw->filename.cap;
}

extern const struct source_format raw_format;
extern const struct source raw_source;

const struct source raw_source = {
	.format = &raw_format,
	.new = new_body,
	.feed = feed,
	.finish = finish,
	.memory = memory,
	.free = free_body,
};
