// SPDX-License-Identifier: MIT
/* schema_values.c - see schema_priv.h. */
#include "config/schema_priv.h"

#include "config/cors.h"
#include "config/matching.h"
#include "config/needs.h"
#include "config/scalar.h"
#include "config/statuses.h"
#include "config/texts.h"
#include "config/values.h"

#include <string.h>

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
void
schema_write_pattern(struct writer *w, const char *name, const char *pattern)
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

void
schema_write_words(struct writer *w, const struct key *key)
{
	writer_open(w, "enum", '[');
	for (const struct word *word = key->words; word != NULL && word->name != NULL; word++)
		writer_text(w, NULL, word->name);
	writer_close(w, ']');
}

/* A word, or a list of those that are not 0. */
void
schema_write_word_or_list(struct writer *w, const struct key *key)
{
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	schema_write_words(w, key);
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
void
schema_write_number(struct writer *w, const struct key *key)
{
	writer_open(w, "anyOf", '[');
	if (key->type != KEY_TIME && key->type != KEY_RATE)
		write_integer(w, key);
	if (key->type == KEY_SIZE)
		schema_write_pattern(w, NULL, SCALAR_SIZE_PATTERN);
	if (key->type == KEY_TIME)
		schema_write_pattern(w, NULL, SCALAR_TIME_PATTERN);
	if (key->type == KEY_RATE)
		schema_write_pattern(w, NULL, SCALAR_RATE_PATTERN);
	if (key->words != NULL) {
		writer_open(w, NULL, '{');
		schema_write_words(w, key);
		writer_close(w, '}');
	}
	writer_close(w, ']');
}

/* One value, or a list of such. */
void
schema_write_one_or_many(struct writer *w, const char *pattern, uint64_t max)
{
	writer_open(w, "anyOf", '[');
	schema_write_pattern(w, NULL, pattern);
	writer_open(w, NULL, '{');
	writer_text(w, "type", "array");
	schema_write_pattern(w, "items", pattern);
	writer_number(w, "minItems", 1);
	writer_number(w, "maxItems", max);
	writer_close(w, '}');
	writer_close(w, ']');
}

/* { file: PATH } */
void
schema_write_object_of(struct writer *w, const char *key)
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
write_secret_or(struct writer *w, const char *also)
{
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	write_word_types(w);
	writer_text(w, "pattern", "^[^\\r\\n]+$");
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	schema_write_object_of(w, "env");
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	schema_write_object_of(w, "file");
	writer_close(w, '}');
	if (also != NULL) {
		writer_open(w, NULL, '{');
		schema_write_object_of(w, also);
		writer_close(w, '}');
	}
	writer_close(w, ']');
}

void
schema_write_secret(struct writer *w)
{
	write_secret_or(w, NULL);
}

void
schema_write_headers(struct writer *w, const struct key *key)
{
	writer_text(w, "type", "object");
	writer_open(w, "additionalProperties", '{');
	write_secret_or(w, key->type == KEY_LINES ? "template" : NULL);
	writer_close(w, '}');
}

/* `pattern` is of the text that is text for YAML, too. */
void
schema_write_word(struct writer *w, const char *pattern, uint64_t min, uint64_t max)
{
	write_word_types(w);
	if (min > 0)
		writer_number(w, "minLength", min);
	if (pattern != NULL)
		writer_text(w, "pattern", pattern);
	if (max > 0)
		writer_number(w, "maxLength", max);
}

void
schema_write_text(struct writer *w, const char *pattern)
{
	writer_text(w, "type", "string");
	writer_number(w, "minLength", 1);
	writer_text(w, "pattern", pattern);
}

/* One of the words, or a media type. */
void
schema_write_content_type(struct writer *w, const struct key *key)
{
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	schema_write_words(w, key);
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	writer_text(w, "type", "string");
	writer_text(w, "pattern", "^[!-.0-~]+/[!-~][ -~]*$");
	writer_number(w, "maxLength", key->max);
	writer_close(w, '}');
	writer_close(w, ']');
}

/* One text with names and commas, or a list of names, which may be empty. */
static void
write_names(struct writer *w, const struct key *key, const char *pattern)
{
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	schema_write_word(w, NULL, 1, 0);
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	writer_text(w, "type", "array");
	schema_write_pattern(w, "items", pattern);
	writer_number(w, "maxItems", key->max);
	writer_close(w, '}');
	writer_close(w, ']');
}

/* One text, or a list of them; one that looks like a number is text all the same. */
void
schema_write_texts(struct writer *w, const struct key *key)
{
	static const char *const patterns[] = {
		[KEY_HOSTS] = NULL,
		[KEY_EXTENSIONS] = TEXTS_EXTENSION_PATTERN,
		[KEY_FIELDS] = NEEDS_FIELD_PATTERN,
		[KEY_TYPES] = TEXTS_TYPE_PATTERN,
		[KEY_TYPE_GLOBS] = TEXTS_GLOB_PATTERN,
		[KEY_ORIGINS] = CORS_ORIGIN_PATTERN,
		[KEY_HEADER_NAMES] = CORS_NAME_PATTERN,
		[KEY_PASSED] = TEXTS_HEADER_PATTERN,
		[KEY_PASSED_ON] = TEXTS_HEADER_PATTERN,
	};
	const char *pattern = patterns[key->type];

	if (key->type == KEY_HEADER_NAMES) {
		write_names(w, key, pattern);
		return;
	}
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	schema_write_word(w, pattern, 1, TEXTS_BYTES_MAX);
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	writer_text(w, "type", "array");
	writer_open(w, "items", '{');
	schema_write_word(w, pattern, 1, TEXTS_BYTES_MAX);
	writer_close(w, '}');
	writer_number(w, "minItems", key->min);
	writer_number(w, "maxItems", key->max);
	writer_close(w, '}');
	writer_close(w, ']');
}

/* `none`, one, or a list of numbers and of words such as 4xx. */
static void
write_status(struct writer *w)
{
	writer_open(w, "type", '[');
	writer_text(w, NULL, "string");
	writer_text(w, NULL, "integer");
	writer_close(w, ']');
	writer_text(w, "pattern", STATUSES_PATTERN);
	writer_number(w, "minimum", 300);
	writer_number(w, "maximum", STATUS_MAX);
}

void
schema_open_none_or(struct writer *w)
{
	writer_open(w, "anyOf", '[');
	writer_open(w, NULL, '{');
	writer_text(w, "const", "none");
	writer_close(w, '}');
	writer_open(w, NULL, '{');
}

void
schema_write_statuses(struct writer *w, const struct key *key)
{
	schema_open_none_or(w);
	write_status(w);
	writer_close(w, '}');
	writer_open(w, NULL, '{');
	writer_text(w, "type", "array");
	writer_open(w, "items", '{');
	write_status(w);
	writer_close(w, '}');
	writer_number(w, "minItems", 1);
	writer_number(w, "maxItems", key->max);
	writer_close(w, '}');
	writer_close(w, ']');
}

/* A mapping of texts by names that one may choose. */
void
schema_write_named(struct writer *w, const struct key *key)
{
	static const char *const patterns[] = {
		[KEY_METADATA] = VALUES_ID_PATTERN,
		[KEY_NAMED_HEADERS] = MATCHING_HEADER_PATTERN,
		[KEY_NAMED_QUERY] = MATCHING_QUERY_PATTERN,
	};

	writer_text(w, "type", "object");
	if (key->min > 0)
		writer_number(w, "minProperties", key->min);
	writer_number(w, "maxProperties", key->max);
	schema_write_pattern(w, "propertyNames", patterns[key->type]);
	writer_open(w, "additionalProperties", '{');
	schema_write_word(w, NULL, 1, key->type == KEY_METADATA ? 0 : MATCHING_VALUE_MAX);
	writer_close(w, '}');
}

void
schema_write_default(struct writer *w, const struct key *key)
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
