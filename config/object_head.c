// SPDX-License-Identifier: MIT
/* object_head.c - see object_head.h. */
#include "config/object_head.h"

#include "base/mem.h"
#include "base/uuid.h"
#include "config/headers.h"
#include "config/kind.h"
#include "config/peer.h"
#include "config/template.h"
#include "config/texts.h"

#include <string.h>

static const struct object_head *
of_destination(const struct rule *rule)
{
	static const struct object_head nothing;
	const struct destination *to = rule->to;

	return to->kind->head != NULL ? to->kind->head(to->settings) : &nothing;
}

struct object_head
object_head_of(const struct rule *rule)
{
	const struct object_head *usual = of_destination(rule);
	struct object_head head = rule->head;

	if (head.type.from == CONTENT_TYPE_UNSAID)
		head.type = usual->type;
	if (head.type.from == CONTENT_TYPE_UNSAID)
		head.type.from = CONTENT_TYPE_DECLARED;
	if (head.disposition == DISPOSITION_UNSAID)
		head.disposition = usual->disposition;
	if (head.disposition == DISPOSITION_UNSAID)
		head.disposition = DISPOSITION_NONE;
	if (!head.metadata.is_said)
		head.metadata = usual->metadata;
	return head;
}

bool
object_head_says_digest(const struct rule *rule)
{
	return of_destination(rule)->says_digest;
}

const struct header_lines *
object_head_lines_of(const struct destination *to)
{
	static const struct header_lines none;

	return kind_has(to->kind, KIND_LINES) ? &to->kind->asked_peer(to->settings)->headers : &none;
}

/* Counts *nth down by as many as there are. */
static const struct template *
made_line(const struct header_lines *lines, size_t *nth)
{
	for (size_t i = 0; i < lines->n; i++)
		if (lines->items[i].made != NULL && (*nth)-- == 0)
			return lines->items[i].made;
	return NULL;
}

const struct template *
object_head_template(const struct rule *rule, size_t nth)
{
	const struct object_head head = object_head_of(rule);
	const struct template *t;

	if (nth < head.metadata.n)
		return head.metadata.lines[nth].value;
	nth -= head.metadata.n;
	t = made_line(object_head_lines_of(rule->to), &nth);
	return t != NULL ? t : made_line(&rule->head.lines, &nth);
}

const char *
object_head_passed(const struct rule *rule, size_t nth)
{
	const struct texts *usual = &of_destination(rule)->pass, *own = &rule->head.pass;

	if (nth < usual->n)
		return usual->items[nth];
	nth -= usual->n;
	return nth < own->n ? own->items[nth] : NULL;
}

bool
object_head_is_secret(const char *name)
{
	static const char *const words[] = { "auth", "cookie", "token", "secret", "key", "session", "password" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasestr(name, words[i]) != NULL)
			return true;
	return false;
}

bool
object_head_wants_detected(const struct rule *rule)
{
	const struct object_head head = object_head_of(rule);
	const struct template *t;

	if (rule->action == ACTION_STORE && head.type.from == CONTENT_TYPE_DETECTED &&
		kind_has(rule->to->kind, KIND_TYPE))
		return true;
	for (size_t i = 0; (t = object_head_template(rule, i)) != NULL; i++)
		if (template_has(t, TEMPLATE_DETECTED_EXT))
			return true;
	return rule->target != NULL && template_has(rule->target, TEMPLATE_DETECTED_EXT);
}

void
object_head_free(struct object_head *head)
{
	mem_free(head->type.text);
	for (size_t i = 0; i < head->metadata.n; i++) {
		mem_free(head->metadata.lines[i].name);
		template_free(head->metadata.lines[i].value);
	}
	mem_free(head->metadata.lines);
	headers_free(&head->lines);
	texts_free(&head->pass);
}

/* -- as it is sent ----------------------------------------------------------------------------------------- */

static bool
is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '%';
}

size_t
object_head_shortest(const struct template *t)
{
	size_t len = 0;

	for (size_t i = 0; i < t->n_pieces; i++) {
		const struct template_piece *piece = &t->pieces[i];

		if (piece->kind == TEMPLATE_UUID)
			len += UUID_SIZE - 1;
		for (const char *c = piece->kind == TEMPLATE_TEXT ? piece->text : ""; *c != '\0'; c++)
			len += is_plain(*c) ? 1 : 3;
	}
	return len;
}

void
object_head_escape(struct buf *out, struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];
		bool is_kept_blank = i > 0 && i + 1 < value.len && value.data[i - 1] != ' ';

		if (is_plain(c) && (c != ' ' || is_kept_blank))
			buf_add_char(out, c);
		else
			buf_addf(out, "%%%02X", (unsigned char)c);
	}
}
