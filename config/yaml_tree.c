// SPDX-License-Identifier: MIT
/* yaml_tree.c - see yaml_tree.h.
 *
 * libyaml's events become nodes by plain recursion, whose depth is bounded. The bytes are checked to be
 * UTF-8 first: libyaml would also read UTF-16, and its message for a wrong byte has no line.
 * Scalars are not interpreted here; whether 10 is a number is for the key table to say.
 */
#include "config/yaml_tree.h"

#include "base/mem.h"
#include "config/hints.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct builder {
	yaml_parser_t yaml;
	yaml_event_t event; /* zeroed while there is none */
	const struct source *source;
	struct diag *diag;
	size_t nodes;
};

static struct node *build(struct builder *b, unsigned depth);

static struct spot
spot_at(const struct builder *b, const yaml_mark_t *mark)
{
	return (struct spot){ b->source, (unsigned)mark->line + 1, (unsigned)mark->column + 1, 1 };
}

/* What cannot be read at all has no mark, but its byte is known. */
static struct spot
spot_of_problem(const struct builder *b)
{
	const yaml_parser_t *y = &b->yaml;

	return y->error == YAML_READER_ERROR ? diag_spot(b->source, y->problem_offset)
					     : spot_at(b, &y->problem_mark);
}

static void
report_syntax(struct builder *b)
{
	const yaml_parser_t *y = &b->yaml;
	struct broken_yaml broken = {
		.problem = y->problem != NULL ? y->problem : "cannot be read",
		.context = y->context != NULL ? y->context : "",
		.at = spot_of_problem(b),
	};
	struct buf text = { 0 };

	if (y->error == YAML_MEMORY_ERROR) {
		diag_nomem(b->diag);
		return;
	}
	if (y->context != NULL && y->error == YAML_PARSER_ERROR)
		broken.begun = spot_at(b, &y->context_mark);
	diag_error(b->diag, broken.at, "not YAML: %s%s%s%s", broken.problem, *broken.context != '\0' ? " " : "",
		broken.context, hints_of_syntax(&broken, &text));
	buf_free(&text);
}

/* Takes the next event. False: reported. */
static bool
advance(struct builder *b)
{
	yaml_event_delete(&b->event);
	if (yaml_parser_parse(&b->yaml, &b->event) != 0)
		return true;
	report_syntax(b);
	return false;
}

static bool
refuse(struct builder *b, const char *what)
{
	struct spot spot = spot_at(b, &b->event.start_mark);

	if (b->event.end_mark.line == b->event.start_mark.line &&
		b->event.end_mark.column > b->event.start_mark.column)
		spot.width = (unsigned)(b->event.end_mark.column - b->event.start_mark.column);
	diag_error(b->diag, spot, "%s", what);
	return false;
}

static bool
refuse_extras(struct builder *b, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return refuse(b, "anchors (&name) are not read here: write the value where it is needed");
	if (tag != NULL)
		return refuse(b, "tags (!name) are not read here");
	return true;
}

static void
set_width(struct node *node, const yaml_mark_t *start, const yaml_mark_t *end)
{
	if (end->line == start->line && end->column > start->column)
		node->spot.width = (unsigned)(end->column - start->column);
}

static struct node *
new_node(struct builder *b, enum node_kind kind)
{
	struct node *node;

	if (++b->nodes > YAML_TREE_NODES_MAX) {
		refuse(b, "the file has too many values; split it into several files");
		return NULL;
	}
	node = mem_zalloc(sizeof *node);
	if (node == NULL) {
		diag_nomem(b->diag);
		return NULL;
	}
	node->kind = kind;
	node->spot = spot_at(b, &b->event.start_mark);
	return node;
}

