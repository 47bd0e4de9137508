// SPDX-License-Identifier: MIT
/* template.c - see template.h.
 *
 * Happy path: text and placeholders are read from left to right into pieces; beside them grows `flat`, the
 * template with one mark in place of every value that only a request can give, and of every byte of a date.
 * The segment rules are checked on `flat` at the end, so "{date:%Y/%m}" counts as two segments and "a{uuid}"
 * as one.
 */
#include "config/template.h"

#include "base/mem.h"
#include "config/diag.h"
#include "config/nearest.h"
#include "config/segments.h"

#include <stdio.h>
#include <string.h>

#define MARK SEGMENTS_MARK /* stands for a value in `flat` */
#define NUMBER_MAX 32      /* wildcards of one match.path */

/* What strftime(3) gives without blanks, locale or time zone, and the bytes that each becomes. */
static const char date_conversions[] = "YymdHMSjFGVuw";
static const unsigned char date_lengths[] = { 4, 2, 2, 2, 2, 2, 2, 3, 10, 4, 2, 1, 1 };

struct parser {
	struct str text;
	size_t at;
	enum template_style style;
	struct template *out;
	size_t cap;
	struct buf literal; /* text since the last placeholder, {{ and }} resolved */
	struct buf flat;
	struct span *where;
	struct error *err;
};

struct placeholder {
	const char *name; /* as it is suggested */
	enum template_kind kind;
	const char *prefix; /* NULL: `name` stands alone */
};

static const struct placeholder placeholders[] = {
	{ "uuid", TEMPLATE_UUID, NULL },
	{ "part", TEMPLATE_PART, NULL },
	{ "field", TEMPLATE_FIELD, NULL },
	{ "field.NAME", TEMPLATE_FIELD_VALUE, "field." },
	{ "file.name", TEMPLATE_FILE_NAME, NULL },
	{ "file.ext", TEMPLATE_FILE_EXT, NULL },
	{ "detected.ext", TEMPLATE_DETECTED_EXT, NULL },
	{ "request_id", TEMPLATE_REQUEST_ID, NULL },
	{ "path.1", TEMPLATE_PATH, "path." },
	{ "query.NAME", TEMPLATE_QUERY, "query." },
	{ "header.NAME", TEMPLATE_HEADER, "header." },
	{ "grant.NAME", TEMPLATE_GRANT, "grant." },
	{ "date:%Y-%m-%d", TEMPLATE_DATE, "date:" },
};

#define N_PLACEHOLDERS (sizeof placeholders / sizeof placeholders[0])

