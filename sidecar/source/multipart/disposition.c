// SPDX-License-Identifier: MIT
/* disposition.c - see disposition.h. The parameters first, then the two names that they give:
 *
 *   =?utf-8?B?  see encoded_word.h
 *   filename*   beside a plain filename only if it says the same (RFC 7578 section 4.2 forbids it, some clients send it)
 *   name*       alone and only of a name that needs it: so does Rust's reqwest */
#include "source/multipart/disposition.h"

#include "source/multipart/encoded_word.h"
#include "source/multipart/value.h"

#include <string.h>

static const char *const names[N_PLACES] = {
	[PLACE_NAME] = "name",
	[PLACE_FILENAME] = "filename",
	[PLACE_EXTENDED_NAME] = "name*",
	[PLACE_EXTENDED_FILENAME] = "filename*",
};

/* Where a parameter's value goes. NULL: it is given twice, and two parsers would take different ones. */
static struct buf *
place_for(struct disposition *d, struct str name)
{
	for (size_t i = 0; i < PLACE_OTHER; i++) {
		if (!str_equal_nocase(name, str_of(names[i])))
			continue;
		if (d->has[i])
			return NULL;
		d->has[i] = true;
		return &d->values[i];
	}
	return &d->values[PLACE_OTHER];
}

static struct str
take_name(struct cursor *cursor)
{
	struct str name = { cursor->rest.data, 0 };

	while (name.len < cursor->rest.len && str_is_token_char(name.data[name.len]))
		name.len++;
	cursor_advance(cursor, name.len);
	return name;
}

/* name*0, filename*1* and so on (RFC 2231): MIME libraries take them for the name, others do not know them. */
static bool
is_read_by_some(struct str name)
{
	return (str_starts_nocase(name, "name*") && !str_equal_nocase(name, STR("name*"))) ||
		(str_starts_nocase(name, "filename*") && !str_equal_nocase(name, STR("filename*")));
}

static bool
is_extended(const struct disposition *d, const struct buf *place)
{
	return place == &d->values[PLACE_EXTENDED_NAME] || place == &d->values[PLACE_EXTENDED_FILENAME];
}

/* name "=" value: with a blank beside the "=" it is none to some (werkzeug). */
static bool
take_parameter(struct cursor *cursor, struct disposition *d)
{
	struct str name = take_name(cursor);
	struct buf *out;

	if (name.len == 0 || cursor->rest.len == 0 || cursor->rest.data[0] != '=')
		return cursor_refuse(cursor, "a malformed parameter in Content-Disposition");
	cursor_advance(cursor, 1);
	if (is_read_by_some(name))
		return cursor_refuse(cursor, "a parameter in pieces in Content-Disposition");
	if (memchr(name.data, '\'', name.len) != NULL ||
		(cursor->in_single_quotes && !str_equal_nocase(name, STR("filename*"))))
		return cursor_refuse(cursor, "a single quote before a parameter in Content-Disposition");
	out = place_for(d, name);
	if (out == NULL)
		return cursor_refuse(cursor, "a parameter that is given twice in Content-Disposition");
	return is_extended(d, out) ? value_take_extended(cursor, out) : value_take(cursor, out);
}

static bool
take_parameters(struct cursor *cursor, struct disposition *d)
{
	for (;;) {
		cursor_skip_blanks(cursor);
		if (cursor->rest.len == 0)
			return true;
		if (cursor->rest.data[0] != ';')
			return cursor_refuse(cursor, "something after a value in Content-Disposition");
		cursor_advance(cursor, 1);
		cursor_skip_blanks(cursor);
		if (cursor->rest.len == 0 || cursor->rest.data[0] == ';')
			continue;
		if (!take_parameter(cursor, d))
			return false;
	}
}

/* -- the names ---------------------------------------------------------------------------------------- */

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
keep_extended_name(struct disposition *d, struct cursor *cursor)
{
	if (!value_decode_extended(cursor, buf_str(&d->values[PLACE_EXTENDED_NAME]), &d->field))
		return false;
	return needs_extended(buf_str(&d->field)) ||
		cursor_refuse(cursor, "name* for a plain name in Content-Disposition");
}