static struct node *
build_scalar(struct builder *b)
{
	struct str text = { (const char *)b->event.data.scalar.value, b->event.data.scalar.length };
	struct node *node;

	if (!refuse_extras(b, b->event.data.scalar.anchor, b->event.data.scalar.tag))
		return NULL;
	if (memchr(text.data, '\0', text.len) != NULL) {
		refuse(b, "a value may not hold a NUL byte");
		return NULL;
	}
	node = new_node(b, NODE_SCALAR);
	if (node == NULL)
		return NULL;
	set_width(node, &b->event.start_mark, &b->event.end_mark);
	node->plain = b->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->chars = str_dup(text);
	node->text = (struct str){ node->chars, text.len };
	if (node->chars != NULL)
		return node;
	diag_nomem(b->diag);
	yaml_tree_free(node);
	return NULL;
}

/* Makes room for one more entry, and adds it. Takes `key` and `item` over, also when it fails. */
static bool
append(struct builder *b, struct node *to, struct node *key, struct node *item)
{
	size_t cap = to->n < 4 ? 4 : to->n * 2;
	struct node **more;

	if (to->n == 0 || (to->n >= 4 && (to->n & (to->n - 1)) == 0)) {
		if ((more = mem_resize(to->items, cap, sizeof(struct node *))) == NULL)
			goto fail;
		to->items = more;
		if (key != NULL && (more = mem_resize(to->keys, cap, sizeof(struct node *))) == NULL)
			goto fail;
		if (key != NULL)
			to->keys = more;
	}
	if (key != NULL)
		to->keys[to->n] = key;
	to->items[to->n++] = item;
	return true;
fail:
	yaml_tree_free(key);
	yaml_tree_free(item);
	return diag_nomem(b->diag);
}

static bool
fill_list(struct builder *b, struct node *list, unsigned depth)
{
	while (advance(b)) {
		struct node *item;

		if (b->event.type == YAML_SEQUENCE_END_EVENT)
			return true;
		item = build(b, depth + 1);
		if (item == NULL || !append(b, list, NULL, item))
			return false;
	}
	return false;
}

static struct node *
build_list(struct builder *b, unsigned depth)
{
	yaml_mark_t start = b->event.start_mark;
	bool flow = b->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	struct node *list;

	if (!refuse_extras(b, b->event.data.sequence_start.anchor, b->event.data.sequence_start.tag))
		return NULL;
	list = new_node(b, NODE_LIST);
	if (list == NULL)
		return NULL;
	if (!fill_list(b, list, depth)) {
		yaml_tree_free(list);
		return NULL;
	}
	if (flow)
		set_width(list, &start, &b->event.end_mark);
	return list;
}

/* One key and its value; the event is the key's. */
static bool
add_pair(struct builder *b, struct node *map, unsigned depth)
{
	struct node *key, *item;

	if (b->event.type == YAML_MAPPING_START_EVENT || b->event.type == YAML_SEQUENCE_START_EVENT)
		return refuse(b, "a key must be a word, not a mapping or a list");
	key = build(b, depth + 1);
	if (key == NULL)
		return false;
	item = advance(b) ? build(b, depth + 1) : NULL;
	if (item == NULL) {
		yaml_tree_free(key);
		return false;
	}
	return append(b, map, key, item);
}

static bool
fill_map(struct builder *b, struct node *map, unsigned depth)
{
	while (advance(b)) {
		if (b->event.type == YAML_MAPPING_END_EVENT)
			return true;
		if (!add_pair(b, map, depth))
			return false;
	}
	return false;
}

static int
compare_nodes(const void *left, const void *right)
{
	const struct node *a = *(const struct node *const *)left, *b = *(const struct node *const *)right;
	int by = strcmp(a->text.data, b->text.data);

	if (by != 0)
		return by;
	if (a->spot.line != b->spot.line)
		return a->spot.line < b->spot.line ? -1 : 1;
	return a->spot.column < b->spot.column ? -1 : a->spot.column > b->spot.column;
}