static bool
nomem(struct error *err)
{
	return error_nomem(err);
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
add_piece(struct parser *p, enum template_kind kind, unsigned number, struct str text, struct str source)
{
	struct template *t = p->out;
	struct template_piece *piece;

	if (t->n_pieces == p->cap) {
		struct template_piece *more = mem_resize(t->pieces, p->cap + 8, sizeof *more);

		if (more == NULL)
			return nomem(p->err);
		t->pieces = more;
		p->cap += 8;
	}
	piece = &t->pieces[t->n_pieces++];
	*piece = (struct template_piece){ .kind = kind, .number = number, .source = str_dup(source) };
	if (text.data != NULL)
		piece->text = str_dup(text);
	return (piece->source != NULL && (text.data == NULL || piece->text != NULL)) || nomem(p->err);
}

/* The text since the last placeholder becomes a piece; at the front its '/' follows the style. */
static bool
end_literal(struct parser *p)
{
	struct buf with_slash = { 0 };
	struct str text = buf_str(&p->literal);
	bool front = p->out->n_pieces == 0 && p->style != TEMPLATE_FOR_TEXT, ok;

	if (p->literal.failed)
		return nomem(p->err);
	if (front && text.len > 0 && text.data[0] == '/') {
		text.data++;
		text.len--;
	}
	if (front && p->style != TEMPLATE_FOR_FILE)
		buf_add_char(&with_slash, '/');
	buf_add_str(&with_slash, text);
	ok = with_slash.failed
		? nomem(p->err)
		: with_slash.len == 0 || add_piece(p, TEMPLATE_TEXT, 0, buf_str(&with_slash), buf_str(&with_slash));
	buf_free(&with_slash);
	buf_clear(&p->literal);
	return ok;
}

static bool
read_number(struct str s, unsigned *out, struct error *err)
{
	uint64_t n;

	if (!str_to_u64(s, &n) || n < 1 || n > NUMBER_MAX)
		return error_set(
			err, ERR_CONFIG, "{path.N} needs the number of a wildcard of match.path, such as {path.1}");
	*out = (unsigned)n;
	return true;
}

/* RFC 3986 section 3.3: pchar and '/'. */
static bool
is_url_text(struct str rest)
{
	if (rest.data[0] == '%')
		return rest.len >= 3 && str_hex_value(rest.data[1]) >= 0 && str_hex_value(rest.data[2]) >= 0;
	return is_alnum(rest.data[0]) || is_one_of(rest.data[0], "/-._~!$&'()*+,;=:@");
}

/* The percent-encoding of one character. */
static void
encode(struct str c, char out[13])
{
	for (size_t i = 0; i < c.len; i++)
		snprintf(out + 3 * i, 4, "%%%02X", (unsigned)(unsigned char)c.data[i]);
}

/* May the character at the start of `rest` stand in a name as it is? */
static bool
check_character(const struct parser *p, struct str rest, const char *where)
{
	size_t n = utf8_length(rest);
	struct str c = { rest.data, n > 0 ? n : 1 };
	char encoded[13];

	if ((unsigned char)*c.data < 0x20 || *c.data == 0x7f)
		return error_set(p->err, ERR_CONFIG, "a control byte cannot stand %s",
			p->style == TEMPLATE_FOR_TEXT ? "here" : "in a name");
	if (p->style == TEMPLATE_FOR_FILE || p->style == TEMPLATE_FOR_KEY || p->style == TEMPLATE_FOR_TEXT ||
		is_url_text(rest))
		return true;
	if (p->style == TEMPLATE_FOR_LOCATION && (*c.data == '?' || *c.data == '#'))
		return true;
	encode(c, encoded);
	return error_set(p->err, ERR_CONFIG, "'%.*s' cannot stand in the path of a URL; write it as %s%s",
		(int)c.len, c.data, encoded, where);
}

static bool
unknown_conversion(const struct parser *p, struct str rest)
{
	return error_set(p->err, ERR_CONFIG,
		"%%%.*s is not known in a date; known are %%Y %%y %%m %%d %%H %%M %%S %%j %%F %%G %%V %%u %%w",
		rest.len > 0 ? (int)utf8_length(rest) : 0, rest.len > 0 ? rest.data : "");
}

/* Text of a date that is not a conversion. A brace would look like a placeholder, which a date cannot hold. */
static bool
check_date_text(struct parser *p, struct str rest)
{
	if (rest.data[0] == '{')
		return error_set(p->err, ERR_CONFIG, "a date cannot hold '{'; its '}' comes first");
	if (rest.data[0] == '/' && p->flat.len == 0 && p->style != TEMPLATE_FOR_TEXT)
		return error_set(p->err, ERR_CONFIG, "a date at the front of a name cannot begin with '/'");
	if (!check_character(p, rest, " outside of the date"))
		return false;
	buf_add_char(&p->flat, rest.data[0]);
	return true;
}

static bool
check_date(struct parser *p, struct str format)
{
	for (size_t i = 0; i < format.len; i++) {
		struct str rest = { format.data + i, format.len - i };

		if (rest.data[0] != '%') {
			if (!check_date_text(p, rest))
				return false;
			continue;
		}
		rest = (struct str){ rest.data + 1, rest.len - 1 };
		if (rest.len == 0 || !is_one_of(rest.data[0], date_conversions))
			return unknown_conversion(p, rest);
		for (size_t n = date_lengths[strchr(date_conversions, rest.data[0]) - date_conversions]; n > 0; n--)
			buf_add_char(&p->flat, MARK);
		i++;
	}
	return format.len > 0 ||
		error_set(p->err, ERR_CONFIG, "{date:FORMAT} needs a format, such as {date:%%Y-%%m-%%d}");
}

static bool
unknown(struct parser *p, struct str name)
{
	struct nearest nearest = { .word = name };

	for (size_t i = 0; i < N_PLACEHOLDERS; i++) {
		const struct placeholder *row = &placeholders[i];
		size_t bare = row->prefix != NULL ? strlen(row->prefix) - 1 : 0;

		if (row->prefix != NULL && name.len >= bare && memcmp(name.data, row->prefix, bare) == 0)
			return error_set(p->err, ERR_CONFIG, "unknown placeholder {%.*s}; did you mean {%s}?",
				SHOWN(name), row->name);
		nearest_offer(&nearest, row->name);
	}
	if (nearest.best != NULL)
		return error_set(p->err, ERR_CONFIG, "unknown placeholder {%.*s}; did you mean {%s}?", SHOWN(name),
			nearest.best);
	return error_set(p->err, ERR_CONFIG,
		"unknown placeholder {%.*s}; a brace that is meant as text is written {{ or }}", SHOWN(name));
}

static const struct placeholder *
find_placeholder(struct str name, struct str *rest)
{
	for (size_t i = 0; i < N_PLACEHOLDERS; i++) {
		const struct placeholder *row = &placeholders[i];
		size_t n = row->prefix != NULL ? strlen(row->prefix) : 0;

		*rest = (struct str){ name.data + n, name.len - n };
		if (row->prefix != NULL && name.len >= n && memcmp(name.data, row->prefix, n) == 0)
			return row;
		if (row->prefix == NULL && str_is(name, row->name))
			return row;
	}
	return NULL;
}

/* Its name is part of a header's, where letter case counts for nothing, and some servers make '-' of '_'. */
static bool
add_grant(struct parser *p, struct str name, struct str source)
{
	char text[TEMPLATE_GRANT_MAX];

	if (name.len == 0 || name.len > sizeof text)
		return error_set(
			p->err, ERR_CONFIG, "{grant.NAME} needs a name of 1 to %d bytes", TEMPLATE_GRANT_MAX);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];

		if (!is_alnum(c) && !is_one_of(c, "-_"))
			return error_set(p->err, ERR_CONFIG,
				"the name of a grant has letters, digits, '-' and '_', as in {grant.user}");
		text[i] = template_grant_char(c);
	}
	return add_piece(p, TEMPLATE_GRANT, 0, (struct str){ text, name.len }, source);
}