static bool
keep_name(struct disposition *d, struct cursor *cursor)
{
	if (d->has[PLACE_NAME] && d->has[PLACE_EXTENDED_NAME])
		return cursor_refuse(cursor, "both name and name* in Content-Disposition");
	if (d->has[PLACE_EXTENDED_NAME])
		return keep_extended_name(d, cursor);
	if (!d->has[PLACE_NAME])
		return cursor_refuse(cursor, "Content-Disposition without a name");
	encoded_word_add(&d->field, buf_str(&d->values[PLACE_NAME]));
	return true;
}

/* filename* goes into the buffer of the others, which nobody asks for any more. */
static bool
check_both_filenames(struct disposition *d, struct cursor *cursor)
{
	struct buf *decoded = &d->values[PLACE_OTHER];

	buf_clear(decoded);
	if (!value_decode_extended(cursor, buf_str(&d->values[PLACE_EXTENDED_FILENAME]), decoded))
		return false;
	return value_says_the_same(buf_str(&d->filename), buf_str(decoded)) ||
		cursor_refuse(cursor, "filename and filename* that differ in Content-Disposition");
}

static bool
keep_filename(struct disposition *d, struct cursor *cursor)
{
	if (d->has[PLACE_FILENAME])
		encoded_word_add(&d->filename, buf_str(&d->values[PLACE_FILENAME]));
	if (!d->has[PLACE_EXTENDED_FILENAME])
		return true;
	if (d->has[PLACE_FILENAME])
		return check_both_filenames(d, cursor);
	return value_decode_extended(cursor, buf_str(&d->values[PLACE_EXTENDED_FILENAME]), &d->filename);
}

/* -- the whole ---------------------------------------------------------------------------------------- */

static void
clear(struct disposition *d)
{
	for (size_t i = 0; i < N_PLACES; i++) {
		d->has[i] = false;
		buf_clear(&d->values[i]);
	}
	buf_clear(&d->field);
	buf_clear(&d->filename);
}

static bool
has_failed(const struct disposition *d)
{
	bool failed = d->field.failed || d->filename.failed;

	for (size_t i = 0; i < N_PLACES; i++)
		failed |= d->values[i].failed;
	return failed;
}

static bool
end(struct disposition *d, const struct cursor *cursor, bool ok, struct error *err)
{
	if (has_failed(d)) /* what was not kept whole may have been refused for that alone */
		return error_nomem(err);
	d->is_file = d->has[PLACE_FILENAME] || d->has[PLACE_EXTENDED_FILENAME];
	return ok || error_set(err, ERR_MALFORMED, "%s", cursor->why);
}

bool
disposition_read(struct disposition *d, struct str value, struct error *err)
{
	struct cursor cursor = { .rest = value };
	bool ok;

	clear(d);
	ok = str_equal_nocase(take_name(&cursor), STR("form-data"))
		? take_parameters(&cursor, d) && keep_name(d, &cursor) && keep_filename(d, &cursor)
		: cursor_refuse(&cursor, "a Content-Disposition other than form-data");
	return end(d, &cursor, ok, err);
}

bool
disposition_read_file(struct disposition *d, struct str value, struct error *err)
{
	struct cursor cursor = { .rest = value };
	bool ok;

	clear(d);
	ok = take_name(&cursor).len > 0 ? take_parameters(&cursor, d) && keep_filename(d, &cursor)
					: cursor_refuse(&cursor, "a Content-Disposition without a type");
	return end(d, &cursor, ok, err);
}

size_t
disposition_memory(const struct disposition *d)
{
	size_t sum = 0;

	for (size_t i = 0; i < N_PLACES; i++)
		sum += d->values[i].cap;
	return sum + d->field.cap + d->filename.cap;
}

void
disposition_free(struct disposition *d)
{
	for (size_t i = 0; i < N_PLACES; i++)
		buf_free(&d->values[i]);
	buf_free(&d->field);
	buf_free(&d->filename);
}
