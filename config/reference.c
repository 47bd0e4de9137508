// SPDX-License-Identifier: MIT
/* reference.c - config_reference(): the key table as Markdown, one table per mapping, in the order in which
 * the mappings are met from the top of a file. */
#include "config/keys.h"
#include "config/load.h"
#include "config/numbers.h"

static void
add_words(struct buf *out, const struct key *key, const char *before)
{
	for (const struct word *w = key->words; w != NULL && w->name != NULL; w++)
		buf_addf(out, "%s`%s`", w == key->words ? before : ", ", w->name);
}

static void
add_word_or_list(struct buf *out, const struct key *key)
{
	add_words(out, key, "");
	buf_add_text(out, ", or list");
}

static void
add_number(struct buf *out, const struct key *key, const char *what)
{
	buf_addf(out, "%s, ", what);
	numbers_add(out, key, key->min);
	if (key->max != key->min) {
		buf_add_text(out, " to ");
		numbers_add(out, key, key->max);
	}
	add_words(out, key, ", or ");
}

/* What the types that say all by their name are called. */
static const char *const type_names[] = {
	[KEY_BOOL] = "`true`, `false`",
	[KEY_TRUE] = "`true`",
	[KEY_ID] = "name",
	[KEY_TEXT] = "text",
	[KEY_SECRET] = "text or secret",
	[KEY_FILE] = "`{ file: PATH }`",
	[KEY_HOSTS] = "host, or list",
	[KEY_PATHS] = "path pattern, or list",
	[KEY_NAMED_HEADERS] = "name: pattern",
	[KEY_NAMED_QUERY] = "name: pattern",
	[KEY_METHODS] = "method, or list",
	[KEY_ADDRESS] = "address",
	[KEY_LISTEN] = "address, or list",
	[KEY_NETWORKS] = "network or word, or list",
	[KEY_URL] = "URL",
	[KEY_HEADERS] = "name: text or secret",
	[KEY_LINES] = "name: text, secret or `{ template: TEXT }`",
	[KEY_METADATA] = "name: template",
	[KEY_TYPE_GLOBS] = "media type or glob, or list",
	[KEY_TYPES] = "media type, or list",
	[KEY_EXTENSIONS] = "extension, or list",
	[KEY_FIELDS] = "field, or list",
	[KEY_ORIGINS] = "origin, or list",
	[KEY_HEADER_NAMES] = "name, or list",
	[KEY_PASSED] = "header, or list",
	[KEY_PASSED_ON] = "header, or list",
	[KEY_STATUSES] = "`none`, status or `4xx`, or list",
	[KEY_TEMPLATE] = "template",
	[KEY_REFERENCE] = "name",
	[KEY_SIGN] = "`none`, or mapping, see below",
	[KEY_TABLE] = "mapping, see below",
	[KEY_MAP] = "name: mapping, see below",
	[KEY_LIST] = "list, see below",
};

static void
add_type(struct buf *out, const struct key *key)
{
	if (key->type == KEY_COUNT)
		add_number(out, key, "number");
	else if (key->type == KEY_SIZE)
		add_number(out, key, "size");
	else if (key->type == KEY_TIME)
		add_number(out, key, "time");
	else if (key->type == KEY_RATE)
		add_number(out, key, "rate");
	else if (key->type == KEY_WORD)
		add_words(out, key, "");
	else if (key->type == KEY_WORDS)
		add_word_or_list(out, key);
	else if (key->type == KEY_CONTENT_TYPE) {
		buf_add_text(out, "media type");
		add_words(out, key, ", or ");
	} else
		buf_add_text(out, type_names[key->type]);
}

static void
add_default(struct buf *out, const struct key *key)
{
	if (key->required)
		buf_add_text(out, "required");
	else if (key->group != NULL)
		buf_add_text(out, "one of these");
	else if (key->fallback != NULL)
		buf_addf(out, "`%s`", key->fallback);
}

static void
add_row(struct buf *out, const struct key *key)
{
	buf_addf(out, "| `%s` | ", key->name);
	add_type(out, key);
	buf_add_text(out, " | ");
	add_default(out, key);
	buf_addf(out, " | %s |\n", key->help);
}

static void
add_table(struct buf *out, const struct key_table *table)
{
	if (table->path[0] == '\0')
		buf_add_text(out, "\n### The file\n");
	else
		buf_addf(out, "\n### `%s`\n", table->path);
	buf_add_text(out, "\n| key | value | default | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < table->n; i++)
		add_row(out, &table->keys[i]);
	for (size_t i = 0; i < table->n; i++)
		for (const struct key_table *const *t = table->keys[i].tables; t != NULL && *t != NULL; t++)
			add_table(out, *t);
}

void
config_reference(struct buf *out)
{
	add_table(out, keys_file());
	buf_add_char(out, '\n');
}
