// SPDX-License-Identifier: MIT
/* schema.c - config_schema(): the key table as JSON Schema, draft 2020-12, for editors and CI.
 *
 * The schema says what one file may look like by itself. What takes two keys or two files to see (unknown
 * destinations, hidden rules, names that could meet, ranges of sizes with a unit) only `penstock check`
 * knows; so what passes the check passes the schema, and not always the other way round. */
#include "config/keys.h"
#include "config/load.h"
#include "config/scalar.h"
#include "config/texts.h"
#include "config/values.h"
#include "config/writer.h"

#include <string.h>

static void write_table(struct writer *w, const struct key_table *table);

/* A word that YAML takes for a number or a switch is text for the key table, where text is wanted. */
static void
write_word_types(struct writer *w)
{
	writer_open(w, "type", '[');
	writer_text(w, NULL, "string");
	writer_text(w, NULL, "number");
	writer_text(w, NULL, "boolean");
	writer_close(w, ']');
}

/* { "type": "string", "pattern": ... } */
static void
write_pattern(struct writer *w, const char *name, const char *pattern)
{
	writer_open(w, name, '{');
	writer_text(w, "type", "string");
	writer_text(w, "pattern", pattern);
	writer_close(w, '}');
}

static void
write_integer(struct writer *w, const struct key *key)
{
	writer_open(w, NULL, '{');
	writer_text(w, "type", "integer");
	writer_number(w, "minimum", key->min);
	writer_number(w, "maximum", key->max);
	writer_close(w, '}');
}

static void
write_words(struct writer *w, const struct key *key)
{
	writer_open(w, "enum", '[');
	for (const struct word *word = key->words; word != NULL && word->name != NULL; word++)
		writer_text(w, NULL, word->name);
	writer_close(w, ']');
}

/* A word, or a list of those that are not 0. */
static void
write_word_or_list(struct writer *w, const struct key *key)
{
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	write_words(w, key);
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	writer_text(w, "type", "array");
	writer_open(w, "items", '{');
	writer_open(w, "enum", '[');
	for (const struct word *word = key->words; word->name != NULL; word++)
		if (word->value != 0)
			writer_text(w, NULL, word->name);
	writer_close(w, ']');
	writer_close(w, '}');
	writer_bool(w, "uniqueItems", true);
	writer_close(w, '}');
	writer_close(w, ']');
}

/* An integer, for a size also text with a unit, and the words that are taken besides. */
static void
write_number(struct writer *w, const struct key *key)
{
	writer_open(w, "anyOf", '[');
	if (key->type != KEY_TIME)
		write_integer(w, key);
	if (key->type == KEY_SIZE)
		write_pattern(w, NULL, SCALAR_SIZE_PATTERN);
	if (key->type == KEY_TIME)
		write_pattern(w, NULL, SCALAR_TIME_PATTERN);
	if (key->words != NULL) {
		writer_open(w, NULL, '{');
		write_words(w, key);
		writer_close(w, '}');
	}
	writer_close(w, ']');
}

/* One value, or a list of such. */
static void
write_one_or_many(struct writer *w, const char *pattern, uint64_t max)
{
	writer_open(w, "anyOf", '[');
	write_pattern(w, NULL, pattern);
	writer_open(w, NULL, '{');
	writer_text(w, "type", "array");
	write_pattern(w, "items", pattern);
	writer_number(w, "minItems", 1);
	writer_number(w, "maxItems", max);
	writer_close(w, '}');
	writer_close(w, ']');
}

#define ADDRESS_PATTERN "^(unix:.+|.*:[0-9]+)$"

