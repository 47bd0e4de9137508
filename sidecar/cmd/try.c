// SPDX-License-Identifier: MIT
/* try.c - see try.h. The text that is printed is the very text that is loaded. */
#include "cmd/try.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* How a place that is no folder begins, in upper or lower case (RFC 3986 section 3.1). */
static const struct scheme {
	const char *text;
	bool is_bucket;
} schemes[] = {
	{ "http://", false },
	{ "https://", false },
	{ "s3://", true },
};

/* NULL: it is a folder. */
static const struct scheme *
scheme_of(struct str where)
{
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (str_starts_nocase(where, schemes[i].text))
			return &schemes[i];
	return NULL;
}

/* Adds `key` of a destination if one of two variables of Amazon's SDKs sets it; like the SDKs it takes an empty one for unset. */
static void
add_from_environment(struct buf *out, const char *key, const char *first, const char *second)
{
	const char *value = getenv(first);

	if (value == NULL || *value == '\0')
		value = getenv(second);
	if (value == NULL || *value == '\0')
		return;
	buf_addf(out, ", %s: \"", key);
	add_quoted(out, str_of(value));
	buf_add_text(out, "\"");
}

/* Does not write the keys down: the destination finds them where the SDKs do. */
static void
add_bucket(struct buf *out, struct str name)
{
	buf_add_text(out, "  there: { type: s3, bucket: \"");
	add_quoted(out, name);
	buf_add_text(out, "\"");
	add_from_environment(out, "endpoint", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
	add_from_environment(out, "region", "AWS_REGION", "AWS_DEFAULT_REGION");
	buf_add_text(out, " }\n");
}

static void
add_destination(struct buf *out, struct str where, const struct scheme *scheme)
{
	size_t n = scheme != NULL ? strlen(scheme->text) : 0;
	struct str rest = { where.data + n, where.len - n };

	if (scheme != NULL && scheme->is_bucket) {
		add_bucket(out, rest);
		return;
	}
	if (scheme != NULL)
		buf_addf(out, "  there: { type: http, url: \"%s", scheme->text);
	else
		buf_add_text(out, "  there: { type: directory, path: \"");
	add_quoted(out, rest);
	buf_add_text(out, "\" }\n");
}

static void
write_text(struct buf *out, struct str where)
{
	const struct scheme *scheme = scheme_of(where);

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
		scheme != NULL && !scheme->is_bucket
			? "        store: { to: there, method: PUT, path: \"/{uuid}-{file.name}\" }\n"
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
