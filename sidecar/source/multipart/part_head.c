// SPDX-License-Identifier: MIT
/* part_head.c - see part_head.h. Lines first, then what they say together. */
#include "source/multipart/part_head.h"

#include <inttypes.h>
#include <string.h>

/* Where in the body something is wrong. */
struct head_place {
	uint64_t offset; /* of the line being read */
	struct error *err;
};

static bool
refuse(struct head_place *place, const char *why)
{
	error_set(place->err, ERR_MALFORMED, "%s", why);
	place->err->offset = place->offset;
	return false;
}

/* -- lines -------------------------------------------------------------------------------------------- */

/* Why a line is none, in words that help who wrote it. */
static bool
refuse_line(struct head_place *place, struct str line, size_t name_len)
{
	if (name_len > 0 && name_len < line.len && strchr(" \t", line.data[name_len]) != NULL &&
		memchr(line.data + name_len, ':', line.len - name_len) != NULL)
		return refuse(place, "a blank in a header's name, or between it and its colon, in a part's head");
	return refuse(place, "a header line without a name and a colon in a part's head");
}

static bool
add_header(struct head_reader *reader, struct head_place *place, struct str line)
{
	struct part_header *header = &reader->headers[reader->head.n_headers];
	size_t n = 0;

	if (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t'))
		return refuse(place, "a folded header line in a part's head");
	if (str_has_control(line))
		return refuse(place, "a control byte in a part's head");
	while (n < line.len && str_is_token_char(line.data[n]))
		n++;
	if (n == 0 || n == line.len || line.data[n] != ':')
		return refuse_line(place, line, n);
	if (n > 1 && line.data[0] == '-' && line.data[1] == '-') /* some look for delimiters in heads too */
		return refuse(place, "a header line that begins like a delimiter in a part's head");
	if (reader->head.n_headers == FORM_HEADERS_MAX)
		return refuse(place, "too many header lines in a part's head");
	header->name = (struct str){ line.data, n };
	header->value = str_trim((struct str){ line.data + n + 1, line.len - n - 1 });
	reader->head.n_headers++;
	return true;
}

static bool
read_lines(struct head_reader *reader, struct head_place *place, struct str text)
{
	while (text.len > 0) {
		const char *end = memmem(text.data, text.len, "\r\n", 2);
		size_t n = end != NULL ? (size_t)(end - text.data) : text.len;

		if (!add_header(reader, place, (struct str){ text.data, n }))
			return false;
		n += end != NULL ? 2 : 0;
		text = (struct str){ text.data + n, text.len - n };
		place->offset += n;
	}
	return true;
}

/* The one header of that name; *value is STR_NONE if there is none. False: there are two. */
static bool
single_header(const struct head_reader *reader, const char *name, struct str *value)
{
	*value = STR_NONE;
	for (size_t i = 0; i < reader->head.n_headers; i++) {
		if (!str_equal_nocase(reader->headers[i].name, str_of(name)))
			continue;
		if (value->data != NULL)
			return false;
		*value = reader->headers[i].value;
	}
	return true;
}

/* -- the head ----------------------------------------------------------------------------------------- */

/* The several files of one field in a form of their own, of RFC 2388. Some read it, RFC 7578 section 4.3 drops it. A file
 * of any type is a file. */
static bool
is_nested_form(const struct part_head *head)
{
	struct str type = head->type;

	if (head->filename.data != NULL || !str_starts_nocase(type, "multipart/mixed"))
		return false;
	for (; type.len > 0; type.data++, type.len--)
		if (str_starts_nocase(type, "boundary"))
			return true;
	return false;
}

static bool
read_disposition(struct head_reader *reader, struct head_place *place, struct str value)
{
	struct disposition *disposition = &reader->disposition;

	if (!disposition_read(disposition, value, place->err)) {
		if (place->err->kind == ERR_MALFORMED)
			place->err->offset = place->offset;
		return false;
	}
	reader->head.field = buf_str(&disposition->field);
	reader->head.filename = disposition->is_file ? buf_str(&disposition->filename) : STR_NONE;
	/* A browser sends a file input that was left empty as filename="" without content. */
	reader->head.may_be_unfilled = disposition->is_file && disposition->filename.len == 0;
	return true;
}

/* `offset`: of the first line. */
static bool
read_head(struct head_reader *reader, struct str text, uint64_t offset, struct error *err)
{
	struct head_place place = { offset, err };
	struct str disposition;

	reader->head = (struct part_head){ .headers = reader->headers };
	if (!read_lines(reader, &place, text))
		return false;
	place.offset = offset; /* what follows concerns the head as a whole */
	if (!single_header(reader, "content-disposition", &disposition))
		return refuse(&place, "more than one Content-Disposition in a part's head");
	if (disposition.data == NULL)
		return refuse(&place, "a part without Content-Disposition");
	if (!single_header(reader, "content-type", &reader->head.type))
		return refuse(&place, "more than one Content-Type in a part's head");
	if (!single_header(reader, "content-transfer-encoding", &reader->head.encoding))
		return refuse(&place, "more than one Content-Transfer-Encoding in a part's head");
	if (!read_disposition(reader, &place, disposition))
		return false;
	return !is_nested_form(&reader->head) || refuse(&place, "a nested multipart part");
}

static bool
refuse_too_many(const struct form_limits *limits, uint64_t offset, struct error *err)
{
	error_set(err, ERR_TOO_LARGE, "more than %" PRIu64 " part%s", limits->parts, PLURAL(limits->parts));
	error_name_limit(err, "parts");
	err->offset = offset;
	return false;
}

bool
part_head_next(struct head_reader *reader, const struct form_limits *limits, struct str text,
	uint64_t delimiter_offset, uint64_t head_offset, struct error *err)
{
	if (reader->n_parts >= limits->parts)
		return refuse_too_many(limits, delimiter_offset, err);
	reader->n_parts++;
	if (!read_head(reader, text, head_offset, err))
		return error_wrap(err, "part %" PRIu64, reader->n_parts);
	reader->head.number = (unsigned)reader->n_parts;
	reader->head.offset = delimiter_offset;
	reader->head.data_offset = head_offset + text.len + 2;
	return true;
}

size_t
part_head_memory(const struct head_reader *reader)
{
	return disposition_memory(&reader->disposition);
}

void
part_head_free(struct head_reader *reader)
{
	disposition_free(&reader->disposition);
}
