// SPDX-License-Identifier: MIT
/* object_head.c - see object_head.h. */
#include "config/object_head.h"

#include "base/mem.h"
#include "base/uuid.h"
#include "config/kind.h"
#include "config/link.h"
#include "config/media_type.h"
#include "config/nearest.h"
#include "config/rows.h"
#include "config/template.h"
#include "config/values.h"

#include <string.h>

/* -- content_type ------------------------------------------------------------------------------------ */

/* Of one header line: no blank at an end. */
static bool
is_media_type(struct str s)
{
	return media_type_essence(s).data != NULL && str_trim(s).len == s.len;
}

static void
complain_of_type(struct loading *l, const struct key *key, const struct node *node)
{
	struct nearest nearest = { .word = node->text };

	for (const struct word *word = key->words; word->name != NULL; word++)
		nearest_offer(&nearest, word->name);
	if (nearest.best != NULL)
		diag_error(l->diag, node->spot, "%s: \"%.*s\" is not a media type; did you mean \"%s\"?", key->name,
			SHOWN(node->text), nearest.best);
	else
		diag_error(l->diag, node->spot,
			"%s: \"%.*s\" is neither \"declared\" nor \"detected\" nor a media type such as image/png",
			key->name, SHOWN(node->text));
}

void
object_head_read_type(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct content_type *type = (struct content_type *)(void *)((char *)base + key->offset);

	for (const struct word *word = key->words; word->name != NULL; word++)
		if (str_is(node->text, word->name)) {
			type->from = (enum content_type_from)word->value;
			return;
		}
	if (node->text.len > key->max) {
		diag_error(
			l->diag, node->spot, "%s: the text is longer than %zu bytes", key->name, (size_t)key->max);
	} else if (!is_media_type(node->text)) {
		complain_of_type(l, key, node);
	} else {
		type->from = CONTENT_TYPE_TEXT;
		type->text = str_dup(node->text);
		if (type->text == NULL)
			diag_nomem(l->diag);
	}
}

/* -- metadata ---------------------------------------------------------------------------------------- */

static bool
is_new_name(struct loading *l, const struct key *key, const struct node *map, size_t at)
{
	const struct node *name = map->keys[at];

	if (!values_is_id(name->text)) {
		diag_error(l->diag, name->spot,
			"%s: \"%.*s\" is not a name of letters, digits, '.', '_' and '-', at most 64", key->name,
			SHOWN(name->text));
		return false;
	}
	if (str_equal_nocase(name->text, STR(METADATA_OWN_NAME))) {
		diag_error(
			l->diag, name->spot, "%s: \"%s\" is set by penstock itself", key->name, METADATA_OWN_NAME);
		return false;
	}
	for (size_t i = 0; i < at; i++) {
		if (!str_equal_nocase(name->text, map->keys[i]->text) || str_equal(name->text, map->keys[i]->text))
			continue; /* the same in the same letters was reported as such */
		diag_error(l->diag, name->spot, "%s: \"%.*s\" stands twice; small and large letters are one",
			key->name, SHOWN(name->text));
		diag_note(l->diag, map->keys[i]->spot, "the first one is here");
		return false;
	}
	return true;
}