/* By sorting a copy of the keys: a hostile file may have thousands of keys in one mapping. */
static bool
report_duplicates(struct builder *b, const struct node *map)
{
	struct node **keys = mem_array(map->n, sizeof(struct node *));
	size_t first = 0;

	if (keys == NULL)
		return diag_nomem(b->diag);
	for (size_t i = 0; i < map->n; i++)
		keys[i] = map->keys[i];
	qsort(keys, map->n, sizeof(struct node *), compare_nodes);
	for (size_t i = 1; i < map->n; i++) {
		if (!str_equal(keys[i]->text, keys[first]->text)) {
			first = i;
			continue;
		}
		diag_error(
			b->diag, keys[i]->spot, "key \"%.*s\" stands twice in this mapping", SHOWN(keys[i]->text));
		diag_note(b->diag, keys[first]->spot, "the first one is here");
	}
	mem_free(keys);
	return true;
}

static struct node *
build_map(struct builder *b, unsigned depth)
{
	yaml_mark_t start = b->event.start_mark;
	bool flow = b->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	struct node *map;

	if (!refuse_extras(b, b->event.data.mapping_start.anchor, b->event.data.mapping_start.tag))
		return NULL;
	map = new_node(b, NODE_MAP);
	if (map == NULL)
		return NULL;
	if (!fill_map(b, map, depth) || !report_duplicates(b, map)) {
		yaml_tree_free(map);
		return NULL;
	}
	if (flow)
		set_width(map, &start, &b->event.end_mark);
	return map;
}

/* The node that begins with the current event. NULL: reported. */
static struct node *
build(struct builder *b, unsigned depth)
{
	if (depth > YAML_TREE_DEPTH_MAX) {
		refuse(b, "nested too deeply");
		return NULL;
	}
	if (b->event.type == YAML_SCALAR_EVENT)
		return build_scalar(b);
	if (b->event.type == YAML_SEQUENCE_START_EVENT)
		return build_list(b, depth);
	if (b->event.type == YAML_MAPPING_START_EVENT)
		return build_map(b, depth);
	refuse(b,
		b->event.type == YAML_ALIAS_EVENT
			? "aliases (*name) are not read here: write the value out, or quote it if it is meant as text"
			: "unexpected content");
	return NULL;
}

/* The whole stream: exactly one document. */
static struct node *
build_document(struct builder *b)
{
	struct node *root;

	if (!advance(b) || !advance(b)) /* STREAM-START, then DOCUMENT-START or STREAM-END */
		return NULL;
	if (b->event.type == YAML_STREAM_END_EVENT) {
		diag_error(b->diag, (struct spot){ .source = b->source }, "the file holds nothing");
		return NULL;
	}
	root = advance(b) ? build(b, 0) : NULL;
	if (root == NULL)
		return NULL;
	if (advance(b) && advance(b)) { /* DOCUMENT-END, then STREAM-END */
		if (b->event.type == YAML_STREAM_END_EVENT)
			return root;
		refuse(b, "a second YAML document begins here; one file holds one");
	}
	yaml_tree_free(root);
	return NULL;
}

/* False: a byte is not UTF-8, and reported with its place. */
static bool
is_utf8(const struct source *source, struct diag *d)
{
	for (size_t at = 0, n; at < source->len; at += n) {
		n = utf8_length((struct str){ source->text + at, source->len - at });
		if (n > 0)
			continue;
		diag_error(d, diag_spot(source, at), "byte 0x%02x is not UTF-8",
			(unsigned)(unsigned char)source->text[at]);
		return false;
	}
	return true;
}

struct node *
yaml_tree_parse(const struct source *source, struct diag *d)
{
	struct builder b = { .source = source, .diag = d };
	struct node *root;

	if (source->len > YAML_TREE_BYTES_MAX) {
		diag_error(d, (struct spot){ .source = source }, "the file is larger than 1MiB");
		return NULL;
	}
	if (!is_utf8(source, d))
		return NULL;
	if (yaml_parser_initialize(&b.yaml) == 0) {
		diag_nomem(d);
		return NULL;
	}
	yaml_parser_set_encoding(&b.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.yaml, (const unsigned char *)source->text, source->len);
	root = build_document(&b);
	yaml_event_delete(&b.event);
	yaml_parser_delete(&b.yaml);
	return root;
}
