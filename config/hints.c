// SPDX-License-Identifier: MIT
/* hints.c - see hints.h. libyaml tells what it expected; the text around the place tells what was meant. */
#include "config/hints.h"

#include <string.h>

/* -- syntax --------------------------------------------------------------------------------------- */

static struct str
line_of(const struct source *source, unsigned line)
{
	struct str rest = { source->text, source->len };
	const char *end;

	for (; line > 1 && rest.len > 0; line--) {
		const char *next = memchr(rest.data, '\n', rest.len);
		size_t n = next != NULL ? (size_t)(next - rest.data) + 1 : rest.len;

		rest = (struct str){ rest.data + n, rest.len - n };
	}
	end = rest.len > 0 ? memchr(rest.data, '\n', rest.len) : NULL;
	if (end != NULL)
		rest.len = (size_t)(end - rest.data);
	return rest;
}

static size_t
indent_of(struct str line)
{
	size_t n = 0;

	while (n < line.len && (line.data[n] == ' ' || line.data[n] == '\t'))
		n++;
	return n;
}

/* "id:upload": a ':' with neither a blank nor the end of the line behind it, but for "//" of a URL and a port. */
static bool
lacks_blank(struct str line)
{
	size_t i = indent_of(line);

	if (i < line.len && line.data[i] == '-')
		i += 1 + indent_of((struct str){ line.data + i + 1, line.len - i - 1 });
	while (i < line.len && (str_is_token_char(line.data[i])))
		i++;
	return i > 0 && i + 1 < line.len && line.data[i] == ':' && line.data[i + 1] != ' ';
}

static bool
says(const char *text, const char *words)
{
	return strstr(text, words) != NULL;
}

/* The line does not go on where its neighbours begin. */
static const char *
hint_of_indent(const struct broken_yaml *b, struct buf *out)
{
	bool is_list = says(b->context, "block collection");

	buf_addf(out, "; this line begins in column %u, and %s in column %u: put both in the same one",
		b->at.column, is_list ? "the '-' of the list above" : "the keys of the mapping above",
		b->begun.column);
	return buf_str(out).data;
}

/* Inside of { } and [ ]. */
static const char *
hint_of_flow(const struct broken_yaml *b, char before, char at, struct buf *out)
{
	if (before == '}')
		return "; a value that begins with '{' and goes on behind its '}' needs quotes: \"{uuid}.{file.ext}\"";
	if (b->at.line == b->begun.line)
		return at == '[' || at == '{'
			? "; a value with '[', ']', '{' or '}' in it needs quotes: \"photo[]\""
			: "";
	buf_addf(out, "; the '%c' in line %u is not closed before this line: a bracket or a quote is missing",
		says(b->context, "sequence") ? '[' : '{', b->begun.line);
	return buf_str(out).data;
}

static const char *
hint_of_line(const struct broken_yaml *b, struct str line, struct buf *out)
{
	size_t column = b->at.column - 1;
	char before = column > 0 && column <= line.len ? line.data[column - 1] : ' ';
	char at = column < line.len ? line.data[column] : ' ';

	if (says(b->context, "flow") || before == '}')
		return hint_of_flow(b, before, at, out);
	if (says(b->problem, "mapping values are not allowed") && b->at.line > 1 &&
		lacks_blank(line_of(b->at.source, b->at.line - 1))) {
		buf_addf(out, "; in line %u a blank is missing behind the ':'", b->at.line - 1);
		return buf_str(out).data;
	}
	if (says(b->context, "block") && b->begun.source != NULL && column == indent_of(line))
		return hint_of_indent(b, out);
	return "";
}

const char *
hints_of_syntax(const struct broken_yaml *b, struct buf *out)
{
	struct str line = line_of(b->at.source, b->at.line);
	size_t indent = indent_of(line);
	const char *hint;

	if (memchr(line.data != NULL ? line.data : "", '\t', indent) != NULL)
		return "; YAML is indented with blanks: put blanks in place of the tab";
	if (says(b->context, "alias") || says(b->context, "anchor"))
		return "; a value that begins with '*' or '&' needs quotes";
	if (says(b->problem, "cannot start any token"))
		return "; a value that begins with '@', '`', '%' or a tab needs quotes";
	hint = hint_of_line(b, line, out);
	return out->failed || hint == NULL ? "" : hint;
}

/* -- keys ------------------------------------------------------------------------------------------- */

const char *
hints_of_key(const struct key_table *table, struct str key)
{
	static const struct {
		const char *path, *key, *hint;
	} rows[] = {
		{ "routes[].fields[]", "type",
			"`kind: file` or `kind: value` says which parts are meant, and `types` what they have to be" },
		{ "routes[].fields[]", "extension", "it is `extensions: [jpg, png]`" },
		{ "routes[].fields[].types", "sniffed", "it is `detected: [image/png]`" },
		{ "routes[].fields[]", "content_type",
			"it stands below `store`; what a part has to be is `types`" },
		{ "routes[].fields[]", "field", "the field's name is `name`" },
		{ "routes[].fields[]", "max", "it is `max_size` for bytes and `max_count` for parts" },
		{ "routes[].fields[]", "optional", "every field is, but for `required: true`" },
		{ "routes[].fields[]", "destination", "write `store: { to: DESTINATION, key: TEMPLATE }`" },
		{ "routes[].fields[]", "to", "write `store: { to: DESTINATION, key: TEMPLATE }`" },
		{ "routes[].fields[]", "key", "write `store: { to: DESTINATION, key: TEMPLATE }`" },
		{ "routes[].fields[]", "path", "write `store: { to: DESTINATION, key: TEMPLATE }`" },
		{ "routes[].fields[].store", "destination", "the destination's name is `to`" },
		{ "routes[].fields[].store", "name", "the object's name is `key`" },
		{ "routes[].fields[].store", "template", "the object's name is `key`" },
		{ "routes[].fields[].concat", "destination", "the destination's name is `to`" },
		{ "routes[].fields[].concat", "name", "the object's name is `key`" },
		{ "routes[].fields[].concat", "template", "the object's name is `key`" },
		{ "routes[]", "name", "the route's name is `id`" },
		{ "routes[]", "rules", "the rules of a form's fields are `fields`" },
		{ "routes[]", "path", "write `match: { path: ... }`" },
		{ "routes[]", "host", "write `match: { host: ... }`" },
		{ "routes[]", "method", "write `match: { method: ... }`" },
		{ "routes[]", "redirect", "write `response: { redirect: ... }`" },
		{ "", "port", "write `listen: \"127.0.0.1:PORT\"`" },
		{ "destinations.NAME (type: directory)", "dir", "the folder is `path`" },
		{ "destinations.NAME (type: directory)", "folder", "the folder is `path`" },
		{ "destinations.NAME (type: http)", "path",
			"a store has a `url`; a folder with a `path` is `type: directory`" },
		{ "destinations.NAME (type: directory)", "url",
			"a directory has a `path`; a store with a URL is `type: http`" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].path, table->path) == 0 && str_is(key, rows[i].key))
			return rows[i].hint;
	return key.len > 0 && memchr(key.data, ':', key.len) != NULL ? "a blank is missing behind the ':'" : NULL;
}
