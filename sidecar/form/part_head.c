// SPDX-License-Identifier: MIT
/* part_head.c - see part_head.h. Lines first, then the parameters of Content-Disposition.
 *
 * How names and file names are decoded:
 *   quoted      \" and \\ lose their backslash; before anything else it stays ("C:\dir\a.txt" of old IE)
 *   both forms  %22 %0D %0A, which is how browsers send '"' CR LF (WHATWG HTML section 4.10.21.8);
 *               every other % is itself
 *   =?utf-8?B?  see encoded_word.h
 *   filename*   RFC 8187, UTF-8 or ISO-8859-1, only where there is no plain filename (RFC 7578 section 4.2
 *               forbids it, some clients send it)
 *   name*       likewise, alone and only of a name that needs it: so does Rust's reqwest */
#include "form/part_head.h"

#include "form/encoded_word.h"

#include <string.h>

struct cursor {
	struct str rest;
	uint64_t line_offset; /* of the line being read */
	struct error *err;
};

static bool
refuse(struct cursor *cursor, const char *why)
{
	error_set(cursor->err, ERR_MALFORMED, "%s", why);
	cursor->err->offset = cursor->line_offset;
	return false;
}

/* -- lines -------------------------------------------------------------------------------------------- */

static bool
add_header(struct head_reader *reader, struct cursor *cursor, struct str line)
{
	struct part_header *header = &reader->headers[reader->head.n_headers];
	size_t n = 0;

	if (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t'))
		return refuse(cursor, "a folded header line in a part's head");
	if (str_has_control(line))
		return refuse(cursor, "a control byte in a part's head");
	while (n < line.len && str_is_token_char(line.data[n]))
		n++;
	if (n == 0 || n == line.len || line.data[n] != ':')
		return refuse(cursor, "a header line without a name and a colon in a part's head");
	if (reader->head.n_headers == FORM_HEADERS_MAX)
		return refuse(cursor, "too many header lines in a part's head");
	header->name = (struct str){ line.data, n };
	header->value = str_trim((struct str){ line.data + n + 1, line.len - n - 1 });
	reader->head.n_headers++;
	return true;
}

static bool
read_lines(struct head_reader *reader, struct cursor *cursor, struct str text)
{
	while (text.len > 0) {
		const char *end = memmem(text.data, text.len, "\r\n", 2);
		size_t n = end != NULL ? (size_t)(end - text.data) : text.len;

		if (!add_header(reader, cursor, (struct str){ text.data, n }))
			return false;
		n += end != NULL ? 2 : 0;
		text = (struct str){ text.data + n, text.len - n };
		cursor->line_offset += n;
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

/* -- parameters --------------------------------------------------------------------------------------- */

static void
advance(struct cursor *cursor, size_t n)
{
	cursor->rest.data += n;
	cursor->rest.len -= n;
}

static void
skip_blanks(struct cursor *cursor)
{
	while (cursor->rest.len > 0 && (cursor->rest.data[0] == ' ' || cursor->rest.data[0] == '\t'))
		advance(cursor, 1);
}

/* The byte of a %XX at the start of s; -1: it is none. */
static int
escaped_byte(struct str s)
{
	if (s.len < 3 || s.data[0] != '%' || str_hex_value(s.data[1]) < 0 || str_hex_value(s.data[2]) < 0)
		return -1;
	return str_hex_value(s.data[1]) * 16 + str_hex_value(s.data[2]);
}

/* Appends one character of a value, %22 %0D %0A decoded; returns how many bytes it took. */
static size_t
add_char(struct buf *out, struct str s)
{
	int byte = escaped_byte(s);

	if (byte == '"' || byte == '\r' || byte == '\n') {
		buf_add_char(out, (char)byte);
		return 3;
	}
	buf_add_char(out, s.data[0]);
	return 1;
}

static bool
take_quoted(struct cursor *cursor, struct buf *out)
{
	advance(cursor, 1);
	while (cursor->rest.len > 0) {
		struct str s = cursor->rest;

		if (s.data[0] == '"') {
			advance(cursor, 1);
			return true;
		}
		if (s.data[0] == '\\' && s.len > 1 && (s.data[1] == '"' || s.data[1] == '\\')) {
			buf_add_char(out, s.data[1]);
			advance(cursor, 2);
		} else {
			advance(cursor, add_char(out, s));
		}
	}
	return refuse(cursor, "a quoted string that does not end in Content-Disposition");
}

static bool
take_unquoted(struct cursor *cursor, struct buf *out)
{
	while (cursor->rest.len > 0 && strchr("; \t", cursor->rest.data[0]) == NULL) {
		if (cursor->rest.data[0] == '"')
			return refuse(cursor, "a quote within an unquoted value in Content-Disposition");
		advance(cursor, add_char(out, cursor->rest));
	}
	return true;
}

/* ext-value of RFC 8187: charset'language'percent-encoded. */
static bool
decode_extended(struct cursor *cursor, struct str s, struct buf *out)
{
	bool utf8 = str_starts_nocase(s, "utf-8'"), latin1 = str_starts_nocase(s, "iso-8859-1'");
	size_t at = 0;
	int quotes = 0;

	for (; quotes < 2 && at < s.len; at++)
		quotes += s.data[at] == '\'';
	if (!utf8 && !latin1)
		return refuse(cursor, "name* or filename* in a character set that is neither UTF-8 nor ISO-8859-1");
	if (quotes < 2)
		return refuse(cursor, "name* or filename* without the two quotes before its value");
	for (; at < s.len; at++) {
		struct str here = { s.data + at, s.len - at };
		int byte = here.data[0] == '%' ? escaped_byte(here) : (unsigned char)here.data[0];

		if (byte <= 0)
			return refuse(cursor, "name* or filename* with a broken %-escape");
		at += here.data[0] == '%' ? 2 : 0;
		if (latin1 && byte >= 0x80)
			buf_addf(out, "%c%c", 0xc0 | byte >> 6, 0x80 | (byte & 0x3f));
		else
			buf_add_char(out, (char)byte);
	}
	return true;
}

struct parameters {
	bool has_name, has_filename, has_extended_name, has_extended_filename;
	struct buf name, filename, extended_name, extended_filename, ignored;
};

/* Where a parameter's value goes. NULL: it is given twice, and two parsers would take different ones. */
static struct buf *
place_for(struct parameters *found, struct str name)
{
	const struct {
		struct str name;
		bool *seen;
		struct buf *out;
	} places[] = {
		{ STR("name"), &found->has_name, &found->name },
		{ STR("filename"), &found->has_filename, &found->filename },
		{ STR("name*"), &found->has_extended_name, &found->extended_name },
		{ STR("filename*"), &found->has_extended_filename, &found->extended_filename },
	};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (!str_equal_nocase(name, places[i].name))
			continue;
		if (*places[i].seen)
			return NULL;
		*places[i].seen = true;
		return places[i].out;
	}
	return &found->ignored;
}

static struct str
take_name(struct cursor *cursor)
{
	struct str name = { cursor->rest.data, 0 };

	while (name.len < cursor->rest.len && str_is_token_char(name.data[name.len]))
		name.len++;
	advance(cursor, name.len);
	return name;
}

/* name*0, filename*1* and so on (RFC 2231): MIME libraries take them for the name, others do not know them. */
static bool
is_read_by_some(struct str name)
{
	return (str_starts_nocase(name, "name*") && !str_equal_nocase(name, STR("name*"))) ||
		(str_starts_nocase(name, "filename*") && !str_equal_nocase(name, STR("filename*")));
}

/* name [blanks] "=" [blanks] value, as loosely as clients write it. */
static bool
take_parameter(struct cursor *cursor, struct parameters *found)
{
	struct str name = take_name(cursor);
	struct buf *out;

	skip_blanks(cursor);
	if (name.len == 0 || cursor->rest.len == 0 || cursor->rest.data[0] != '=')
		return refuse(cursor, "a malformed parameter in Content-Disposition");
	advance(cursor, 1);
	skip_blanks(cursor);
	if (is_read_by_some(name))
		return refuse(cursor, "a parameter in pieces in Content-Disposition");
	out = place_for(found, name);
	if (out == NULL)
		return refuse(cursor, "a parameter that is given twice in Content-Disposition");
	if (cursor->rest.len > 0 && cursor->rest.data[0] == '"')
		return take_quoted(cursor, out);
	return take_unquoted(cursor, out);
}

static bool
take_parameters(struct cursor *cursor, struct parameters *found)
{
	for (;;) {
		skip_blanks(cursor);
		if (cursor->rest.len == 0)
			return true;
		if (cursor->rest.data[0] != ';')
			return refuse(cursor, "something after a value in Content-Disposition");
		advance(cursor, 1);
		skip_blanks(cursor);
		if (cursor->rest.len == 0 || cursor->rest.data[0] == ';')
			continue;
		if (!take_parameter(cursor, found))
			return false;
	}
}

/* -- the head ----------------------------------------------------------------------------------------- */

static bool
out_of_memory(struct cursor *cursor)
{
	return error_set(cursor->err, ERR_NOMEM, "out of memory");
}

/* What reqwest escapes. A name without any of it is never sent as name* by a client that means well: who does not know
 * name*, and stands before us, would not see `csrf` in it. */
static bool
needs_extended(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.data[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"#%/<>?`{}", c) != NULL)
			return true;
	}
	return false;
}

