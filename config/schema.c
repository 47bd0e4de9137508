// SPDX-License-Identifier: MIT
/* schema.c - config_schema(): the key table as JSON Schema, draft 2020-12, for editors and CI.
 *
 * The schema says what one file may look like by itself. What takes two keys or two files to see (unknown
 * destinations, hidden rules, names that could meet, ranges of sizes with a unit) only `penstock check`
 * knows; so what passes the check passes the schema, and not always the other way round. */
#include "config/keys.h"
#include "config/load.h"
#include "config/schema_priv.h"
#include "config/values.h"

static void write_table(struct writer *w, const struct key_table *table);

#define ADDRESS_PATTERN "^(unix:.+|.*:[0-9]+)$"

/* An address or, where there is a table for it, a mapping; or a list of such. */
static void
write_listen_entries(struct writer *w, const struct key *key)
{
	writer_open(w, "anyOf", '[');
	schema_write_pattern(w, NULL, ADDRESS_PATTERN);
	if (key->tables != NULL) {
		writer_open(w, NULL, '{');
		write_table(w, key->tables[0]);
		writer_close(w, '}');
	}
}

static void
write_listen(struct writer *w, const struct key *key)
{
	write_listen_entries(w, key);
	writer_open(w, NULL, '{');
	writer_text(w, "type", "array");
	writer_number(w, "minItems", key->min);
	writer_number(w, "maxItems", key->max);
	writer_open(w, "items", '{');
	write_listen_entries(w, key);
	writer_close(w, ']');
	writer_close(w, '}');
	writer_close(w, '}');
	writer_close(w, ']');
}

static void
write_map(struct writer *w, const struct key *key)
{
	writer_text(w, "type", "object");
	writer_number(w, "maxProperties", key->max);
	schema_write_pattern(w, "propertyNames", VALUES_ID_PATTERN);
	writer_open(w, "additionalProperties", '{');
	writer_open(w, "oneOf", '[');
	for (const struct key_table *const *t = key->tables; *t != NULL; t++) {
		writer_open(w, NULL, '{');
		write_table(w, *t);
		writer_close(w, '}');
	}
	writer_close(w, ']');
	writer_close(w, '}');
}

static void
write_list(struct writer *w, const struct key *key)
{
	writer_text(w, "type", "array");
	writer_number(w, "minItems", key->min);
	writer_number(w, "maxItems", key->max);
	writer_open(w, "items", '{');
	write_table(w, key->tables[0]);
	writer_close(w, '}');
}

/* `none`, or a mapping. */
static void
write_sign(struct writer *w, const struct key *key)
{
	schema_open_none_or(w);
	write_table(w, key->tables[0]);
	writer_close(w, '}');
	writer_close(w, ']');
}

static const char *const text_patterns[] = {
	[KEY_PATHS] = "^/",
	[KEY_METHODS] = "^[!-`|~]+$",
	[KEY_NETWORKS] = "^(local|unix|none|[0-9a-fA-F.:]+(/[0-9]+)?)$",
	[KEY_ADDRESS] = ADDRESS_PATTERN,
	[KEY_URL] = "^(https?://|unix:).+",
};

static void
write_bool(struct writer *w, const struct key *key)
{
	if (key->type == KEY_TRUE)
		writer_bool(w, "const", true);
	else
		writer_text(w, "type", "boolean");
}

static void
write_nested(struct writer *w, const struct key *key)
{
	if (key->type == KEY_TABLE)
		write_table(w, key->tables[0]);
	else if (key->type == KEY_MAP)
		write_map(w, key);
	else
		write_list(w, key);
}