/* The placeholder `name`, which is written {name}, becomes a piece. */
static bool
add_placeholder(struct parser *p, struct str name)
{
	struct str source = { name.data - 1, name.len + 2 }, rest = STR_NONE, text;
	const struct placeholder *row = find_placeholder(name, &rest);
	unsigned number = 0;

	if (row == NULL)
		return unknown(p, name);
	if (row->kind == TEMPLATE_PATH && !read_number(rest, &number, p->err))
		return false;
	if (row->kind == TEMPLATE_DATE && !check_date(p, rest))
		return false;
	if (row->kind == TEMPLATE_FIELD_VALUE && rest.len == 0)
		return error_set(p->err, ERR_CONFIG, "{field.NAME} needs the name of a field of the form");
	if (row->kind == TEMPLATE_QUERY && rest.len == 0)
		return error_set(p->err, ERR_CONFIG, "{query.NAME} needs the name of a query parameter");
	if (row->kind == TEMPLATE_HEADER && !str_is_token(rest))
		return error_set(p->err, ERR_CONFIG, "{header.NAME} needs the name of a request header");
	if (row->kind != TEMPLATE_DATE)
		buf_add_char(&p->flat, MARK);
	if (row->kind == TEMPLATE_GRANT)
		return add_grant(p, rest, source);
	text = row->prefix != NULL && row->kind != TEMPLATE_PATH ? rest : STR_NONE;
	return add_piece(p, row->kind, number, text, source);
}

static bool
read_placeholder(struct parser *p)
{
	const char *begin = p->text.data + p->at + 1;
	const char *end = memchr(begin, '}', p->text.len - p->at - 1);
	struct str name;

	*p->where = (struct span){ p->at, p->text.len - p->at };
	if (end == NULL)
		return error_set(
			p->err, ERR_CONFIG, "this '{' has no '}'; a brace that is meant as text is written {{");
	name = (struct str){ begin, (size_t)(end - begin) };
	p->where->len = name.len + 2;
	p->at += name.len + 2;
	return end_literal(p) && add_placeholder(p, name);
}

/* One byte of text; `skip` is 2 for {{ and }}. */
static bool
read_text(struct parser *p, size_t skip)
{
	struct str rest = { p->text.data + p->at, p->text.len - p->at };
	char c = rest.data[0];
	size_t whole = utf8_length(rest);

	*p->where = (struct span){ p->at, whole > skip ? whole : skip };
	if (c == '}' && skip == 1)
		return error_set(
			p->err, ERR_CONFIG, "this '}' has no '{'; a brace that is meant as text is written }}");
	if (!check_character(p, rest, ""))
		return false;
	buf_add_char(&p->literal, c);
	buf_add_char(&p->flat, c);
	p->at += skip;
	return true;
}

static bool
read_all(struct parser *p)
{
	while (p->at < p->text.len) {
		const char *s = p->text.data + p->at;
		bool twice = p->at + 1 < p->text.len && s[0] == s[1];
		bool ok = *s == '{' && !twice ? read_placeholder(p)
					      : read_text(p, twice && (*s == '{' || *s == '}') ? 2 : 1);

		if (!ok)
			return false;
	}
	return end_literal(p);
}

static bool
check_segments(struct parser *p)
{
	enum template_style style = p->style == TEMPLATE_FOR_LOCATION ? TEMPLATE_FOR_URL : p->style;
	struct str flat = buf_str(&p->flat);

	*p->where = (struct span){ 0, p->text.len };
	if (p->flat.failed)
		return nomem(p->err);
	if (p->style == TEMPLATE_FOR_TEXT)
		return true;
	if (p->style == TEMPLATE_FOR_LOCATION && flat.len > 0)
		flat.len = strcspn(flat.data, "?#");
	return segments_check(flat, style, p->err);
}

struct template *
template_parse(struct str text, enum template_style style, struct span *where, struct error *err)
{
	struct parser p = { .text = text, .style = style, .where = where, .err = err };
	bool ok;

	*where = (struct span){ 0, text.len };
	p.out = mem_zalloc(sizeof *p.out);
	if (p.out == NULL) {
		nomem(err);
		return NULL;
	}
	p.out->source = str_dup(text);
	ok = (p.out->source != NULL || nomem(err)) && read_all(&p) && check_segments(&p);
	buf_free(&p.literal);
	buf_free(&p.flat);
	if (ok)
		return p.out;
	template_free(p.out);
	return NULL;
}
