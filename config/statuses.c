// SPDX-License-Identifier: MIT
/* statuses.c - see statuses.h. */
#include "config/statuses.h"

#include "config/values.h"

static void
add(struct statuses *statuses, unsigned first, unsigned n)
{
	for (unsigned at = first - STATUS_MIN; n > 0; at++, n--)
		statuses->bits[at / 8] |= (unsigned char)(1u << at % 8);
}

bool
statuses_have(const struct statuses *statuses, unsigned status)
{
	unsigned at = status - STATUS_MIN;

	return status >= STATUS_MIN && status <= STATUS_MAX && (statuses->bits[at / 8] & 1u << at % 8) != 0;
}

bool
statuses_are_none(const struct statuses *statuses)
{
	for (size_t i = 0; i < sizeof statuses->bits; i++)
		if (statuses->bits[i] != 0)
			return false;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "503", or "5xx" for all of them. An answer of 2xx says yes. */
static bool
add_text(struct statuses *statuses, struct str text)
{
	unsigned hundreds;

	if (text.len != 3 || text.data[0] < '3' || text.data[0] > '5')
		return false;
	hundreds = 100 * (unsigned)(text.data[0] - '0');
	if (text.data[1] == 'x' && text.data[2] == 'x')
		add(statuses, hundreds, 100);
	else if (is_digit(text.data[1]) && is_digit(text.data[2]))
		add(statuses, hundreds + 10 * (unsigned)(text.data[1] - '0') + (unsigned)(text.data[2] - '0'), 1);
	else
		return false;
	return true;
}

static void
read_one(struct loading *l, const struct key *key, const struct node *node, struct statuses *statuses)
{
	if (loading_is_scalar(l, key, node) && !add_text(statuses, node->text))
		diag_error(l->diag, node->spot,
			"%s: \"%.*s\" is neither a status from 300 to 599 nor 3xx, 4xx or 5xx", key->name,
			SHOWN(node->text));
}

void
statuses_read(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct statuses *statuses = (struct statuses *)(void *)((char *)base + key->offset);
	size_t n = 0;

	statuses->is_said = true;
	if (node->kind == NODE_SCALAR && str_is(node->text, "none"))
		return;
	if (!values_entries(l, key, node, key->max, &n))
		return;
	for (size_t i = 0; i < n; i++)
		read_one(l, key, node->kind == NODE_LIST ? node->items[i] : node, statuses);
}
