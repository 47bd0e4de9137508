// SPDX-License-Identifier: MIT
/* boundary.c - the boundary parameter of a request's Content-Type (RFC 9110 section 8.3.1, RFC 2046 section
 * 5.1.1). libmicrohttpd's own search takes everything behind the first "boundary=", so it is never asked.
 *
 * One liberty: an unquoted boundary may hold the characters that RFC 2046 allows in a boundary although
 * RFC 9110 wants them quoted ('=', '/', ':' ...), because clients send them and nobody reads them otherwise. */
#include "form/form.h"

#include <string.h>

static bool
is_boundary_char(char c)
{
	return str_is_token_char(c) || (c != '\0' && strchr("'()+_,-./:=?", c) != NULL);
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

struct value {
	char text[FORM_BOUNDARY_MAX + 2]; /* one more than fits, so that "too long" shows */
	size_t len;
};

static void
add(struct value *value, char c)
{
	if (value->len < sizeof value->text)
		value->text[value->len++] = c;
}

/* quoted-string with quoted-pairs. False: not terminated, or a control byte in it. */
static bool
take_quoted(struct str *s, struct value *value)
{
	for (size_t i = 1; i < s->len; i++) {
		char c = s->data[i];

		if (c == '"') {
			s->data += i + 1;
			s->len -= i + 1;
			return true;
		}
		if (c == '\\' && ++i < s->len)
			c = s->data[i];
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return false;
		add(value, c);
	}
	return false;
}

static bool
take_value(struct str *s, struct value *value)
{
	struct str plain;

	value->len = 0;
	if (s->len > 0 && s->data[0] == '"')
		return take_quoted(s, value);
	plain = take_while(s, is_boundary_char);
	for (size_t i = 0; i < plain.len; i++)
		add(value, plain.data[i]);
	return plain.len > 0;
}

/* 1 to 70 characters of RFC 2046's set (or of a token), no blank at the end. */
static bool
is_usable(const struct value *value)
{
	if (value->len == 0 || value->len > FORM_BOUNDARY_MAX || value->text[value->len - 1] == ' ')
		return false;
	for (size_t i = 0; i < value->len; i++)
		if (!is_boundary_char(value->text[i]) && value->text[i] != ' ')
			return false;
	return true;
}

static bool
refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_MEDIA_TYPE, "Content-Type: %s", why);
}

static bool
keep_boundary(struct boundary *out, const struct value *value, struct error *err)
{
	if (out->len > 0)
		return refuse(err, "more than one boundary");
	if (!is_usable(value))
		return refuse(err, "the boundary is not 1 to 70 plain characters");
	memcpy(out->text, value->text, value->len);
	out->text[value->len] = '\0';
	out->len = value->len;
	return true;
}

/* One ";" and what follows it, which may be nothing. */
static bool
take_parameter(struct str *s, struct boundary *out, struct error *err)
{
	struct value value;
	struct str name;

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
	if (str_starts_nocase(name, "boundary*"))
		return refuse(err, "an extended boundary parameter");
	return str_equal_nocase(name, STR("boundary")) ? keep_boundary(out, &value, err) : true;
}

bool
boundary_read(struct str content_type, struct boundary *out, struct error *err)
{
	struct str s = str_trim(content_type);
	struct str type = take_while(&s, str_is_token_char);

	*out = (struct boundary){ 0 };
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