static bool
keep_extended_name(struct head_reader *reader, struct cursor *cursor, struct str value)
{
	if (!decode_extended(cursor, value, &reader->field))
		return false;
	if (!reader->field.failed && !needs_extended(buf_str(&reader->field)))
		return refuse(cursor, "name* for a plain name in Content-Disposition");
	return true;
}

static bool
keep_name(struct head_reader *reader, struct cursor *cursor, struct parameters *found)
{
	if (found->has_name && found->has_extended_name)
		return refuse(cursor, "both name and name* in Content-Disposition");
	if (found->has_extended_name)
		return keep_extended_name(reader, cursor, buf_str(&found->extended_name));
	if (!found->has_name)
		return refuse(cursor, "Content-Disposition without a name");
	encoded_word_add(&reader->field, buf_str(&found->name));
	return true;
}

static bool
keep_filename(struct head_reader *reader, struct cursor *cursor, struct parameters *found)
{
	if (found->has_filename)
		encoded_word_add(&reader->filename, buf_str(&found->filename));
	else if (found->has_extended_filename)
		return decode_extended(cursor, buf_str(&found->extended_filename), &reader->filename);
	return true;
}

static bool
keep_names(struct head_reader *reader, struct cursor *cursor, struct parameters *found)
{
	bool is_file = found->has_filename || found->has_extended_filename;

	if (found->name.failed || found->filename.failed || found->extended_name.failed ||
		found->extended_filename.failed || found->ignored.failed)
		return out_of_memory(cursor); /* before what was not kept whole is judged */
	if (!keep_name(reader, cursor, found) || !keep_filename(reader, cursor, found))
		return false;
	reader->head.field = buf_str(&reader->field);
	reader->head.filename = is_file ? buf_str(&reader->filename) : STR_NONE;
	return reader->field.failed || reader->filename.failed ? out_of_memory(cursor) : true;
}

