// SPDX-License-Identifier: MIT
/* sign.c - see sign.h. `none` says on purpose that there is no signature; else there is a key, and perhaps a second one.
 *
 * Whoever has seen one signed question can try keys until one fits, as fast as his machines can, and nobody notices. */
#include "config/sign.h"

#include "config/diag.h"
#include "config/headers.h"
#include "config/rows.h"

#include <string.h>

#define KEY_LEAST                                                                                                  \
	32u /* bytes, those of the hash: fewer are "strongly discouraged" (RFC 2104 section 3; RFC 7518 section 3.2) */

static const struct key rows[] = {
	{ "key", KEY_SECRET, .required = true, AT(sign, keys[0]),
		.help = "The application has the same one, and uses it for nothing else: text, `{ env: NAME }` or `{ file: PATH }`, read at "
			"the start and at a reload. One of fewer than 32 bytes could be guessed, and is a warning; `openssl rand -hex 32` makes a good one." },
	{ "next_key", KEY_SECRET, AT(sign, keys[1]),
		.help = "A second one while the key is changed: a question has a signature with each of both." },
};
const struct key_table sign_keys = { "`sign`", "sign", KEYS(rows) };

/* Neither the key nor how many bytes it has is said: a start is logged. An empty one is an error already. */
static void
warn_of_short(struct loading *l, const char *name, const char *key, const struct node *node)
{
	struct spot spot;

	if (key == NULL || key[0] == '\0' || l->elsewhere || strlen(key) >= KEY_LEAST)
		return;
	spot = node->spot;
	spot.width = 0;
	diag_warn(l->diag, spot,
		"%s: it has fewer than %u bytes, so whoever sees a signature may find the key by trying; "
		"`openssl rand -hex 32` makes a good one",
		name, KEY_LEAST);
}

void
sign_read(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct sign *sign = (struct sign *)(void *)((char *)base + key->offset);

	if (node->kind != NODE_SCALAR) {
		l->read_table(l, key->tables[0], node, sign);
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			warn_of_short(l, rows[i].name, sign->keys[i], yaml_tree_get(node, rows[i].name));
		return;
	}
	if (!loading_is_scalar(l, key, node))
		return;
	sign->is_none = str_is(node->text, "none");
	if (!sign->is_none)
		diag_error(l->diag, node->spot, "%s: `none`, or a mapping with \"key\", and not \"%.*s\"",
			key->name, SHOWN(node->text));
}

void
sign_free(struct sign *sign)
{
	for (size_t i = 0; i < sizeof sign->keys / sizeof sign->keys[0]; i++)
		headers_wipe(sign->keys[i]);
}
