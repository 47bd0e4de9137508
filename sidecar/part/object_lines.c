// SPDX-License-Identifier: MIT
/* object_lines.c - see object_lines.h. */
#include "part/object_lines.h"

#include "base/file_name.h"
#include "base/mem.h"
#include "config/kind.h"
#include "config/object_head.h"
#include "part/request_lines.h"

#include <string.h>

/* -- Content-Disposition ------------------------------------------------------------------------------ */

/* How many bytes of `s` are at most `max`, without a cut character. */
static size_t
cut_at(struct str s, size_t max)
{
	size_t end = s.len < max ? s.len : max;

	while (end > 0 && end < s.len && ((unsigned char)s.data[end] & 0xc0) == 0x80)
		end--;
	return end;
}

/* Well-formed UTF-8 without control characters, and not too long. */
static void
add_clean(struct buf *out, struct str name)
{
	struct str extension = file_name_extension(name);
	struct buf whole = { 0 };
	size_t tail;

	buf_add_utf8(&whole, name);
	out->failed = out->failed || whole.failed;
	tail = extension.len > 0 && whole.len > OBJECT_LINES_FILENAME_MAX ? extension.len + 1 : 0;
	whole.len = cut_at(buf_str(&whole), OBJECT_LINES_FILENAME_MAX - tail);
	for (size_t i = 0, n; i < whole.len; i += n) {
		struct str rest = { whole.data + i, whole.len - i };

		n = utf8_length(rest);
		if (utf8_is_control(rest))
			buf_add_char(out, '_');
		else
			buf_add(out, rest.data, n);
	}
	if (tail > 0)
		buf_addf(out, ".%.*s", STR_ARG(extension));
	buf_free(&whole);
}

/* Bytes that all browsers read in a quoted text as themselves. '%' is none, because some decode what follows it. */
static bool
is_quotable(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\' && c != '%';
}

/* True: nothing was lost. */
static bool
add_fallback(struct buf *out, struct str name)
{
	bool is_all = true;

	for (size_t i = 0, n; i < name.len; i += n) {
		n = utf8_length((struct str){ name.data + i, name.len - i });
		is_all = is_all && is_quotable(name.data[i]);
		buf_add_char(out, is_quotable(name.data[i]) ? name.data[i] : '_');
	}
	return is_all;
}

/* attr-char of RFC 8187 section 3.2.1. */
static bool
is_attribute_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

static void
add_extended(struct buf *out, struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (is_attribute_char(name.data[i]))
			buf_add_char(out, name.data[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)name.data[i]);
	}
}

void
object_lines_add_attachment(struct buf *out, struct str filename)
{
	struct buf name = { 0 };

	buf_add_text(out, "attachment");
	add_clean(&name, file_name_base(filename));
	out->failed = out->failed || name.failed;
	if (name.len > 0) {
		buf_add_text(out, "; filename=\"");
		if (!add_fallback(out, buf_str(&name))) {
			buf_add_text(out, "\"; filename*=UTF-8''");
			add_extended(out, buf_str(&name));
		} else {
			buf_add_char(out, '"');
		}
	}
	buf_free(&name);
}

/* -- Content-Type --------------------------------------------------------------------------------------- */

/* Only what is plain ASCII goes into a header of ours. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] < 0x20 || (unsigned char)s.data[i] >= 0x7f)
			return false;
	return s.len > 0;
}

static struct str
type_of(const struct rule *rule, const struct content_type *type, const struct named_part *part)
{
	struct str found = type->from == CONTENT_TYPE_DETECTED ? part->detected_type : part->head->type;

	if (type->from == CONTENT_TYPE_TEXT)
		return str_of(type->text);
	if (rule->action == ACTION_STORE && is_plain(found))
		return found;
	return STR("application/octet-stream");
}

/* -- lines ------------------------------------------------------------------------------------------------ */

/* NAME and VALUE of each line, each with a NUL, are gathered in delivery->head; when all are there `lines` points to them. */
struct writer {
	const struct naming *naming;
	const struct named_part *part;
	struct delivery *delivery;
	struct buf value; /* as the template has it */
	size_t n;         /* lines so far */
	size_t metadata;  /* bytes of their names and values */
};

static void
end_text(struct writer *w)
{
	buf_add_char(&w->delivery->head, '\0');
}

/* A line with an empty value is left out: it says nothing, and not every store takes one. */
static bool
add_metadata(struct writer *w, const struct metadata_line *line, struct error *err)
{
	const char *prefix = w->delivery->order.to->kind->metadata;
	struct buf *out = &w->delivery->head;
	size_t before;

	buf_clear(&w->value);
	if (!naming_text(w->naming, line->value, w->part, &w->value, err))
		return false;
	if (w->value.len == 0)
		return true;
	before = out->len;
	buf_addf(out, "%s%s", prefix, line->name);
	end_text(w);
	object_head_escape(out, buf_str(&w->value));
	end_text(w);
	w->metadata += out->len - before - 2;
	w->n++;
	return true;
}

static bool
check_size(const struct writer *w, struct error *err)
{
	size_t max = w->delivery->order.to->kind->metadata_max;

	if (w->metadata <= max)
		return true;
	error_set(
		err, ERR_RULE, "its metadata would have %zu bytes with the names; %zu are taken", w->metadata, max);
	error_name_limit(err, "metadata");
	return false;
}

static bool
write_lines(struct writer *w, const struct object_head *says, struct error *err)
{
	struct buf *out = &w->delivery->head;

	if (says->disposition == DISPOSITION_ATTACHMENT) {
		buf_add_text(out, "Content-Disposition");
		end_text(w);
		object_lines_add_attachment(out, w->part->head->filename);
		end_text(w);
		w->n++;
	}
	for (size_t i = 0; i < says->metadata.n; i++)
		if (!add_metadata(w, &says->metadata.lines[i], err))
			return false;
	if (out->failed) /* then its length means nothing */
		return error_nomem(err);
	return check_size(w, err);
}

/* If the rule says that browsers shall show its objects, the link must not say otherwise. */
static bool
set_link(struct delivery *delivery, const struct part_head *head, struct error *err)
{
	const struct rule *rule = delivery->rule;

	if (rule->presign_ms == 0)
		return true;
	delivery->order.link_s = (unsigned)(rule->presign_ms / 1000);
	if (rule->head.disposition == DISPOSITION_NONE)
		return true;
	object_lines_add_attachment(&delivery->link_as, head->filename);
	delivery->order.link_as = delivery->link_as.data;
	return delivery->link_as.failed ? error_nomem(err) : true;
}

bool
object_lines_make(
	const struct naming *naming, const struct named_part *part, struct delivery *delivery, struct error *err)
{
	const struct rule *rule = delivery->rule;
	struct object_head says = object_head_of(rule);
	struct writer w = { .naming = naming, .part = part, .delivery = delivery };
	bool ok = true;

	buf_add_str(&delivery->type, type_of(rule, &says.type, part));
	if (kind_has(rule->to->kind, KIND_METADATA))
		ok = write_lines(&w, &says, err) && delivery_set_lines(delivery, w.n, NULL, err);
	delivery->order.says_digest = object_head_says_digest(rule);
	if (kind_has(rule->to->kind, KIND_LINES))
		ok = request_lines_make(naming, part, delivery, err);
	if (kind_has(rule->to->kind, KIND_LINKS))
		ok = ok && set_link(delivery, part->head, err);
	buf_free(&w.value);
	return ok;
}
