// SPDX-License-Identifier: MIT
/* boundary.c - the boundary parameter of a request's Content-Type (RFC 9110 section 8.3.1, RFC 2046 section
 * 5.1.1). libmicrohttpd's own search takes everything behind the first "boundary=", so it is never asked.
 *
 * One liberty: an unquoted boundary may hold = / : ? @ although RFC 9110 wants them quoted, because clients send them.
 * Stricter than the grammar where parsers that are in use look for the word "boundary" and for , ; " and no more (PHP,
 * Rack): a comma, a backslash, the word anywhere but as the parameter's name, and what they might take for a quote. */
#include "source/multipart/form.h"

#include <string.h>

/* RFC 2046 section 5.1.1, and what a token may hold; without the comma, at which PHP and Rack cut it off. */
static bool
is_boundary_char(char c)
{
	return str_is_token_char(c) || (c != '\0' && strchr("()/:=?@", c) != NULL);
}

/* Without parentheses, which are a comment to parsers of mail. */
static bool
is_unquoted_char(char c)
{
	return str_is_token_char(c) || (c != '\0' && strchr("/:=?@", c) != NULL);
}

static void
skip_blanks(struct str *s)
{
	while (s->len > 0 && (s->data[0] == ' ' || s->data[0] == '\t')) {
		s->data++;
		s->len--;
	}
}

static struct str
take_while(struct str *s, bool (*fits)(char))
{
	struct str taken = { s->data, 0 };

	while (taken.len < s->len && fits(s->data[taken.len]))
		taken.len++;
	s->data += taken.len;
	s->len -= taken.len;
	return taken;
}

/* quoted-string. False: not terminated, or a control byte or a backslash in it: some drop it, some do not. */
static bool
take_quoted(struct str *s, struct str *value)
{
	const char *end = memchr(s->data + 1, '"', s->len - 1);

	if (end == NULL)
		return false;
	*value = (struct str){ s->data + 1, (size_t)(end - s->data) - 1 };
	s->len -= value->len + 2;
	s->data = end + 1;
	return !str_has_control(*value) && memchr(value->data, '\\', value->len) == NULL &&
		memchr(value->data, '\t', value->len) == NULL;
}

/* A single quote in front would be one to who knows such quotes. */
static bool
take_value(struct str *s, struct str *value)
{
	if (s->len > 0 && s->data[0] == '"')
		return take_quoted(s, value);
	*value = take_while(s, is_unquoted_char);
	return value->len > 0 && value->data[0] != '\'';
}

/* 1 to 70 characters of RFC 2046's set (or of a token), no blank at the end. */
static bool
is_usable(struct str value)
{
	if (value.len == 0 || value.len > FORM_BOUNDARY_MAX || value.data[value.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < value.len; i++)
		if (!is_boundary_char(value.data[i]) && value.data[i] != ' ')
			return false;
	return true;
}

static bool
holds(struct str s, const char *word)
{
	for (; s.len > 0; s.data++, s.len--)
		if (str_starts_nocase(s, word))
			return true;
	return false;
}

static bool
refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_MEDIA_TYPE, "Content-Type: %s", why);
}

static bool
keep_boundary(struct boundary *out, struct str value, struct error *err)
{
	if (out->len > 0)
		return refuse(err, "more than one boundary");
	if (!is_usable(value))
		return refuse(err, "the boundary is not 1 to 70 plain characters");
	if (holds(value, "boundary=")) /* who searches from the end would begin there */
		return refuse(err, "a boundary within the boundary");
	memcpy(out->text, value.data, value.len);
	out->text[value.len] = '\0';
	out->len = value.len;
	return true;
}

/* One ";" and what follows it, which may be nothing. */
static bool
take_parameter(struct str *s, struct boundary *out, struct error *err)
{
	struct str name, value;

	s->data++;
	s->len--;
	skip_blanks(s);
	if (s->len == 0 || s->data[0] == ';')
		return true;
	name = take_while(s, str_is_token_char);
	if (name.len == 0 || s->len == 0 || s->data[0] != '=')
		return refuse(err, "a parameter is malformed");
	s->data++;
	s->len--;
	if (!take_value(s, &value))
		return refuse(err, "a parameter's value is malformed");
	if (str_equal_nocase(name, STR("boundary")))
		return keep_boundary(out, value, err);
	return holds(name, "boundary") || holds(value, "boundary")
		? refuse(err, "\"boundary\" in a parameter that is not the boundary")
		: true;
}

bool
boundary_read(struct str content_type, struct boundary *out, struct error *err)
{
	struct str s = str_trim(content_type);
	struct str type = take_while(&s, str_is_token_char);

	*out = (struct boundary){ 0 };
	if (str_equal_nocase(type, STR("application")) && str_starts_nocase(s, "/x-www-form-urlencoded"))
		return refuse(err,
			"application/x-www-form-urlencoded brings no files; send multipart/form-data "
			"(curl -F, or enctype of an HTML form)");
	if (!str_equal_nocase(type, STR("multipart")) || !str_starts_nocase(s, "/form-data"))
		return refuse(err, "not multipart/form-data");
	s.data += strlen("/form-data");
	s.len -= strlen("/form-data");
	for (;;) {
		skip_blanks(&s);
		if (s.len == 0)
			break;
		if (s.data[0] != ';')
			return refuse(err, "not multipart/form-data followed by parameters");
		if (!take_parameter(&s, out, err))
			return false;
	}
	return out->len > 0 ? true : refuse(err, "no boundary");
}
