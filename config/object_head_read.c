// SPDX-License-Identifier: MIT
/* object_head_read.c - see object_head_read.h. */
#include "config/object_head_read.h"

#include "config/headers.h"
#include "config/link_check.h"
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

	if (!loading_is_scalar(l, key, node))
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
	if (node->n == 0 || !loading_grow(l, &metadata->lines, 0, node->n, sizeof *metadata->lines))
		return;
	for (size_t i = 0; i < node->n && !l->diag->nomem; i++)
		read_line(l, key, node, i, metadata);
}

/* -- what can be said beforehand ------------------------------------------------------------------------- */

static void
check_size(struct loading *l, const struct rule *rule, const struct metadata *metadata, const struct node *node)
{
	const struct destination_kind *kind = rule->to->kind;
	size_t len = 0;

	for (size_t i = 0; i < metadata->n; i++) {
		size_t value = object_head_shortest(metadata->lines[i].value);

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

static const struct node *
template_node(const struct node *headers, const char *name)
{
	const struct node *line = yaml_tree_get(headers, name);

	return line != NULL && line->kind == NODE_MAP ? yaml_tree_get(line, "template") : NULL;
}

static const struct node *
node_of_line(const struct header_lines *lines, const struct template *made, const struct node *headers)
{
	for (size_t i = 0; i < lines->n; i++)
		if (lines->items[i].made == made)
			return template_node(headers, lines->items[i].name);
	return NULL;
}

const struct node *
object_head_node(const struct loading *l, const struct rule *rule, const struct node *node, size_t nth)
{
	const struct object_head head = object_head_of(rule);
	const struct node *usual = l->destinations.items[rule->to - l->config->destinations];
	const struct node *own = yaml_tree_get(node, "metadata"), *line;
	const struct template *t = object_head_template(rule, nth);

	if (nth < head.metadata.n)
		return yaml_tree_get(
			own != NULL ? own : yaml_tree_get(usual, "metadata"), head.metadata.lines[nth].name);
	line = node_of_line(&rule->head.lines, t, yaml_tree_get(node, "headers"));
	return line != NULL ? line
			    : node_of_line(object_head_lines_of(rule->to), t, yaml_tree_get(usual, "headers"));
}

static void
check_lines(struct loading *l, const struct route *route, const struct header_lines *lines, const struct node *node)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct node *text = template_node(node, lines->items[i].name);

		if (lines->items[i].made != NULL && text != NULL)
			link_check_wildcards(l, &route->match, lines->items[i].made, text);
	}
}

static void
check_passed_twice(struct loading *l, const struct texts *usual, const struct texts *own, const struct node *pass)
{
	for (size_t i = 0; i < usual->n; i++)
		for (size_t k = 0; k < own->n; k++)
			if (strcmp(usual->items[i], own->items[k]) == 0)
				diag_error(l->diag, pass->spot, "pass: the destination passes \"%s\" on already",
					own->items[k]);
}

static void
check_said_twice(struct loading *l, const struct header_lines *usual, const struct header_lines *own,
	const struct node *headers)
{
	for (size_t i = 0; i < own->n; i++)
		if (own->items[i].name != NULL && headers_has(usual, str_of(own->items[i].name)))
			diag_error(l->diag, headers->spot, "headers: the destination has a line \"%s\", too",
				own->items[i].name);
}

/* Nothing that is sent with an object stands there twice. */
static void
check_repeats(struct loading *l, const struct rule *rule, const struct node *node)
{
	const struct header_lines *own = &rule->head.lines, *usual = object_head_lines_of(rule->to);
	const struct texts *passed = &rule->to->kind->head(rule->to->settings)->pass;
	const struct node *headers = yaml_tree_get(node, "headers"), *pass = yaml_tree_get(node, "pass");

	check_passed_twice(l, passed, &rule->head.pass, pass);
	check_said_twice(l, usual, own, headers);
	headers_check_pass(l, own, &rule->head.pass, pass);
	headers_check_pass(l, usual, &rule->head.pass, pass);
	headers_check_pass(l, own, passed, headers);
}

/* The destination says a digest of each object: it has to be made, and to be the object's alone. `node`: below `store` or `concat`. */
static void
check_digest(struct loading *l, const struct rule *rule, const struct node *node)
{
	const struct node *destination = l->destinations.items[rule->to - l->config->destinations];
	unsigned errors = l->diag->errors;

	if (!object_head_says_digest(rule))
		return;
	if (rule->action == ACTION_CONCAT)
		diag_error(l->diag, node->spot,
			"the destination says a digest of each object, and of a `concat` none is known");
	else if ((rule->digests & OBJECT_HEAD_DIGESTS) == 0)
		diag_error(l->diag, node->spot,
			"the destination says a digest of each object, and this rule makes none that it could say: "
			"`digest: sha256` or `sha512` does");
	if (headers_has(&rule->head.lines, STR("content-digest")) ||
		headers_has(object_head_lines_of(rule->to), STR("content-digest")))
		diag_error(l->diag, node->spot,
			"headers: \"Content-Digest\" would stand twice; the destination says it by `digest`");
	if (l->diag->errors > errors)
		diag_note(l->diag, yaml_tree_get(destination, "digest")->spot, "the destination says so here");
}

static void
link_lines(struct loading *l, const struct route *route, const struct rule *rule, const struct node *node)
{
	const struct node *destination = l->destinations.items[rule->to - l->config->destinations];
	unsigned errors = l->diag->errors;

	link_check_only_for(l, rule, node, "headers", KIND_LINES);
	link_check_only_for(l, rule, node, "pass", KIND_LINES);
	if (!kind_has(rule->to->kind, KIND_LINES))
		return;
	check_lines(l, route, object_head_lines_of(rule->to), yaml_tree_get(destination, "headers"));
	if (l->diag->errors > errors)
		diag_note(l->diag, node->spot, "for the objects of this rule");
	check_lines(l, route, &rule->head.lines, yaml_tree_get(node, "headers"));
	check_repeats(l, rule, node);
	check_digest(l, rule, node);
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
	link_lines(l, route, rule, node);
	if (!kind_has(rule->to->kind, KIND_METADATA) || (own == NULL && usual == NULL))
		return;
	check_metadata(l, route, rule, own != NULL ? own : usual);
	if (own == NULL && l->diag->errors > errors)
		diag_note(l->diag, node->spot, "for the objects of this rule");
}