static void
write_type(struct writer *w, const struct key *key)
{
	switch (key->type) {
	case KEY_COUNT:
	case KEY_SIZE:
	case KEY_TIME:
	case KEY_RATE:
		schema_write_number(w, key);
		break;
	case KEY_BOOL:
	case KEY_TRUE:
		write_bool(w, key);
		break;
	case KEY_WORD:
		schema_write_words(w, key);
		break;
	case KEY_WORDS:
		schema_write_word_or_list(w, key);
		break;
	case KEY_ID:
	case KEY_REFERENCE:
		schema_write_word(w, VALUES_ID_PATTERN, 1, 0);
		break;
	case KEY_TEXT:
	case KEY_TEMPLATE: /* may be empty for a URL, which is then the destination's own */
		schema_write_word(w, NULL, key->type == KEY_TEXT, key->max);
		break;
	case KEY_CONTENT_TYPE:
		schema_write_content_type(w, key);
		break;
	case KEY_METADATA:
	case KEY_NAMED_HEADERS:
	case KEY_NAMED_QUERY:
		schema_write_named(w, key);
		break;
	case KEY_HOSTS:
	case KEY_TYPE_GLOBS:
	case KEY_TYPES:
	case KEY_EXTENSIONS:
	case KEY_FIELDS:
	case KEY_ORIGINS:
	case KEY_PASSED:
	case KEY_PASSED_ON:
	case KEY_HEADER_NAMES:
		schema_write_texts(w, key);
		break;
	case KEY_STATUSES:
		schema_write_statuses(w, key);
		break;
	case KEY_SECRET:
		schema_write_secret(w);
		break;
	case KEY_FILE:
		schema_write_object_of(w, "file");
		break;
	case KEY_ADDRESS:
	case KEY_URL:
		schema_write_text(w, text_patterns[key->type]);
		break;
	case KEY_PATHS:
	case KEY_METHODS:
	case KEY_NETWORKS:
		schema_write_one_or_many(w, text_patterns[key->type], key->max);
		break;
	case KEY_LISTEN:
		write_listen(w, key);
		break;
	case KEY_HEADERS:
	case KEY_LINES:
		schema_write_headers(w, key);
		break;
	case KEY_SIGN:
		write_sign(w, key);
		break;
	case KEY_TABLE:
	case KEY_MAP:
	case KEY_LIST:
		write_nested(w, key);
		break;
	}
}

static void
write_required(struct writer *w, const struct key_table *table)
{
	bool any = false;

	for (size_t i = 0; i < table->n; i++)
		any = any || table->keys[i].required;
	if (!any)
		return;
	writer_open(w, "required", '[');
	for (size_t i = 0; i < table->n; i++)
		if (table->keys[i].required)
			writer_text(w, NULL, table->keys[i].name);
	writer_close(w, ']');
}

/* A key in whose place no key of the group is needed. */
static void
write_instead(struct writer *w, const struct key_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		if (table->keys[i].instead == NULL)
			continue;
		writer_open(w, NULL, '{');
		writer_open(w, "required", '[');
		writer_text(w, NULL, table->keys[i].name);
		writer_close(w, ']');
		writer_open(w, "not", '{');
		writer_open(w, "anyOf", '[');
		for (size_t j = 0; j < table->n; j++) {
			if (table->keys[j].group == NULL)
				continue;
			writer_open(w, NULL, '{');
			writer_open(w, "required", '[');
			writer_text(w, NULL, table->keys[j].name);
			writer_close(w, ']');
			writer_close(w, '}');
		}
		writer_close(w, ']');
		writer_close(w, '}');
		writer_close(w, '}');
	}
}

/* Exactly one key of a group. No table has two groups: a second would need an allOf around. */
static void
write_group(struct writer *w, const struct key_table *table)
{
	bool open = false;

	for (size_t i = 0; i < table->n; i++) {
		if (table->keys[i].group == NULL)
			continue;
		if (!open)
			writer_open(w, "oneOf", '[');
		open = true;
		writer_open(w, NULL, '{');
		writer_open(w, "required", '[');
		writer_text(w, NULL, table->keys[i].name);
		writer_close(w, ']');
		writer_close(w, '}');
	}
	if (!open)
		return;
	write_instead(w, table);
	writer_close(w, ']');
}

static void
write_table(struct writer *w, const struct key_table *table)
{
	writer_text(w, "type", "object");
	writer_bool(w, "additionalProperties", false);
	write_required(w, table);
	write_group(w, table);
	writer_open(w, "properties", '{');
	for (size_t i = 0; i < table->n; i++) {
		writer_open(w, table->keys[i].name, '{');
		writer_text(w, "description", table->keys[i].help);
		write_type(w, &table->keys[i]);
		schema_write_default(w, &table->keys[i]);
		writer_close(w, '}');
	}
	writer_close(w, '}');
}

void
config_schema(struct buf *out)
{
	struct writer w = { .out = out };

	writer_open(&w, NULL, '{');
	writer_text(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	writer_text(&w, "title", "penstock route file");
	write_table(&w, keys_file());
	writer_close(&w, '}');
	buf_add_char(out, '\n');
}