/* An address or, where there is a table for it, a mapping; or a list of such. */
static void
write_listen_entries(struct writer *w, const struct key *key)
{
	writer_open(w, "anyOf", '[');
	write_pattern(w, NULL, ADDRESS_PATTERN);
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

/* { file: PATH } */
static void
write_object_of(struct writer *w, const char *key)
{
	writer_text(w, "type", "object");
	writer_open(w, "properties", '{');
	writer_open(w, key, '{');
	write_word_types(w);
	writer_number(w, "minLength", 1);
	writer_close(w, '}');
	writer_close(w, '}');
	writer_open(w, "required", '[');
	writer_text(w, NULL, key);
	writer_close(w, ']');
	writer_bool(w, "additionalProperties", false);
}

static void
write_secret(struct writer *w)
{
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	write_word_types(w);
	writer_text(w, "pattern", "^[^\\r\\n]+$");
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	write_object_of(w, "env");
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	write_object_of(w, "file");
	writer_close(w, '}');
	writer_close(w, ']');
}

static void
write_headers(struct writer *w)
{
	writer_text(w, "type", "object");
	writer_open(w, "additionalProperties", '{');
	write_secret(w);
	writer_close(w, '}');
}

static void
write_map(struct writer *w, const struct key *key)
{
	writer_text(w, "type", "object");
	writer_number(w, "maxProperties", key->max);
	write_pattern(w, "propertyNames", VALUES_ID_PATTERN);
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

/* `pattern` is of the text that is text for YAML, too. */
static void
write_word(struct writer *w, const char *pattern, uint64_t min, uint64_t max)
{
	write_word_types(w);
	if (min > 0)
		writer_number(w, "minLength", min);
	if (pattern != NULL)
		writer_text(w, "pattern", pattern);
	if (max > 0)
		writer_number(w, "maxLength", max);
}

static void
write_text(struct writer *w, const char *pattern)
{
	writer_text(w, "type", "string");
	writer_number(w, "minLength", 1);
	writer_text(w, "pattern", pattern);
}

/* One of the words, or a media type. */
static void
write_content_type(struct writer *w, const struct key *key)
{
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	write_words(w, key);
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	writer_text(w, "type", "string");
	writer_text(w, "pattern", "^[!-.0-~]+/[!-~][ -~]*$");
	writer_number(w, "maxLength", key->max);
	writer_close(w, '}');
	writer_close(w, ']');
}

/* One text, or a list of them; one that looks like a number is text all the same. */
static void
write_texts(struct writer *w, const struct key *key)
{
	const char *pattern = key->type == KEY_EXTENSIONS ? TEXTS_EXTENSION_PATTERN
		: key->type == KEY_TYPES                  ? TEXTS_TYPE_PATTERN
							  : TEXTS_GLOB_PATTERN;

	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	write_word(w, pattern, 1, TEXTS_BYTES_MAX);
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	writer_text(w, "type", "array");
	writer_open(w, "items", '{');
	write_word(w, pattern, 1, TEXTS_BYTES_MAX);
	writer_close(w, '}');
	writer_number(w, "minItems", key->min);
	writer_number(w, "maxItems", key->max);
	writer_close(w, '}');
	writer_close(w, ']');
}

static void
write_metadata(struct writer *w, const struct key *key)
{
	writer_text(w, "type", "object");
	writer_number(w, "maxProperties", key->max);
	write_pattern(w, "propertyNames", VALUES_ID_PATTERN);
	writer_open(w, "additionalProperties", '{');
	write_word(w, NULL, 1, 0);
	writer_close(w, '}');
}

static void
write_default(struct writer *w, const struct key *key)
{
	uint64_t number;

	if (key->fallback == NULL)
		return;
	if (key->type == KEY_BOOL)
		writer_bool(w, "default", strcmp(key->fallback, "true") == 0);
	else if (key->type == KEY_COUNT && str_to_u64(str_of(key->fallback), &number))
		writer_number(w, "default", number);
	else
		writer_text(w, "default", key->fallback);
}

static void
write_type(struct writer *w, const struct key *key)
{
	switch (key->type) {
	case KEY_COUNT:
	case KEY_SIZE:
	case KEY_TIME:
		write_number(w, key);
		break;
	case KEY_BOOL:
		writer_text(w, "type", "boolean");
		break;
	case KEY_TRUE:
		writer_bool(w, "const", true);
		break;
	case KEY_WORD:
		write_words(w, key);
		break;
	case KEY_WORDS:
		write_word_or_list(w, key);
		break;
	case KEY_ID:
	case KEY_REFERENCE:
		write_word(w, VALUES_ID_PATTERN, 1, 0);
		break;
	case KEY_TEXT:
	case KEY_HOST:
		write_word(w, NULL, 1, key->max);
		break;
	case KEY_CONTENT_TYPE:
		write_content_type(w, key);
		break;
	case KEY_METADATA:
		write_metadata(w, key);
		break;
	case KEY_TYPE_GLOBS:
	case KEY_TYPES:
	case KEY_EXTENSIONS:
		write_texts(w, key);
		break;
	case KEY_TEMPLATE: /* may be empty for a URL, which is then the destination's own */
		write_word(w, NULL, 0, 0);
		break;
	case KEY_SECRET:
		write_secret(w);
		break;
	case KEY_FILE:
		write_object_of(w, "file");
		break;
	case KEY_PATH:
		write_text(w, "^/");
		break;
	case KEY_METHODS:
		write_one_or_many(w, "^[!-`|~]+$", 16);
		break;
	case KEY_LISTEN:
		write_listen(w, key);
		break;
	case KEY_ADDRESS:
		write_text(w, ADDRESS_PATTERN);
		break;
	case KEY_NETWORKS:
		write_one_or_many(w, "^(local|unix|none|[0-9a-fA-F.:]+(/[0-9]+)?)$", key->max);
		break;
	case KEY_URL:
		write_text(w, "^(https?://|unix:).+");
		break;
	case KEY_HEADERS:
		write_headers(w);
		break;
	case KEY_TABLE:
		write_table(w, key->tables[0]);
		break;
	case KEY_MAP:
		write_map(w, key);
		break;
	case KEY_LIST:
		write_list(w, key);
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
	if (open)
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
		write_default(w, &table->keys[i]);
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