static struct template *
read_value(struct loading *l, const struct key *key, const struct node *node)
{
	struct error err = { 0 };
	struct template *value;
	struct span span;

	if (!read_is_scalar(l, key, node))
		return NULL;
	if (node->text.len == 0) {
		diag_error(l->diag, node->spot, "%s: the text is empty", key->name);
		return NULL;
	}
	value = template_parse(node->text, TEMPLATE_FOR_TEXT, &span, &err);
	if (value == NULL && err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else if (value == NULL)
		diag_error(l->diag, yaml_tree_spot(node, span.offset, span.len), "%s: %s", key->name, err.message);
	return value;
}

static void
read_line(struct loading *l, const struct key *key, const struct node *map, size_t at, struct metadata *metadata)
{
	struct metadata_line *line = &metadata->lines[metadata->n];

	if (!is_new_name(l, key, map, at) || (line->value = read_value(l, key, map->items[at])) == NULL)
		return;
	metadata->n++;
	line->name = str_dup(map->keys[at]->text);
	if (line->name == NULL)
		diag_nomem(l->diag);
}

void
object_head_read_metadata(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct metadata *metadata = (struct metadata *)(void *)((char *)base + key->offset);

	if (node->kind != NODE_MAP) {
		diag_error(l->diag, node->spot, "%s is a mapping (name: template), not %s", key->name,
			yaml_tree_kind(node));
		return;
	}
	metadata->is_said = true;
	if (node->n > key->max) {
		diag_error(l->diag, node->spot, "%s: %zu entries are too many; at most %zu", key->name, node->n,
			(size_t)key->max);
		return;
	}
	if (node->n == 0 || !read_grow(l, &metadata->lines, 0, node->n, sizeof *metadata->lines))
		return;
	for (size_t i = 0; i < node->n && !l->diag->nomem; i++)
		read_line(l, key, node, i, metadata);
}

/* -- what holds ---------------------------------------------------------------------------------------- */

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

/* -- what can be said beforehand ------------------------------------------------------------------------- */

static bool
is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '%';
}

/* Bytes that it sends at the least. */
static size_t
shortest(const struct template *t)
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

static void
check_size(struct loading *l, const struct rule *rule, const struct metadata *metadata, const struct node *node)
{
	const struct destination_kind *kind = rule->to->kind;
	size_t len = 0;

	for (size_t i = 0; i < metadata->n; i++) {
		size_t value = shortest(metadata->lines[i].value);

		if (value > 0) /* else it may be left out */
			len += strlen(kind->metadata) + strlen(metadata->lines[i].name) + value;
	}
	if (len > kind->metadata_max)
		diag_error(l->diag, node->spot,
			"metadata: it would have at least %zu bytes with its names (%sNAME); %s takes %zu", len,
			kind->metadata, kind->noun, kind->metadata_max);
}

static void
check_metadata(struct loading *l, const struct route *route, const struct rule *rule, const struct node *node)
{
	const struct object_head head = object_head_of(rule);

	for (size_t i = 0; i < head.metadata.n; i++)
		link_check_wildcards(l, &route->match, head.metadata.lines[i].value,
			yaml_tree_get(node, head.metadata.lines[i].name));
	check_size(l, rule, &head.metadata, node);
}

void
object_head_link(struct loading *l, const struct route *route, const struct rule *rule, const struct node *node)
{
	const struct node *destination = l->destinations.items[rule->to - l->config->destinations];
	const struct node *own = yaml_tree_get(node, "metadata"), *usual = yaml_tree_get(destination, "metadata");
	unsigned errors = l->diag->errors;

	link_check_only_for(l, rule, node, "content_type", KIND_TYPE);
	link_check_only_for(l, rule, node, "content_disposition", KIND_METADATA);
	link_check_only_for(l, rule, node, "metadata", KIND_METADATA);
	link_check_only_for(l, rule, node, "presign", KIND_LINKS);
	if (!kind_has(rule->to->kind, KIND_METADATA) || (own == NULL && usual == NULL))
		return;
	check_metadata(l, route, rule, own != NULL ? own : usual);
	if (own == NULL && l->diag->errors > errors)
		diag_note(l->diag, node->spot, "for the objects of this rule");
}

bool
object_head_wants_detected(const struct rule *rule)
{
	const struct object_head head = object_head_of(rule);

	if (rule->action == ACTION_STORE && head.type.from == CONTENT_TYPE_DETECTED &&
		kind_has(rule->to->kind, KIND_TYPE))
		return true;
	for (size_t i = 0; i < head.metadata.n; i++)
		if (template_has(head.metadata.lines[i].value, TEMPLATE_DETECTED_EXT))
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
}

/* -- as it is sent ----------------------------------------------------------------------------------------- */

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
