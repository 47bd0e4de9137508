// SPDX-License-Identifier: MIT
/* app_form.c - see app_form.h. */
#include "reply/app_form.h"

#include "config/kind.h"
#include "reply/reply.h"
#include "stage/stage.h"

#include <inttypes.h>
#include <string.h>

static const char *const digest_names[] = { "sha256", "sha512", "sha1", "md5", "crc32c", "crc64nvme" };

/* -- a file ---------------------------------------------------------------------------------------------- */

static void
add_text(struct buf *out, const char *before, struct str text)
{
	buf_add_text(out, before);
	if (text.data != NULL)
		buf_add_json(out, text);
	else
		buf_add_text(out, "null");
}

static void
add_digests(struct buf *out, const struct facts *facts)
{
	const char *before = "";

	buf_add_text(out, ",\"digests\":{");
	for (size_t i = 0; i < sizeof digest_names / sizeof digest_names[0]; i++) {
		const char *text = facts_find(facts, digest_names[i]);

		if (text == NULL)
			continue;
		buf_addf(out, "%s\"%s\":\"%s\"", before, digest_names[i], text);
		before = ",";
	}
	buf_add_char(out, '}');
}

static struct str
some(const char *text)
{
	return text != NULL && text[0] != '\0' ? str_of(text) : STR_NONE;
}

/* A place on this machine that lasts is a folder. */
static void
add_path(struct buf *out, const struct destination *to, struct str target)
{
	struct buf path = { 0 };

	if (kind_has(to->kind, KIND_LOCAL) && kind_has(to->kind, KIND_LASTS) && to->at != NULL) {
		buf_addf(&path, "%s/", to->at);
		buf_add_str(&path, target);
	}
	out->failed |= path.failed;
	add_text(out, ",\"path\":", path.len > 0 ? buf_str(&path) : STR_NONE);
	buf_free(&path);
}

static void
add_file(struct buf *out, const struct part *part, bool reveals_path)
{
	const struct outcome *outcome = &part->delivery->order.outcome;
	bool is_there = outcome->state == OUTCOME_COMMITTED;
	struct reply_part told = reply_part_of(part);

	add_text(out, "{\"name\":", told.filename);
	add_text(out, ",\"type\":", told.type);
	add_text(out, ",\"detected_type\":", str_of(facts_find(told.facts, STAGE_DETECTED_TYPE)));
	buf_addf(out, ",\"size\":%" PRIu64, told.size);
	add_digests(out, told.facts);
	add_text(out, ",\"destination\":", told.destination);
	add_text(out, ",\"target\":", told.target);
	add_text(out, ",\"location\":", is_there ? some(outcome->location) : STR_NONE);
	add_text(out, ",\"version\":", is_there ? some(outcome->version) : STR_NONE);
	buf_addf(out, ",\"part\":%u", told.number);
	if (reveals_path)
		add_path(out, part->delivery->order.to, told.target);
	buf_add_char(out, '}');
}

/* -- fields ------------------------------------------------------------------------------------------------ */

static bool
is_value(const struct part *part)
{
	return part->rule != NULL && part->rule->forward;
}

/* What is not NULL. */
static struct str
value_of(const struct part *part)
{
	return part->value.len > 0 ? buf_str(&part->value) : STR("");
}

static void
add_urlencoded(struct buf *out, struct str text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*' ||
			c == '-' || c == '.' || c == '_')
			buf_add_char(out, (char)c);
		else if (c == ' ')
			buf_add_char(out, '+');
		else
			buf_add(out, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
	}
}

static void
add_pair(struct buf *out, struct str name, struct str value)
{
	if (out->len > 0)
		buf_add_char(out, '&');
	add_urlencoded(out, name);
	buf_add_char(out, '=');
	add_urlencoded(out, value);
}

static void
add_field(struct buf *out, const struct part *part, bool reveals_path)
{
	add_text(out, "{\"name\":", part->field);
	if (is_value(part))
		add_text(out, ",\"value\":", value_of(part));
	if (part->delivery != NULL) {
		buf_add_text(out, ",\"file\":");
		add_file(out, part, reveals_path);
	}
	buf_add_char(out, '}');
}

/* -- the whole ----------------------------------------------------------------------------------------------- */

static bool
is_told(const struct part *part)
{
	return part->is_whole && (is_value(part) || part->delivery != NULL);
}

