// SPDX-License-Identifier: MIT
/* safe_name.c - see safe_name.h. The bytes of a segment are gathered, decoded, with a mark for each that says who gave it;
 * at the segment's end they are judged as a whole, and written for the place where the object goes. */
#include "sink/safe_name_priv.h"

#include <string.h>

void
safe_name_begin(struct safe_name *name, const struct destination *to, bool shortens, struct buf *out)
{
	*name = (struct safe_name){ .to = to, .out = out, .shortens = shortens };
}

/* -- refusing ------------------------------------------------------------------------------------------ */

/* `giver`: by mark. True: `names.unsafe` wants it refused. */
static bool
refuse(struct safe_name *name, int mark, const char *what)
{
	size_t giver = mark >= MARK_VALUE ? (size_t)(mark - MARK_VALUE) : name->n_givers - 1;

	if (!name->to->settings->refuses_unsafe || name->n_givers == 0) /* 0: the template's own text and date */
		return false;
	if (error_is_set(&name->error))
		return true;
	error_set(&name->error, ERR_RULE, "%s would put %s into the name of an object", name->givers[giver], what);
	error_name_limit(&name->error, "names.unsafe");
	return true;
}

/* Some byte gave it, or all of them did: whoever is named last. */
static void
replace(struct safe_name *name, size_t at, int mark, const char *what)
{
	if (!refuse(name, mark, what))
		name->bytes.data[at] = '_';
}

/* -- judging ------------------------------------------------------------------------------------------- */

/* RFC 3629 section 3 forbids them, and some decoders take them for the byte that they spell. */
static bool
is_overlong(struct str s)
{
	unsigned char c = (unsigned char)s.data[0], next = s.len > 1 ? (unsigned char)s.data[1] : 0;

	if (next < 0x80 || next > 0xbf)
		return false;
	return c == 0xc0 || c == 0xc1 || (c == 0xe0 && next < 0xa0) || (c == 0xf0 && next < 0x90);
}

#define NOT_UTF8 "bytes that are not UTF-8"

const char *
safe_name_unsafe_byte(struct str rest)
{
	unsigned char c = (unsigned char)rest.data[0];

	if (c == '/' || c == '\\')
		return c == '/' ? "a '/'" : "a '\\'";
	if (c < 0x20 || c == 0x7f)
		return "a control byte";
	return is_overlong(rest) ? NOT_UTF8 : NULL;
}

static bool
is_escape(struct str rest)
{
	return rest.data[0] == '%' && rest.len >= 3 && str_hex_value(rest.data[1]) >= 0 &&
		str_hex_value(rest.data[2]) >= 0;
}

/* The first mark of a value among the three bytes of an escape. */
static int
mark_of_escape(const struct safe_name *name, size_t at)
{
	int mark = MARK_TEXT;

	for (size_t i = 0; i < 3 && mark < MARK_VALUE; i++)
		mark = mark_at(name, at + i);
	return mark;
}

/* What a value has brought there. Keys of S3 are UTF-8, and a store refuses others. */
static const char *
unsafe_value(const struct safe_name *name, struct str rest, bool is_utf8)
{
	const char *what = safe_name_unsafe_byte(rest);

	return what == NULL && !is_utf8 && is_key(name) ? NOT_UTF8 : what;
}

/* In a folder they are written as %XX, and judged for a refusal only. */
static void
judge_bytes(struct safe_name *name)
{
	struct str all = buf_str(&name->bytes);

	for (size_t i = name->segment, character = i; i < all.len; i++) {
		struct str rest = { all.data + i, all.len - i };
		int mark = mark_at(name, i);
		const char *what;

		if (i >= character) /* where the next one begins; here, if none does */
			character = i + utf8_length(rest);
		what = mark >= MARK_VALUE ? unsafe_value(name, rest, i < character) : NULL;
		if (what == NULL && is_escape(rest)) {
			mark = mark_of_escape(name, i);
			what = mark >= MARK_VALUE || (is_http(name) && !is_key(name)) ? "an escape" : NULL;
		}
		if (what != NULL && is_http(name))
			replace(name, i, mark, what);
		else if (what != NULL)
			refuse(name, mark, what);
	}
}

static struct str
segment_of(const struct safe_name *name)
{
	return (struct str){ name->bytes.data + name->segment, name->bytes.len - name->segment };
}

/* What stands before a ';' counts: some servers take the rest for parameters, and resolve the dots then. */
static void
judge_dots(struct safe_name *name)
{
	struct str s = segment_of(name);
	const char *semicolon = memchr(s.data, ';', s.len);
	size_t n = semicolon != NULL ? (size_t)(semicolon - s.data) : s.len;

	if (n < 1 || n > 2 || s.data[0] != '.' || s.data[n - 1] != '.')
		return;
	for (size_t i = 0; i < n; i++)
		replace(name, name->segment + i, MARK_TEXT, "a \".\" or \"..\" segment");
}

static void
judge_reserved(struct safe_name *name)
{
	if (!is_http(name) && str_starts_nocase(segment_of(name), ".penstock-"))
		replace(name, name->segment, MARK_TEXT, "\".penstock-\" at the front");
}

static void
judge(struct safe_name *name)
{
	judge_bytes(name);
	judge_dots(name);
	judge_reserved(name);
}

/* -- gathering ----------------------------------------------------------------------------------------- */

