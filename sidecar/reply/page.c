// SPDX-License-Identifier: MIT
/* page.c - see page.h. */
#include "reply/page.h"

#include <inttypes.h>

static const char style[] =
	"<style>body{font:1.1em/1.5 system-ui,sans-serif;max-width:38em;margin:3em auto;padding:0 1em;color:#222;"
	"background:#fff}dt{font-weight:bold}dd{margin:0 0 .5em;overflow-wrap:anywhere}"
	"@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}}</style>";

static void
add_escaped(struct buf *out, struct str s)
{
	struct buf clean = { 0 };

	buf_add_utf8(&clean, s);
	for (size_t i = 0; i < clean.len; i++) {
		char c = clean.data[i];

		if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
			buf_addf(out, "&#%d;", c);
		else
			buf_add_char(out, c == '\0' ? ' ' : c);
	}
	out->failed = out->failed || clean.failed;
	buf_free(&clean);
}

/* Absent or empty: left out. */
static void
add_row(struct buf *out, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	buf_addf(out, "<dt>%s</dt><dd>", name);
	add_escaped(out, value);
	buf_add_text(out, "</dd>\n");
}

/* Only where something of a refused form is there all the same. */
static void
add_parts(struct buf *out, const struct reply_facts *facts)
{
	if (facts->n_parts > 0)
		buf_add_text(out, "<p>Not all of the form could be taken back:</p>\n<ul>\n");
	for (size_t i = 0; i < facts->n_parts; i++) {
		const struct reply_part *part = &facts->parts[i];

		buf_addf(out, "<li>part %u, ", part->number);
		add_escaped(out, part->filename.len > 0 ? part->filename : part->field);
		buf_addf(out, ": %s</li>\n", reply_state_name(part));
	}
	if (facts->n_parts > 0)
		buf_add_text(out, "</ul>\n");
}

void
page_add(struct buf *out, const struct reply_facts *facts, unsigned status)
{
	const struct error *error = &facts->error;

	buf_addf(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>%u %s</title>\n",
		status, reply_reason(status));
	buf_addf(out, "<meta name=\"viewport\" content=\"width=device-width\">%s</head>\n<body>\n", style);
	buf_addf(out, "<h1>%s</h1>\n<p>The form was not taken: ", reply_reason(status));
	add_escaped(out, str_of(error->message));
	buf_add_text(out, "</p>\n");
	add_parts(out, facts);
	buf_addf(out, "<dl>\n<dt>Status</dt><dd>%u</dd>\n", status);
	add_row(out, "Field", str_of(error->field));
	add_row(out, "Limit", str_of(error->limit));
	add_row(out, "Request", facts->request_id);
	buf_add_text(out, "</dl>\n</body>\n</html>");
}
