// SPDX-License-Identifier: MIT
/* try.c - see try.h. The text that is printed is the very text that is loaded. */
#include "try.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Inside of a YAML double-quoted scalar (YAML 1.2 section 7.3.1). */
static void
add_quoted(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(out, "\\x%02x", c);
		else
			buf_add_char(out, (char)c);
	}
}

/* "http://" or "https://", which may be written in any case (RFC 3986 section 3.1); NULL: it is a folder. */
static const char *
scheme_of(struct str where)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (str_starts_nocase(where, schemes[i]))
			return schemes[i];
	return NULL;
}

static void
add_destination(struct buf *out, struct str where, const char *scheme)
{
	size_t n = scheme != NULL ? strlen(scheme) : 0;

	if (scheme != NULL)
		buf_addf(out, "  there: { type: http, url: \"%s", scheme);
	else
		buf_add_text(out, "  there: { type: directory, path: \"");
	add_quoted(out, (struct str){ where.data + n, where.len - n });
	buf_add_text(out, "\" }\n");
}

static void
write_text(struct buf *out, struct str where)
{
	const char *scheme = scheme_of(where);

	buf_add_text(out,
		"# Try it:  curl -F file=@/etc/hostname http://127.0.0.1:8081/upload\n"
		"# Keep it: save this text as routes.yaml and start  penstock run routes.yaml\n"
		"version: 1\n"
		"listen: [\"127.0.0.1:8081\"]\n"
		"log: { level: info, format: text }\n"
		"destinations:\n");
	add_destination(out, where, scheme);
	buf_add_text(out,
		"routes:\n"
		"  - id: try\n"
		"    match: { path: \"/**\", method: [POST, PUT] }\n"
		"    fields:\n"
		"      - name: \"*\"\n"
		"        kind: file\n");
	buf_add_text(out,
		scheme != NULL ? "        store: { to: there, method: PUT, path: \"/{uuid}-{file.name}\" }\n"
			       : "        store: { to: there, key: \"{uuid}-{file.name}\" }\n");
	buf_add_text(out, "    default: drop\n");
}

static bool
print(struct str text, struct error *err)
{
	fwrite(text.data, 1, text.len, stdout);
	return fflush(stdout) == 0 ||
		error_set(err, ERR_SYSTEM, "the route file cannot be printed: %s", strerror(errno));
}

struct config *
try_config(const char *where, struct findings *findings, struct error *err)
{
	struct buf text = { 0 };
	struct config *config;

	write_text(&text, str_of(where));
	if (text.failed) {
		error_nomem(err);
		return NULL;
	}
	config = config_load_text("(penstock try)", buf_str(&text), findings);
	if (config != NULL && !print(buf_str(&text), err)) {
		config_free(config);
		config = NULL;
	}
	buf_free(&text);
	return config;
}
