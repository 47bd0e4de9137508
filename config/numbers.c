// SPDX-License-Identifier: MIT
/* numbers.c - see numbers.h. The text is read by scalar.c; the words besides, the range and the slot come
 * from the key's row. */
#include "config/numbers.h"

#include "base/must.h"
#include "config/nearest.h"
#include "config/scalar.h"

#include <string.h>

static void
put(const struct key *key, void *base, uint64_t value)
{
	void *slot = (char *)base + key->offset;
	uint32_t narrow = (uint32_t)value;
	bool flag = value != 0;

	if (key->width == sizeof value)
		memcpy(slot, &value, sizeof value);
	else if (key->width == sizeof narrow) /* unsigned, and enums */
		memcpy(slot, &narrow, sizeof narrow);
	else if (key->width == sizeof flag)
		memcpy(slot, &flag, sizeof flag);
	else
		must(key->width == 0);
}

static const struct word *
find_word(const struct key *key, struct str text)
{
	for (const struct word *w = key->words; w != NULL && w->name != NULL; w++)
		if (str_is(text, w->name))
			return w;
	return NULL;
}

static void
add_words(struct buf *out, const struct key *key)
{
	for (const struct word *w = key->words; w != NULL && w->name != NULL; w++)
		buf_addf(out, "%s%s", w == key->words ? "" : ", ", w->name);
}

static void
report_word(struct loading *l, const struct key *key, const struct node *node)
{
	struct nearest nearest = { .word = node->text };
	struct buf known = { 0 };

	for (const struct word *w = key->words; w->name != NULL; w++)
		nearest_offer(&nearest, w->name);
	add_words(&known, key);
	if (known.failed)
		diag_nomem(l->diag);
	else if (nearest.best != NULL)
		diag_error(l->diag, node->spot, "%s: \"%.*s\" is not known; did you mean \"%s\"?", key->name,
			SHOWN(node->text), nearest.best);
	else
		diag_error(l->diag, node->spot, "%s: \"%.*s\" is not known; known: %s", key->name,
			SHOWN(node->text), known.data);
	buf_free(&known);
}

void
numbers_word(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	const struct word *word = find_word(key, node->text);

	if (word != NULL)
		put(key, base, word->value);
	else
		report_word(l, key, node);
}

/* One entry of a list. */
static void
add_word(struct loading *l, const struct key *key, const struct node *node, uint64_t *bits)
{
	const struct word *word;

	if (!loading_is_scalar(l, key, node))
		return;
	word = find_word(key, node->text);
	if (word == NULL)
		report_word(l, key, node);
	else if (word->value == 0)
		diag_error(l->diag, node->spot, "%s: \"%s\" stands alone, not in a list", key->name, word->name);
	else if ((*bits & word->value) != 0)
		diag_error(l->diag, node->spot, "%s: \"%s\" stands twice", key->name, word->name);
	else
		*bits |= word->value;
}

void
numbers_words(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	uint64_t bits = 0;

	if (node->kind == NODE_SCALAR && loading_is_scalar(l, key, node))
		numbers_word(l, key, node, base);
	if (node->kind == NODE_MAP)
		diag_error(l->diag, node->spot, "%s is one value or a list, not a mapping", key->name);
	if (node->kind != NODE_LIST)
		return;
	for (size_t i = 0; i < node->n; i++)
		add_word(l, key, node->items[i], &bits);
	put(key, base, bits);
}

void
numbers_add(struct buf *out, const struct key *key, uint64_t value)
{
	if (key->type == KEY_SIZE)
		scalar_add_size(out, value);
	else if (key->type == KEY_TIME)
		scalar_add_time(out, value);
	else if (key->type == KEY_RATE)
		scalar_add_rate(out, value);
	else
		buf_addf(out, "%llu", (unsigned long long)value);
}

static bool
in_range(struct loading *l, const struct key *key, const struct node *node, uint64_t value)
{
	struct buf text = { 0 };

	if (value >= key->min && value <= key->max)
		return true;
	buf_addf(&text, "%s: %.*s", key->name, SHOWN(node->text));
	if (key->min == key->max) {
		buf_add_text(&text, " is not known; this program reads ");
		numbers_add(&text, key, key->min);
	} else {
		buf_add_text(&text, value < key->min ? " is too small; at least " : " is too large; at most ");
		numbers_add(&text, key, value < key->min ? key->min : key->max);
	}
	diag_error_take(l->diag, node->spot, &text);
	return false;
}

static bool
is_plain(struct loading *l, const struct key *key, const struct node *node)
{
	if (node->plain)
		return true;
	diag_error(l->diag, node->spot, "%s: \"%.*s\" is text here; write it without quotes", key->name,
		SHOWN(node->text));
	return false;
}

static bool
begins_like_number(struct str text)
{
	return text.len > 0 && strchr("-0123456789", text.data[0]) != NULL;
}

void
numbers_number(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	const struct word *word = find_word(key, node->text);
	struct error err = { 0 };
	uint64_t value = 0;
	bool ok;

	if (word != NULL) {
		put(key, base, word->value);
		return;
	}
	if (key->type == KEY_SIZE)
		ok = scalar_size(node->text, &value, &err);
	else if (key->type == KEY_TIME)
		ok = scalar_time(node->text, &value, &err);
	else if (key->type == KEY_RATE)
		ok = scalar_rate(node->text, &value, &err);
	else if (!is_plain(l, key, node))
		return;
	else
		ok = scalar_count(node->text, &value, &err);
	if (!ok && key->words != NULL && !begins_like_number(node->text))
		diag_error(
			l->diag, node->spot, "%s: %s, nor the word %s", key->name, err.message, key->words->name);
	else if (!ok)
		loading_complain(l, key, node, &err);
	else if (in_range(l, key, node, value))
		put(key, base, value);
}

void
numbers_bool(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct error err = { 0 };
	bool value = false;

	if (!is_plain(l, key, node))
		return;
	if (!scalar_bool(node->text, &value, &err))
		loading_complain(l, key, node, &err);
	else if (key->type == KEY_TRUE && !value)
		diag_error(l->diag, node->spot, "%s: only true can stand here; leave the key out otherwise",
			key->name);
	else
		put(key, base, value);
}