/* Before the '/' that a URL begins with, and behind one that ends it, there is no segment. */
static void
end_segment(struct safe_name *name)
{
	if (name->bytes.len == name->segment && name->n_givers > 0 && !refuse(name, MARK_TEXT, "an empty segment"))
		safe_name_plain(name, STR("_"));
	if (name->bytes.failed || name->marks.failed)
		error_nomem(&name->error);
	else if (name->bytes.len > name->segment && name->n_givers > 0)
		judge(name);
	name->n_givers = 0;
}

static void
add(struct safe_name *name, char c, int mark)
{
	buf_add_char(&name->bytes, c);
	buf_add_char(&name->marks, (char)mark);
}

/* What ends a segment stands between them. */
static void
add_end(struct safe_name *name, struct str text, enum mark mark)
{
	end_segment(name);
	for (size_t i = 0; i < text.len; i++)
		add(name, text.data[i], (int)mark);
	name->segment = name->bytes.len;
}

/* The escape of a '/' or a '\\' ends a segment, as they do. */
static void
add_escape(struct safe_name *name, struct str escape)
{
	char c = (char)(str_hex_value(escape.data[1]) * 16 + str_hex_value(escape.data[2]));

	if (c != '/' && c != '\\') {
		add(name, c, MARK_ESCAPED);
		return;
	}
	add_end(name, escape, MARK_PLAIN);
}

void
safe_name_text(struct safe_name *name, struct str text)
{
	for (size_t i = 0, n; i < text.len; i += n) {
		struct str rest = { text.data + i, text.len - i };

		n = is_http(name) && !is_key(name) && is_escape(rest) ? 3 : 1;
		if (n == 3) {
			add_escape(name, (struct str){ rest.data, 3 });
		} else if (rest.data[0] == '/') {
			add_end(name, STR("/"), MARK_SLASH);
		} else {
			add(name, rest.data[0], MARK_TEXT);
		}
	}
}

static void
add_run(struct safe_name *name, struct str s, int mark)
{
	char marks[64];

	memset(marks, mark, sizeof marks);
	buf_add_str(&name->bytes, s);
	for (size_t n; s.len > 0; s.len -= n) {
		n = s.len < sizeof marks ? s.len : sizeof marks;
		buf_add(&name->marks, marks, n);
	}
}

void
safe_name_plain(struct safe_name *name, struct str text)
{
	add_run(name, text, MARK_PLAIN);
}

void
safe_name_stand_in(struct safe_name *name, struct str text, size_t len)
{
	size_t both = text.len < len ? text.len : len;

	add_run(name, (struct str){ text.data, both }, MARK_PLAIN);
	add_run(name, (struct str){ text.data + both, text.len - both }, MARK_UNCOUNTED);
	for (; both < len; both++)
		add(name, ' ', MARK_UNSEEN);
}

void
safe_name_value(struct safe_name *name, const char *placeholder, struct str value)
{
	size_t giver = name->n_givers < SAFE_NAME_GIVERS_MAX ? name->n_givers++ : SAFE_NAME_GIVERS_MAX - 1;

	name->givers[giver] = placeholder;
	add_run(name, value, (int)(MARK_VALUE + giver));
}

void
safe_name_drop_dot(struct safe_name *name)
{
	if (name->bytes.len == name->segment || name->bytes.failed || name->marks.failed ||
		name->bytes.data[name->bytes.len - 1] != '.')
		return;
	name->bytes.data[--name->bytes.len] = '\0';
	name->marks.data[--name->marks.len] = '\0';
}

static bool
refuse_long(struct error *err, size_t max)
{
	error_set(err, ERR_RULE, "the name it would get is longer than %zu bytes", max);
	error_name_limit(err, "names.long");
	return false;
}

/* Also where it is not shortened: no file system takes it. */
static void
check_segments(struct safe_name *name)
{
	for (size_t from = 0, end; from < name->bytes.len; from = end + 1) {
		end = safe_name_segment_end(name, from);
		if (safe_name_length(name, from, end) > SAFE_NAME_SEGMENT_MAX && !error_is_set(&name->error))
			refuse_long(&name->error, SAFE_NAME_SEGMENT_MAX);
	}
}

static void
write_all(struct safe_name *name)
{
	if (name->shortens)
		long_name_shorten(name);
	if (!is_http(name) && !error_is_set(&name->error))
		check_segments(name);
	if (!error_is_set(&name->error))
		safe_name_write(name, 0, name->bytes.len, name->out);
	if (name->out->failed)
		error_nomem(&name->error);
}

bool
safe_name_end(struct safe_name *name, struct error *err)
{
	end_segment(name);
	if (!error_is_set(&name->error))
		write_all(name);
	buf_free(&name->bytes);
	buf_free(&name->marks);
	if (error_is_set(&name->error))
		error_keep_first(err, &name->error);
	return !error_is_set(&name->error);
}

/* The '/' in front does not belong to a key. */
static size_t
key_length(struct str name)
{
	size_t len = name.len;

	for (size_t i = 0; i < name.len; i++)
		len -= name.data[i] == '%' ? 2 : 0;
	return len - (name.len > 0 && name.data[0] == '/');
}

bool
safe_name_fits(const struct destination *to, struct str name, struct error *err)
{
	bool is_key = to->kind->style == TEMPLATE_FOR_KEY;
	size_t len = is_key ? key_length(name) : name.len, max = is_key ? SAFE_NAME_KEY_MAX : SAFE_NAME_MAX;

	return len <= max || refuse_long(err, max);
}