static void
make_json(const struct app_form_of *of, struct buf *out)
{
	const char *before = "";

	add_text(out, "{\"route\":", str_of(of->route->id));
	add_text(out, ",\"request_id\":", of->request_id);
	buf_add_text(out, ",\"fields\":[");
	for (const struct part *part = parts_first(of->parts); part != NULL; part = part->next) {
		if (!is_told(part))
			continue;
		buf_add_text(out, before);
		add_field(out, part, of->route->app.reveal_path);
		before = ",";
	}
	buf_add_text(out, "]}");
}

/* -- how long it can get ---------------------------------------------------------------------------------------- */

#define FILE_MOST 1536u  /* bytes of a file's object, or of the head of a document, beside the texts in it */
#define OTHER_IN_FORM 3u /* a byte is %XX, ... */
#define OTHER_IN_JSON 6u /* ... \u00XX, ... */
#define OTHER_IN_BOTH 9u /* ... or three of a U+FFFD, each %XX */

static size_t
most_of_text(struct str text, size_t other)
{
	size_t most = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			c == ' ';

		most += is_plain ? 1 : other;
	}
	return most;
}

static size_t
most_of_file(const struct app_form_of *of, const struct part *part)
{
	size_t other = of->route->app.form == APP_JSON ? OTHER_IN_JSON : OTHER_IN_BOTH;
	const struct order *order = &part->delivery->order;
	struct reply_part told = reply_part_of(part);
	const struct str texts[] = { told.filename, told.type, told.destination, told.target,
		str_of(facts_find(told.facts, STAGE_DETECTED_TYPE)), str_of(order->outcome.location),
		str_of(order->outcome.version), of->route->app.reveal_path ? str_of(order->to->at) : STR_NONE,
		of->route->app.reveal_path ? told.target : STR_NONE };
	size_t most = FILE_MOST;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		most += most_of_text(texts[i], other);
	return most;
}

static size_t
most_of_part(const struct app_form_of *of, const struct part *part)
{
	bool is_json = of->route->app.form == APP_JSON;
	size_t other = is_json ? OTHER_IN_JSON : OTHER_IN_FORM, most = 0;

	if (!is_told(part))
		return 0;
	if (is_value(part))
		most += most_of_text(buf_str(&part->value), other) + sizeof ",\"value\":\"\"";
	if (part->delivery != NULL)
		most += most_of_file(of, part) + sizeof ",\"file\":";
	/* Of a rule that stores and forwards a document has the name once; a form cannot have both. */
	return most + most_of_text(part->field, other) + sizeof ",{\"name\":\"\"}";
}

static size_t
most_of_body(const struct app_form_of *of)
{
	size_t most = of->route->app.form == APP_JSON ? FILE_MOST + most_of_text(of->request_id, OTHER_IN_JSON) +
			most_of_text(str_of(of->route->id), OTHER_IN_JSON)
						      : 0;

	for (const struct part *part = parts_first(of->parts); part != NULL; part = part->next)
		most += most_of_part(of, part);
	return most;
}

/* One file's object lies beside the body, before it is encoded. */
size_t
app_form_most(const struct app_form_of *of)
{
	size_t beside = 0;

	if (of->route->app.form != APP_JSON)
		for (const struct part *part = parts_first(of->parts); part != NULL; part = part->next)
			if (part->delivery != NULL && most_of_file(of, part) > beside)
				beside = most_of_file(of, part);
	return most_of_body(of) + 1 + beside + 1;
}

/* -- the whole, made --------------------------------------------------------------------------------------------- */

static void
add_pairs_of(const struct app_form_of *of, struct buf *out, const struct part *part)
{
	struct buf file = { 0 };

	if (is_value(part))
		add_pair(out, part->field, value_of(part));
	if (part->delivery == NULL)
		return;
	buf_make_room(&file, most_of_file(of, part));
	add_file(&file, part, of->route->app.reveal_path);
	out->failed |= file.failed;
	add_pair(out, part->field, buf_str(&file));
	buf_free(&file);
}

/* All of it has room before it begins, so that it is never copied, nor takes more than was said. */
void
app_form_make(const struct app_form_of *of, struct buf *out)
{
	buf_make_room(out, most_of_body(of));
	if (of->route->app.form == APP_JSON) {
		make_json(of, out);
		return;
	}
	for (const struct part *part = parts_first(of->parts); part != NULL; part = part->next)
		if (is_told(part))
			add_pairs_of(of, out, part);
}

const char *
app_form_type(enum app_form form)
{
	return form == APP_JSON ? "application/json" : "application/x-www-form-urlencoded";
}
