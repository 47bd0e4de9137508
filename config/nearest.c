// SPDX-License-Identifier: MIT
/* nearest.c - see nearest.h. Close enough: at most a third of the word's letters differ, at least one may.
 * Also close: the same word in other letter case, or with other separators (`keepAlive`, `keep-alive`). */
#include "config/nearest.h"

#include <limits.h>

#define LENGTH_MAX 64

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned
nearest_distance(struct str a, struct str b)
{
	unsigned row[3][LENGTH_MAX + 1] = { { 0 } }; /* the row before the last, the last, this one; by turns */

	if (a.len > LENGTH_MAX || b.len > LENGTH_MAX)
		return UINT_MAX;
	for (unsigned j = 0; j <= b.len; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			unsigned swap = i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
					a.data[i - 2] == b.data[j - 1]
				? before[j - 2] + 1
				: UINT_MAX;

			now[j] = least(last[j - 1] + (a.data[i - 1] != b.data[j - 1]), swap);
			now[j] = least(now[j], least(last[j], now[j - 1]) + 1);
		}
	}
	return row[a.len % 3][b.len];
}

static bool
is_separator(char c)
{
	return c == '_' || c == '-' || c == '.' || c == ' ';
}

/* The same letters, whatever their case and the separators between them. */
static bool
is_same_word(struct str a, struct str b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a.len && is_separator(a.data[i]))
			i++;
		while (j < b.len && is_separator(b.data[j]))
			j++;
		if (i == a.len || j == b.len)
			return i == a.len && j == b.len && i > 0;
		if (str_lower(a.data[i++]) != str_lower(b.data[j++]))
			return false;
	}
}

void
nearest_offer(struct nearest *n, const char *known)
{
	struct str other = str_of(known);
	unsigned limit = n->word.len < 3 ? 1 : (unsigned)(n->word.len < LENGTH_MAX ? n->word.len : LENGTH_MAX) / 3;
	unsigned distance = is_same_word(n->word, other) ? 0 : nearest_distance(n->word, other);

	if (distance > limit || distance >= other.len || (n->best != NULL && distance >= n->distance))
		return;
	n->best = known;
	n->distance = distance;
}
