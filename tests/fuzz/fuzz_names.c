// SPDX-License-Identifier: MIT
/* fuzz_names.c - any template and any values: the name stays below its prefix and has the segments of its template, for a
 * server that decodes it up to three times and resolves dots, and for a folder. The first line of the input is the
 * template, the second a request target, the third a header and what "*" took of the path; the rest is field and file name. */
#include "config/kind.h"
#include "config/template.h"
#include "part/naming.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DECODINGS 3

static struct str
next_line(struct str *rest)
{
	const char *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t n = end != NULL ? (size_t)(end - rest->data) : rest->len;
	struct str line = { rest->data, n };

	n += end != NULL;
	*rest = (struct str){ rest->data + n, rest->len - n };
	return line;
}

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	(void)name;
	*value = *(const struct str *)arg;
	return nth == 0;
}

/* As a lenient server does it: what is no escape stays. */
static void
decode(struct buf *name)
{
	size_t to = 0;

	for (size_t i = 0; i < name->len; i++) {
		const char *s = name->data + i;
		bool is_escape = *s == '%' && name->len - i >= 3 && str_hex_value(s[1]) >= 0 &&
			str_hex_value(s[2]) >= 0;

		name->data[to++] = is_escape ? (char)(str_hex_value(s[1]) * 16 + str_hex_value(s[2])) : *s;
		i += is_escape ? 2 : 0;
	}
	name->len = to;
}

static bool
is_dots(struct str segment)
{
	const char *end = segment.len > 0 ? memchr(segment.data, ';', segment.len) : NULL;
	size_t n = end != NULL ? (size_t)(end - segment.data) : segment.len;

	return (n == 1 || n == 2) && segment.data[0] == '.' && segment.data[n - 1] == '.';
}

/* Segments that are left when a server cuts at '/' and '\', merges slashes and resolves dots; -1: it came above the
 * prefix. */
static int
depth_of(struct str name, bool backslash_cuts)
{
	int depth = 0;

	for (size_t begin = 0, i = 0; i <= name.len; i++) {
		struct str segment = { name.data + begin, i - begin };

		if (i < name.len && name.data[i] != '/' && !(backslash_cuts && name.data[i] == '\\'))
			continue;
		if (is_dots(segment))
			depth -= segment.len > 1 && segment.data[1] == '.' ? 1 : 0;
		else
			depth += segment.len > 0;
		if (depth < 0)
			return -1;
		begin = i + 1;
	}
	return depth;
}

static void
check_url(struct buf *name, struct buf *plain)
{
	for (int i = 0; i <= DECODINGS; i++) {
		if (depth_of(buf_str(name), true) != depth_of(buf_str(plain), true))
			abort();
		decode(name);
		decode(plain);
	}
}

static void
check_file(const struct buf *name, const struct buf *plain)
{
	struct str rest = buf_str(name);

	if (depth_of(rest, false) != depth_of(buf_str(plain), false) || memchr(rest.data, '\0', rest.len) != NULL ||
		(rest.len > 0 && rest.data[0] == '/'))
		abort();
	while (rest.len > 0) {
		const char *slash = memchr(rest.data, '/', rest.len);
		size_t n = slash != NULL ? (size_t)(slash - rest.data) : rest.len;

		if (n == 0 || n > SAFE_NAME_SEGMENT_MAX ||
			str_starts_nocase((struct str){ rest.data, n }, ".penstock-"))
			abort();
		rest = (struct str){ rest.data + n + (slash != NULL), rest.len - n - (slash != NULL) };
	}
}

/* The name of the part, and that of one whose values are all "x". */
static bool
make(struct rule *rule, struct str target, struct str header, struct str field, struct buf *out)
{
	struct head head = { .header = nth_header, .arg = &header, .target = target };
	struct match_result match = { .n_captures = 3 };
	struct naming naming = { .head = &head, .match = &match, .request_id = field };
	struct part_head part = { .number = 47, .field = field, .filename = field };
	struct error err = { 0 };

	for (size_t i = 0; i < match.n_captures; i++)
		match.captures[i] = header;
	return naming_expand(&naming, rule, &(struct named_part){ .head = &part }, out, &err);
}

static void
try_one(struct rule *rule, struct destination *to, struct str target, struct str header, struct str field)
{
	struct buf name = { 0 }, plain = { 0 }, strict = { 0 };
	bool ok = make(rule, target, header, field, &name) && make(rule, STR("/"), STR("x"), STR("x.x"), &plain);

	to->settings->refuses_unsafe = true;
	for (size_t i = 0; i < rule->target->n_pieces; i++) /* two of them would not be equal */
		ok = ok && rule->target->pieces[i].kind != TEMPLATE_UUID;
	if (ok && make(rule, target, header, field, &strict) && !str_equal(buf_str(&strict), buf_str(&name)))
		abort();
	if (ok && to->kind->style == TEMPLATE_FOR_URL)
		check_url(&name, &plain);
	else if (ok)
		check_file(&name, &plain);
	buf_free(&name);
	buf_free(&plain);
	buf_free(&strict);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size };
	struct str template = next_line(&rest), target = next_line(&rest), header = next_line(&rest);

	for (size_t i = 0; i < 2; i++) {
		struct destination_kind kind = { .style = i == 0 ? TEMPLATE_FOR_URL : TEMPLATE_FOR_FILE };
		struct destination_settings settings = { .refuses_unsafe = false };
		struct destination to = { .kind = &kind, .settings = &settings };
		struct rule rule = { .to = &to };
		struct error err = { 0 };
		struct span span;

		rule.target = template_parse(template, kind.style, &span, &err);
		if (rule.target != NULL)
			try_one(&rule, &to, target, header, rest);
		template_free(rule.target);
	}
	return 0;
}
