// SPDX-License-Identifier: MIT
/* writer.c - see writer.h. */
#include "config/writer.h"

static void
add_quoted(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void
new_line(struct writer *w)
{
	buf_add_char(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_add_text(w->out, "  ");
}

static void
begin(struct writer *w, const char *name)
{
	if (w->more)
		buf_add_char(w->out, ',');
	if (w->depth > 0)
		new_line(w);
	if (name != NULL) {
		add_quoted(w->out, name);
		buf_add_text(w->out, ": ");
	}
	w->more = true;
}

void
writer_open(struct writer *w, const char *name, char bracket)
{
	begin(w, name);
	buf_add_char(w->out, bracket);
	w->depth++;
	w->more = false;
}

void
writer_close(struct writer *w, char bracket)
{
	w->depth--;
	if (w->more)
		new_line(w);
	buf_add_char(w->out, bracket);
	w->more = true;
}

void
writer_text(struct writer *w, const char *name, const char *value)
{
	begin(w, name);
	add_quoted(w->out, value);
}

void
writer_number(struct writer *w, const char *name, uint64_t value)
{
	begin(w, name);
	buf_addf(w->out, "%llu", (unsigned long long)value);
}

void
writer_bool(struct writer *w, const char *name, bool value)
{
	begin(w, name);
	buf_add_text(w->out, value ? "true" : "false");
}
