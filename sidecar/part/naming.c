// SPDX-License-Identifier: MIT
/* naming.c - see naming.h. First every piece is appended, values escaped so that none holds a '/'; then the
 * whole is cut at '/' and each segment made harmless. What the route file itself says was checked when it
 * was loaded (config/template.h). */
#include "part/naming.h"

#include "base/must.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

void
naming_uuid(char out[37])
{
	unsigned char r[16];
	char *p = out;
	ssize_t n = getrandom(r, sizeof r, 0);

	must(n == (ssize_t)sizeof r); /* 16 bytes are never cut short once the pool is up (getrandom(2)) */
	r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
	r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof r; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += snprintf(p, 3, "%02x", r[i]);
	}
}

/* What follows the last '/' or '\\', whichever a browser wrote. */
static struct str
base_name(struct str filename)
{
	for (size_t i = filename.len; i > 0; i--)
		if (filename.data[i - 1] == '/' || filename.data[i - 1] == '\\')
			return (struct str){ filename.data + i, filename.len - i };
	return filename;
}

static bool
is_alnum(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static struct str
plain_extension(struct str filename)
{
	struct str name = base_name(filename);
	size_t i = name.len;

	while (i > 0 && is_alnum(name.data[i - 1]))
		i--;
	if (i == 0 || name.data[i - 1] != '.' || i == name.len || name.len - i > 16)
		return STR_NONE;
	return (struct str){ name.data + i, name.len - i };
}

static void
add_escaped_url(struct buf *out, struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];

		if (is_alnum(c) || (c != '\0' && strchr("-._~", c) != NULL))
			buf_add_char(out, c);
		else
			buf_addf(out, "%%%02X", (unsigned char)c);
	}
}

static void
add_escaped_file(struct buf *out, struct str value)
{
	while (value.len > 0) {
		size_t n = utf8_length(value);
		unsigned char c = (unsigned char)value.data[0];

		if (n == 0 || c < 0x20 || c == 0x7f || c == '/' || c == '\\' || c == '%') {
			buf_addf(out, "%%%02X", c);
			n = 1;
		} else {
			buf_add(out, value.data, n);
		}
		value.data += n;
		value.len -= n;
	}
}

static void
add_value(struct buf *out, enum destination_type type, struct str value)
{
	if (type == DESTINATION_HTTP)
		add_escaped_url(out, value);
	else
		add_escaped_file(out, value);
}

static void
add_query(struct buf *out, const struct naming *naming, enum destination_type type, const char *name)
{
	struct buf value = { 0 };

	if (head_query_value(naming->head, str_of(name), &value))
		add_value(out, type, buf_str(&value));
	out->failed = out->failed || value.failed;
	buf_free(&value);
}

static void
add_extension(struct buf *out, enum destination_type type, struct str filename)
{
	struct str ext = plain_extension(filename);

	if (ext.len > 0)
		add_value(out, type, ext);
	else if (out->len > 0 && out->data[out->len - 1] == '.')
		out->data[--out->len] = '\0'; /* "{uuid}.{file.ext}" of a name without one is just the UUID */
}

/* Digits and '-'. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void
add_conversion(struct buf *out, char conversion, const struct tm *tm)
{
	const char format[] = { '%', conversion, '\0' };
	char text[16];

	buf_add(out, text, strftime(text, sizeof text, format, tm));
}
#pragma GCC diagnostic pop

/* The format is the operator's: config/ has checked it when the route file was loaded, and its text like that of
 * the template around it, as which it stands here. One conversion at a time: no buffer bounds the whole. */
static void
add_date(struct buf *out, const char *format, time_t when)
{
	struct tm tm;

	gmtime_r(&when, &tm);
	for (; *format != '\0'; format++) {
		if (*format != '%' || format[1] == '\0')
			buf_add_char(out, *format);
		else
			add_conversion(out, *++format, &tm);
	}
}

static bool
is_runtime(enum template_kind kind)
{
	return kind == TEMPLATE_UUID || kind == TEMPLATE_DATE || kind == TEMPLATE_REQUEST_ID;
}