static bool
read_disposition(struct head_reader *reader, struct cursor *cursor, struct str value)
{
	struct parameters found = { 0 };
	bool ok;

	cursor->rest = value;
	if (!str_equal_nocase(take_name(cursor), STR("form-data")))
		return refuse(cursor, "a Content-Disposition other than form-data");
	ok = take_parameters(cursor, &found) && keep_names(reader, cursor, &found);
	buf_free(&found.name);
	buf_free(&found.filename);
	buf_free(&found.extended_name);
	buf_free(&found.extended_filename);
	buf_free(&found.ignored);
	return ok;
}

bool
part_head_read(struct head_reader *reader, struct str text, uint64_t offset, struct error *err)
{
	struct cursor cursor = { .line_offset = offset, .err = err };
	struct str disposition;

	buf_clear(&reader->field);
	buf_clear(&reader->filename);
	reader->head = (struct part_head){ .headers = reader->headers };
	if (!read_lines(reader, &cursor, text))
		return false;
	cursor.line_offset = offset; /* what follows concerns the head as a whole */
	if (!single_header(reader, "content-disposition", &disposition))
		return refuse(&cursor, "more than one Content-Disposition in a part's head");
	if (disposition.data == NULL)
		return refuse(&cursor, "a part without Content-Disposition");
	if (!single_header(reader, "content-type", &reader->head.type))
		return refuse(&cursor, "more than one Content-Type in a part's head");
	if (!single_header(reader, "content-transfer-encoding", &reader->head.encoding))
		return refuse(&cursor, "more than one Content-Transfer-Encoding in a part's head");
	if (str_starts_nocase(reader->head.type, "multipart/"))
		return refuse(&cursor, "a nested multipart part");
	return read_disposition(reader, &cursor, disposition);
}

void
part_head_free(struct head_reader *reader)
{
	buf_free(&reader->field);
	buf_free(&reader->filename);
}
