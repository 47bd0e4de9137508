// SPDX-License-Identifier: MIT
/* texts.c - see texts.h. */
#include "config/texts.h"

#include "base/file_name.h"
#include "base/mem.h"
#include "config/cors.h"
#include "config/headers.h"
#include "config/media_type.h"
#include "config/values.h"

#include <string.h>

/* Says what is wrong with a text of the list; NULL: nothing. */
typedef const char *judge_text(struct str text);

static const char *
judge_glob(struct str text)
{
	char plain[TEXTS_BYTES_MAX];
	struct str type = { plain, text.len };

	for (size_t i = 0; i < text.len; i++)
		plain[i] = text.data[i] == '?'
			? '*'
			: text.data[i]; /* the one that cannot stand in a media type itself */
	if (media_type_essence(type).len == text.len)
		return NULL;
	return memchr(text.data, ';', text.len) != NULL
		? "is compared without parameters; write what stands before the ';'"
		: "is neither a media type such as image/png nor a glob such as image/*";
}

/* What browsers may run is not let in by a star: image/svg+xml is an image, too. */
static const char *
judge_type(struct str text)
{
	if (memchr(text.data, '*', text.len) != NULL || memchr(text.data, '?', text.len) != NULL)
		return "is a glob; name each type that is meant";
	return judge_glob(text);
}

static const char *
judge_extension(struct str text)
{
	if (file_name_is_extension(text))
		return NULL;
	return text.data[0] == '.' ? "is written without the dot"
				   : "is no extension of up to 16 letters and digits";
}

static bool
stands_twice(const struct texts *texts, struct str text)
{
	for (size_t i = 0; i < texts->n; i++)
		if (str_equal_nocase(str_of(texts->items[i]), text))
			return true;
	return false;
}

/* For YAML it is no value; but whoever writes it here means that origin, and is told of it. */
static bool
is_origin_null(const struct key *key, const struct node *node)
{
	return key->type == KEY_ORIGINS && node->kind == NODE_SCALAR && str_is(node->text, "null");
}

static void
read_text(struct loading *l, const struct key *key, const struct node *node, struct texts *texts, judge_text *judge)
{
	const char *wrong;

	if (!is_origin_null(key, node) && !loading_is_scalar(l, key, node))
		return;
	if (node->text.len == 0)
		wrong = "is empty";
	else if (node->text.len > TEXTS_BYTES_MAX)
		wrong = "is longer than 255 bytes";
	else if (stands_twice(texts, node->text))
		wrong = "stands twice";
	else
		wrong = judge(node->text);
	if (wrong != NULL) {
		diag_error(l->diag, node->spot, "%s: \"%.*s\" %s", key->name, SHOWN(node->text), wrong);
		return;
	}
	texts->items[texts->n] = str_dup_lower(node->text);
	if (texts->items[texts->n] == NULL)
		diag_nomem(l->diag);
	else
		texts->n++;
}

static void
read_texts(struct loading *l, const struct key *key, const struct node *node, void *base, judge_text *judge)
{
	struct texts *texts = (struct texts *)(void *)((char *)base + key->offset);
	size_t n = 0;

	if (!values_entries(l, key, node, key->max, &n) ||
		!loading_grow(l, &texts->items, 0, n, sizeof *texts->items))
		return;
	for (size_t i = 0; i < n && !l->diag->nomem; i++)
		read_text(l, key, node->kind == NODE_LIST ? node->items[i] : node, texts, judge);
}

void
texts_read_globs(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	read_texts(l, key, node, base, judge_glob);
}

void
texts_read_types(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	read_texts(l, key, node, base, judge_type);
}

void
texts_read_headers(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	read_texts(l, key, node, base, headers_judge_passed);
}

void
texts_read_stored_headers(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	read_texts(l, key, node, base, headers_judge_stored);
}

void
texts_read_extensions(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	read_texts(l, key, node, base, judge_extension);
}

void
texts_read_origins(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	read_texts(l, key, node, base, cors_judge_origin);
}

void
texts_free(struct texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		mem_free(texts->items[i]);
	mem_free(texts->items);
}