/* Decoded first: the value is escaped anew for where it stands. */
static void
add_capture(struct buf *out, enum destination_type type, const struct naming *naming, unsigned number)
{
	struct buf decoded = { 0 };

	if (number >= 1 && number <= naming->match->n_captures)
		percent_decode(naming->match->captures[number - 1], false, &decoded);
	out->failed = out->failed || decoded.failed;
	add_value(out, type, decoded.data != NULL ? buf_str(&decoded) : STR_NONE);
	buf_free(&decoded);
}

static void
add_piece(struct buf *out, const struct naming *naming, const struct template_piece *piece,
	enum destination_type type, const struct part_head *part)
{
	char uuid[37];

	switch (piece->kind) {
	case TEMPLATE_TEXT:
		buf_add_text(out, piece->text);
		break;
	case TEMPLATE_UUID:
		naming_uuid(uuid);
		buf_add_text(out, uuid);
		break;
	case TEMPLATE_PART:
		buf_addf(out, "%u", part->number);
		break;
	case TEMPLATE_FIELD:
		add_value(out, type, part->field);
		break;
	case TEMPLATE_FILE_NAME:
		add_value(out, type, base_name(part->filename));
		break;
	case TEMPLATE_FILE_EXT:
		add_extension(out, type, part->filename);
		break;
	case TEMPLATE_PATH:
		add_capture(out, type, naming, piece->number);
		break;
	case TEMPLATE_QUERY:
		add_query(out, naming, type, piece->text);
		break;
	case TEMPLATE_HEADER:
		add_value(out, type, head_header(naming->head, piece->text));
		break;
	case TEMPLATE_DATE:
		add_date(out, piece->text, naming->started);
		break;
	case TEMPLATE_REQUEST_ID:
		add_value(out, type, naming->request_id);
		break;
	}
}

static bool
is_only_dots(struct str s)
{
	return (s.len == 1 || s.len == 2) && s.data[0] == '.' && s.data[s.len - 1] == '.';
}

static void
add_segment(struct buf *out, enum destination_type type, struct str s)
{
	static const char reserved[] = ".penstock-";

	if (s.len == 0)
		buf_add_text(out, "_");
	else if (is_only_dots(s))
		buf_add_text(out, s.len == 1 ? "_" : "__");
	else if (type == DESTINATION_DIRECTORY && str_starts_nocase(s, reserved))
		buf_addf(out, "_%.*s", (int)s.len - 1, s.data + 1);
	else
		buf_add_str(out, s);
}

/* Cuts at '/' and makes each segment harmless. A leading '/' (http) stays. */
static bool
add_segments(struct buf *out, enum destination_type type, struct str raw, struct error *err)
{
	if (raw.len > 0 && raw.data[0] == '/') {
		buf_add_char(out, '/');
		raw.data++;
		raw.len--;
	}
	for (;;) {
		const char *slash = raw.len > 0 ? memchr(raw.data, '/', raw.len) : NULL;
		struct str s = { raw.data, slash != NULL ? (size_t)(slash - raw.data) : raw.len };

		if (type == DESTINATION_DIRECTORY && s.len > NAMING_SEGMENT_MAX)
			return error_set(
				err, ERR_RULE, "the name it would get is longer than %d bytes", NAMING_SEGMENT_MAX);
		add_segment(out, type, s);
		if (slash == NULL)
			return true;
		buf_add_char(out, '/');
		raw.len -= s.len + 1;
		raw.data = slash + 1;
	}
}

bool
naming_expand(const struct naming *naming, const struct template *template, enum destination_type type,
	const struct part_head *part, struct buf *out, struct error *err)
{
	struct buf raw = { 0 };
	bool ok = true;

	for (size_t i = 0; i < template->n_pieces; i++) {
		const struct template_piece *piece = &template->pieces[i];

		if (naming->show_runtime && is_runtime(piece->kind))
			buf_add_text(&raw, piece->source);
		else
			add_piece(&raw, naming, piece, type, part);
	}
	if (raw.len > NAMING_TARGET_MAX)
		ok = error_set(err, ERR_RULE, "the name it would get is longer than %d bytes", NAMING_TARGET_MAX);
	ok = ok && add_segments(out, type, buf_str(&raw), err);
	if (raw.failed || out->failed)
		ok = error_set(err, ERR_NOMEM, "out of memory");
	buf_free(&raw);
	return ok;
}
